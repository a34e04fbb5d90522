"""`apmdm compare`: the same table after an interruption, nothing done twice, estimates before it starts."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apmdm import contest
from apmdm.paradigms import comparison as comparison_module
from apmdm.paradigms.comparison import Comparison, Entrant
from apmdm.registry import find
from apmdm.tasks.parity.task import Parity
from apmdm.training import trainer

BUDGET = 3000


@pytest.fixture(autouse=True)
def few_problems(monkeypatch: pytest.MonkeyPatch) -> None:
    """Four paradigms on four short strings."""
    whole = Parity.comparison
    monkeypatch.setattr(comparison_module, "CHUNK", 64)

    def few(task: Parity, tokens: int, seed: int) -> Comparison:
        comparison = whole(task, tokens, seed)
        chosen = [
            e
            for e in comparison.entrants
            if e.name.startswith(("ARM, dir", "MDM ancestral, 4 a step, d", "AO-MDM random, d", "AP"))
        ]
        return replace(comparison, problems={"2": ["00", "01"], "3": ["011", "111"]}, entrants=chosen, max_length=20)

    monkeypatch.setattr(Parity, "comparison", few)


def rows(apmdm: Callable, *arguments: object) -> list[dict[str, object]]:
    ended = apmdm("compare", "parity", "--budget", BUDGET, "--json", *arguments)
    assert ended.code == 0, ended
    assert "together about" in ended.err or "3 of them there already" in ended.err
    return [json.loads(line) for line in ended.out.splitlines()]


def test_an_interrupted_comparison_goes_on_to_the_same_table(
    apmdm: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = rows(apmdm, "--out", tmp_path / "a")
    assert {row["paradigm"] for row in once} >= {"ARM, direct", "AO-MDM random, direct", "AP-MDM without remask"}
    assert (tmp_path / "a/parity.png").stat().st_size > 10_000
    arm, ours = (tmp_path / "a/traces" / f"{name}.json" for name in ("ARM-direct", "AP-MDM"))
    assert apmdm("view", arm, ours, "--out", tmp_path / "both.html").code == 0

    step, taken = trainer._Run.step, []

    def interrupted(self: trainer._Run, *arguments: Any) -> dict[str, float]:
        taken.append(arguments)
        if len(taken) == 6:
            raise KeyboardInterrupt
        return step(self, *arguments)

    monkeypatch.setattr(trainer._Run, "step", interrupted)
    assert apmdm("compare", "parity", "--budget", BUDGET, "--out", tmp_path / "b").code == 130
    assert rows(apmdm, "--out", tmp_path / "b") == once
    trained = len(taken)
    assert rows(apmdm, "--out", tmp_path / "b") == once
    assert len(taken) == trained


def test_a_dry_run_tells_models_by_their_paradigms_and_trains_nothing(apmdm: Callable, tmp_path: Path) -> None:
    told = apmdm("compare", "parity", "--budget", BUDGET, "--out", tmp_path / "c", "--dry-run")
    assert told.code == 0
    assert "ARM, direct: " in told.out
    assert " seconds" in told.out
    assert not (tmp_path / "c").exists()


def own_entrants(seed: int) -> list[Entrant]:
    comparison = find("parity").comparison(BUDGET, seed)
    assert comparison is not None
    return comparison.entrants


def test_another_policy_or_problem_trains_nothing(tmp_path: Path) -> None:
    entrants = own_entrants(seed=0)
    folders = {contest._folder(tmp_path, entrant.source) for entrant in entrants}
    assert len(folders) == 3
    sources = {entrant.name: entrant.source for entrant in entrants}
    assert sources["MDM ancestral, 4 a step, direct"] is sources["AO-MDM random, direct"]
    other = own_entrants(seed=1)
    assert not folders & {contest._folder(tmp_path, entrant.source) for entrant in other}


def test_words_need_a_file_and_enough_of_them(refused: Callable[..., str], tmp_path: Path) -> None:
    assert "--data" in refused("compare", "words")
    file = tmp_path / "few.txt"
    file.write_text("".join(f"{number}\n" for number in range(10)))
    assert "at least 1000" in refused("compare", "words", "--data", file)
    assert "--data" in refused("compare", "parity", "--data", file)
