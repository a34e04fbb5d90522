"""Tasks by name, wherever they are: in the package, in a file, in a module, offered by another package, in data."""

import importlib.metadata
import sys
from pathlib import Path

import pytest

import apmdm
from apmdm import contest, naming, tasks
from apmdm.base_task import BaseTask
from apmdm.paradigms import comparison
from apmdm.registry import find

OWN = """
from dataclasses import dataclass

from apmdm import Shape, Task
from helper import letters


def sort(symbols):
    return list("".join(symbols).replace("ba", "ab", 1))


def problem(random):
    return "".join(random.choices(letters, k=random.randint(0, 5)))


task = Task.from_process(sort, problem, shape=Shape(width=16, layers=1, heads=2, rotary=True))
other = Task.from_process(sort, problem, name="other")
number = 7


@dataclass(frozen=True)
class Subclass(Task):
    name = "subclass"


@dataclass(frozen=True)
class Demanding(Task):
    size: int
"""


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A file of a user's, which imports one beside it."""
    (tmp_path / "helper.py").write_text('letters = "ab"\n')
    (tmp_path / "own_sorting.py").write_text(OWN)
    return tmp_path / "own_sorting.py"


@pytest.mark.parametrize("name", tasks.names())
def test_what_comes_with_the_package_is_found(name: str) -> None:
    task = find(name)
    assert isinstance(task, BaseTask)
    assert task.name == name


@pytest.mark.parametrize(("suffix", "name"), [("", "own_sorting"), (":other", "other"), (":Subclass", "subclass")])
def test_a_task_in_a_file_is_found(own: Path, suffix: str, name: str) -> None:
    before = list(sys.path)
    assert find(f"{own}{suffix}").name == name
    assert sys.path == before


def test_a_task_in_a_module_is_found(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(own.parent)
    assert find("own_sorting:other").name == "other"
    del sys.modules["own_sorting"]


def test_a_task_that_another_package_offers_is_found(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    point = importlib.metadata.EntryPoint("mine", "own_sorting:other", naming.GROUP)
    monkeypatch.syspath_prepend(own.parent)
    monkeypatch.setattr(naming, "entry_points", lambda group: [point] if group == "apmdm.tasks" else [])
    assert find("mine").name == "other"
    with pytest.raises(ValueError, match=r"unknown task 'yours'; allowed are .*words, mine, a Python file such as"):
        find("yours")
    del sys.modules["own_sorting"]


@pytest.mark.parametrize(
    ("file", "text", "name"),
    [("a.tsv", "ab\tabc\n", "pairs"), ("a.csv", "source,target\nab,abc\n", "pairs"), ("a.txt", "ab\n", "words")],
)
def test_data_is_a_task(tmp_path: Path, file: str, text: str, name: str) -> None:
    (tmp_path / file).write_text(text)
    task = find(str(tmp_path / file))
    assert (task.loaded_as, task.name, getattr(task, "data", None)) == (name, Path(file).stem, tmp_path / file)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "chess",
            "unknown task 'chess'; allowed are brackets, dyck, .*, a Python file such as my_task.py, module:name",
        ),
        ("", "unknown task ''"),
        ("none.py", "there is no file none.py"),
        ("no_such_module:task", "no_such_module cannot be imported: ModuleNotFoundError: No module named"),
        ("own_sorting.py:none", "own_sorting.py has no 'none'; give a task of that name, or say which"),
        ("own_sorting.py:number", "own_sorting.py gives a int, not a Task"),
        ("own_sorting.py:sort", "own_sorting.py gives a function, not a Task"),
        ("own_sorting.py:Demanding", "own_sorting.py cannot be imported: TypeError: .*missing 1 required .* 'size'"),
        ("helper.py", "helper.py has no 'task'"),
    ],
)
def test_what_is_no_task_is_refused(own: Path, monkeypatch: pytest.MonkeyPatch, name: str, message: str) -> None:
    monkeypatch.chdir(own.parent)
    with pytest.raises(ValueError, match=message):
        find(name)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task = 1 / 0\n", r"bad.py cannot be imported: ZeroDivisionError: division by zero \(bad.py, line 1\)"),
        ("\ntask = (\n", r"bad.py cannot be imported: SyntaxError: .* \(bad.py, line 2\)"),
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("from helper import x\n", "ImportError: cannot import name 'x' from 'helper'"),
        (
            "from apmdm import Task\ntask = Task.from_process(1)\n",
            r"bad.py cannot be imported: .*Error: .*\(.*line \d+\)",
        ),
    ],
)
def test_a_file_that_fails_is_told_in_one_line(own: Path, text: str, message: str) -> None:
    path = own.with_name("bad.py")
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        find(str(path))
    assert str(own.parent.resolve()) not in sys.path


def test_a_task_by_its_name_is_trained_loaded_and_asked(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through what `import apmdm` gives, by name and as an object."""
    monkeypatch.setattr(contest, "PROBLEMS", 4)
    monkeypatch.setattr(comparison, "CHUNK", 64)
    settings = {"training.steps": 2, "training.evaluate_every": 2, "data.problems": 20}
    apmdm.train(str(own), tmp_path / "run", settings=settings)
    for task in (str(own), find(str(own))):
        model = apmdm.load(tmp_path / "run", task)
        (solution,) = apmdm.generate(model, ["ba"], max_steps=5)
        assert solution.status in ("solved", "unsolved")
        assert apmdm.evaluate(model, num=3)["problems"] == 3
        assert apmdm.check(task, num=10).passed
        assert apmdm.audit(model, num=3).figures["problems"] == 3
    found = apmdm.compare(str(own), tmp_path / "compare", tokens=300)
    assert found is not None
    assert found.picture.is_file()
    assert {"ARM", "AP-MDM"} <= {row["paradigm"].split(",")[0] for row in found.rows}
