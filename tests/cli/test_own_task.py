"""A task of the user's own, in a file outside of the package, has every command; what is wrong with it is told."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from apmdm import Task, contest
from apmdm.paradigms import comparison
from support import unchecked

Ends = Callable[..., tuple[int, str, str]]
PACKAGE = Path(contest.__file__).parent
OWN = '''
from apmdm import Task


def sort(symbols):
    """The first pair that stands the wrong way round, turned round."""
    return list("".join(symbols).replace("ba", "ab", 1))


def problem(random):
    return "".join(random.choices("ab", k=random.randint(0, 4)))


task = Task.from_process(sort, problem)
'''
SETTINGS = ["training.steps=5", "training.evaluate_every=5", "shape.width=16", "shape.layers=1", "data.problems=20"]
TRAIN = ["--device", "cpu", *(word for setting in SETTINGS for word in ("--set", setting))]


class Files(NamedTuple):
    """A user's file and where the weights go."""

    task: Path
    run: Path


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "sorting.py").write_text(OWN)
    return Files(tmp_path / "sorting.py", tmp_path / "run")


def package() -> dict[Path, tuple[int, int]]:
    """Every file of the package, with its size and time."""
    found = [path for path in PACKAGE.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in found}


def test_every_command_works_on_a_file(apmdm: Ends, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    before = package()
    code, out, err = apmdm("check", files.task, "--num", 20)
    assert (code, err) == (0, "")
    assert "no mistake was found" in out
    assert json.loads(apmdm("check", files.task, "--num", 20, "--json")[1])["passed"]

    assert apmdm("train", files.task, "--out", files.run, *TRAIN)[0] == 0
    assert (files.run / "model.safetensors").is_file()

    weights = ["--weights", files.run, "--device", "cpu"]
    code, out, _ = apmdm("run", files.task, "ba", "--json", *weights)
    record = json.loads(out)
    assert (record["problem"], record["index"]) == ("ba", 0)
    assert code == (0 if record["verified"] else 1)

    code, out, _ = apmdm("eval", files.task, "--num", 5, "--json", *weights)
    assert (code, json.loads(out)["problems"]) == (0, 5)

    code, out, _ = apmdm("audit", files.task, "--num", 5, "--json", *weights)
    assert (code, json.loads(out)["figures"]["problems"]) == (0, 5)

    monkeypatch.setattr(contest, "PROBLEMS", 8)
    monkeypatch.setattr(comparison, "CHUNK", 64)
    arguments = ["compare", files.task, "--budget", 300, "--json", "--device", "cpu"]
    code, out, _ = apmdm(*arguments, "--out", files.run.with_name("compare"))
    assert code == 0
    paradigms = {json.loads(line)["paradigm"].split(",")[0] for line in out.splitlines()}
    assert paradigms >= {"ARM", "Masked ARM", "MDM ancestral", "AO-MDM above 0.9", "AP-MDM", "AP-MDM without insert"}
    assert package() == before


def test_problems_come_from_a_file_and_results_go_to_one(apmdm: Ends, files: Files, tmp_path: Path) -> None:
    assert apmdm("train", files.task, "--out", files.run, *TRAIN)[0] == 0
    (tmp_path / "problems").write_text("ba\nab\nbbaa\n")
    arguments = ["run", files.task, tmp_path / "problems", "--weights", files.run, "--out", tmp_path / "results"]
    _, said, _ = apmdm(*arguments)
    whole = (tmp_path / "results").read_text()
    records = [json.loads(line) for line in whole.splitlines()]
    assert sorted((record["index"], record["problem"]) for record in records) == [(0, "ba"), (1, "ab"), (2, "bbaa")]
    (tmp_path / "results").write_text(whole.splitlines(keepends=True)[0])
    assert apmdm(*arguments, "--resume")[1] == said
    again = [json.loads(line) for line in (tmp_path / "results").read_text().splitlines()]
    assert sorted(again, key=lambda record: record["index"]) == sorted(records, key=lambda record: record["index"])


def test_pairs_are_learned_and_run_from_their_weights_alone(apmdm: Ends, tmp_path: Path) -> None:
    pairs = [("ab" * n + end, "ab" * n + end + "s") for n in range(1, 7) for end in ("", "a", "b")]
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\n" for a, b in pairs))
    settings = [setting for setting in SETTINGS if not setting.startswith("data.")]
    options = ["--device", "cpu", *(word for setting in settings for word in ("--set", setting))]
    assert apmdm("train", tmp_path / "pairs.tsv", "--out", tmp_path / "run", *options)[0] == 0
    (tmp_path / "problems").write_text("ab\nba\nxx\n")
    code, _, _ = apmdm("run", tmp_path / "run", tmp_path / "problems", "--out", tmp_path / "results")
    records = [json.loads(line) for line in (tmp_path / "results").read_text().splitlines()]
    assert sorted(record["source"] for record in records) == ["ab", "ba", "xx"]
    assert code in (0, 1)
    code, _, err = apmdm("run", tmp_path / "run", "mistyped.tsv")
    assert (code, "nor a file that exists" in err) == (2, True)
    code, out, _ = apmdm("eval", tmp_path / "run", "--data", tmp_path / "pairs.tsv", "--json")
    assert (code, json.loads(out)["problems"]) == (0, len(pairs))


def test_a_table_without_names_of_columns_is_told_wherever_it_is_read(apmdm: Ends, tmp_path: Path) -> None:
    table = tmp_path / "usuk.csv"
    table.write_text("us,uk\n" + "".join(f"{'a' * n}b,{'a' * n}c\n" for n in range(1, 11)))
    note = f"note: the first line of {table} is taken as a pair; the columns are source, target"
    settings = [setting for setting in SETTINGS if not setting.startswith("data.")]
    options = ["--device", "cpu", *(word for setting in settings for word in ("--set", setting))]
    assert note.removeprefix("note: ") in apmdm("train", table, "--out", tmp_path / "run", *options)[1]
    assert note in apmdm("check", table, "--num", 10)[1]
    assert note in apmdm("eval", tmp_path / "run", "--data", table)[2].splitlines()
    findings = Task.from_pairs(table).findings()
    assert [finding.what for finding in findings] == [note.removeprefix("note: ")]


def test_of_many_notes_ten_are_told(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "problems").write_text("".join(f"German: Haus N;PL;UNKNOWN{n}\n" for n in range(80)))
    _, _, err = apmdm("run", "inflection", tmp_path / "problems")
    assert len(err.splitlines()) == 11
    assert err.splitlines()[-1] == "note: and 70 more of such notes"


def test_help_tells_the_task_and_its_problems(apmdm: Ends, files: Files) -> None:
    code, out, _ = apmdm("run", files.task, "--help")
    assert code == 0
    assert "sorting: " in out


def test_a_task_that_cannot_be_learned_is_told(apmdm: Ends, files: Files) -> None:
    """It counts how often it was called: one state, two successors."""
    files.task.write_text(OWN.replace("def sort", "calls = []\n\n\ndef sort").replace(
        "    return list(", '    calls.append(1)\n    if len(calls) % 3 == 0:\n        return symbols\n    return list('
    ))  # fmt: skip
    code, out, _ = apmdm("check", files.task, "--num", 20)
    assert code == 1
    assert "MISTAKE" in out


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no 'task'; give a task of that name, or say which by"),
        ("task = 'sort'\n", "gives a str, not a Task"),
        ("task = undefined\n", "cannot be imported: NameError: name 'undefined' is not defined (sorting.py, line 1)"),
        ("task = (\n", "cannot be imported: SyntaxError: '(' was never closed (sorting.py, line 1)"),
        ("import no_such_module\n", "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'"),
        (OWN.replace('"".join(symbols)', "symbols[9]"), "the process fails after "),
        (OWN.replace('.replace("ba", "ab", 1)', ' + "a"'), "the process has not ended after 10,000 steps"),
    ],
)
def test_a_file_that_is_no_task(refused: Callable[..., str], files: Files, text: str, message: str) -> None:
    """Checks of types read all properties, and do not expect any to fail."""
    files.task.write_text(text)
    with unchecked():
        said = refused("train", files.task, "--out", files.run, *TRAIN)
    assert message in said
    assert not files.run.exists()


def test_weights_without_their_file(apmdm: Ends, refused: Callable[..., str], files: Files) -> None:
    assert apmdm("train", files.task, "--out", files.run, *TRAIN)[0] == 0
    assert "are for 'sorting': give that task as well" in refused("run", files.run, "ba")
    assert "of another task" in refused("run", "parity", "01", "--weights", files.run)
    assert "of another task" in refused("run", files.task, "ba", "--weights", "parity")


def test_problems_that_are_none(apmdm: Ends, refused: Callable[..., str], files: Files, tmp_path: Path) -> None:
    assert "no weights for sorting come with the package: train some" in refused("run", files.task, "ba")
    (tmp_path / "problems").write_text("\nabc\n")
    message = "line 2: 'c' is not a symbol of this task; its symbols are 'a', 'b'"
    assert apmdm("train", files.task, "--out", files.run, *TRAIN)[0] == 0
    assert message in refused("run", files.task, tmp_path / "problems", "--weights", files.run)
    assert "'x' is not a symbol of this task" in refused("run", files.task, "ax", "--weights", files.run)
    assert "no weights at" in refused("run", files.task, "ab", "--weights", tmp_path)
