"""Every example, made small: no mistake is found in it, its teacher solves its problems, and it trains."""

from pathlib import Path

import pytest

from apmdm import check, registry
from apmdm.drawing import sketch
from apmdm.fit import Fitting, recipe_of

EXAMPLES = sorted(Path(__file__).parents[1].joinpath("examples").glob("*.py"))
SMALL = ["training.steps=3", "data.batch_size=8"]
MAX_LINES = 60


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_example(path: Path, tmp_path: Path) -> None:
    task = registry.find(str(path))
    report = check(task, num=10)
    assert report.passed, report.text()
    problems = task.sample(2, seed=1)
    for run in task.taught(problems) if task.has_runs else []:
        assert task.judge(problems[run.index], run)[1] == "solved"
        assert sketch(task.draw(run.final))
    fewer = ["data.problems=20"] if hasattr(task.recipe().data, "problems") else []
    outcome = Fitting(recipe_of(task, SMALL + fewer, seed=0), tmp_path / "run", validated=False).begin()
    assert outcome.finished
    assert len(path.read_text().splitlines()) <= MAX_LINES
