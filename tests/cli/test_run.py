"""`apmdm solve`, `eval` and `certify`: what is printed, and that exit code 0 means solved and verified."""

import io
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from apmdm.tasks.sudoku.grid import NINE, SIXTEEN, to_text
from apmdm.tasks.sudoku.puzzles import full_grid
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.trace import Trace

assert Sudoku.demo is not None
DEMO = Sudoku.demo
PUZZLES = [line for line in DEMO.read_text().splitlines() if not line.startswith("#")]
EASY = PUZZLES[0]
Ends = Callable[..., tuple[int, str, str]]
UNSOLVABLE = "5168497323.76.5...8.97...65135.6.9.7472591..696837..5.253186.746842.75..791.5.6.8"


@pytest.mark.usefixtures("teacher_as_model")
def test_the_demo_is_solved_if_no_puzzle_is_given(apmdm: Ends) -> None:
    code, out, err = apmdm("solve", "sudoku", "--json")
    records = {record["index"]: record for record in map(json.loads, out.splitlines())}
    assert (code, err, len(records)) == (0, "", 8)
    for index, puzzle in enumerate(PUZZLES):
        record = records[index]
        assert record["puzzle"] == puzzle.replace("0", ".")
        assert (record["status"], record["verified"], record["stop"]) == ("solved", True, "fixed point")
        assert is_solution(NINE.parse(puzzle), NINE.parse(record["answer"]))
    assert records[7]["steps"] == 229
    assert records[7]["backtracks"] > records[0]["backtracks"] == 0


@pytest.mark.usefixtures("teacher_as_model")
def test_limit_and_the_table(apmdm: Ends) -> None:
    code, out, _ = apmdm("solve", "sudoku", "--limit", "2")
    header, *rows, last = out.splitlines()
    assert header.split() == ["puzzle", "status", "steps", "backtracks", "seconds", "answer"]
    assert [row.split()[:2] for row in rows] == [["1", "solved"], ["2", "solved"]]
    assert (code, last) == (0, "2 of 2 solved and verified")


def test_a_puzzle_of_256_characters_is_for_the_weights_of_16x16(apmdm: Ends) -> None:
    answer = full_grid(np.random.default_rng(1), SIXTEEN)
    puzzle = to_text([0 if cell % 19 == 0 else value for cell, value in enumerate(answer)])
    code, out, _ = apmdm("solve", "sudoku", puzzle, "--json")
    assert (code, json.loads(out)["answer"]) == (0, to_text(answer))


@pytest.mark.usefixtures("teacher_as_model")
def test_a_line_without_a_clue_does_not_tell_the_size(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "puzzles").write_text(
        f"sudoku_backtrack\n----------------\n\n{'.' * 16}\n12..{'.' * 12}\n{EASY}\n{EASY}\n"
    )
    code, out, err = apmdm("solve", "sudoku", tmp_path / "puzzles", "--json")
    assert (code, len(out.splitlines())) == (1, 2)
    told = [f"line {line}: a puzzle of 4x4 among those of 9x9; they need other weights" for line in (4, 5)]
    assert err.splitlines() == [*told, "2 of 4 problems could not be read"]


def test_a_size_without_weights_is_told_with_its_line(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "puzzles").write_text(f"A title\n\n{EASY}\n12..{'.' * 12}\n12..{'.' * 12}\n")
    for verb in (["run", "sudoku"], ["eval", "sudoku", "--data"]):
        code, _, err = apmdm(*verb, tmp_path / "puzzles")
        assert (code, err.count("\n")) == (2, 1)
        assert "no weights for sudoku of 4x4, as in line 4, come with the package: " in err


@pytest.mark.usefixtures("teacher_as_model")
def test_a_puzzle_without_solution_is_told_as_such(apmdm: Ends) -> None:
    code, out, _ = apmdm("solve", "sudoku", UNSOLVABLE)
    assert code == 1
    assert "unsolvable" in out
    assert "proved to have no solution" in out
    assert "0 of 1 solved" in out
    code, out, _ = apmdm("solve", "sudoku", UNSOLVABLE, "--json")
    record = json.loads(out)
    assert (code, record["status"], record["answer"], record["verified"]) == (1, "unsolvable", None, False)


def test_an_unsolved_puzzle_is_told_as_such(apmdm: Ends, sudoku_weights: Path) -> None:
    code, out, _ = apmdm("solve", "sudoku", EASY, "--weights", sudoku_weights)
    assert code == 1
    assert "unsolved" in out
    assert "no answer; stopped: fixed point" in out
    code, out, _ = apmdm("solve", "sudoku", EASY, "--weights", sudoku_weights, "--json")
    record = json.loads(out)
    assert (code, record["status"], record["answer"], record["verified"]) == (1, "unsolved", None, False)


@pytest.mark.usefixtures("teacher_as_model")
def test_one_unsolved_of_two_is_not_success(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "puzzles"
    path.write_text(f"\ufeff# two\n{UNSOLVABLE}\n\n{EASY}  # easy\n", encoding="utf-8")
    code, out, _ = apmdm("solve", "sudoku", path)
    assert (code, out.splitlines()[-1]) == (1, "1 of 2 solved and verified")


@pytest.mark.usefixtures("teacher_as_model")
def test_a_trace_is_written(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "trace.json"
    assert apmdm("solve", "sudoku", EASY, "--trace", path)[0] == 0
    trace = Trace.from_json(path.read_text())
    assert len(trace.steps) == 7
    assert trace.info == {"task": "sudoku", "puzzle": EASY, "status": "solved"}


@pytest.mark.usefixtures("teacher_as_model")
def test_results_are_saved_and_an_interrupted_file_is_taken_up(apmdm: Ends, tmp_path: Path) -> None:
    """Whatever was on disk when the run was killed, half a line included, no puzzle is lost or solved twice."""
    out = tmp_path / "results"
    code, said, _ = apmdm("solve", "sudoku", DEMO, "--out", out)
    assert (code, said) == (0, "8 of 8 solved and verified\n")
    whole = out.read_bytes()
    records = list(map(json.loads, whole.splitlines()))
    assert sorted(record["index"] for record in records) == list(range(8))
    assert all(is_solution(NINE.parse(record["puzzle"]), NINE.parse(record["answer"])) for record in records)
    for keep in (0, 10, len(whole.splitlines()[0]), len(whole) // 2, len(whole) - 1, len(whole)):
        out.write_bytes(whole[:keep])
        code, said, _ = apmdm("solve", "sudoku", DEMO, "--out", out, "--resume")
        assert (code, said) == (0, "8 of 8 solved and verified\n")
        assert sorted(map(json.loads, out.read_text().splitlines()), key=lambda r: r["index"]) == sorted(
            records, key=lambda r: r["index"]
        )


@pytest.mark.usefixtures("teacher_as_model")
@pytest.mark.parametrize("puzzle", [[], {}, None, 7])
def test_results_of_something_else_are_refused(apmdm: Ends, tmp_path: Path, puzzle: object) -> None:
    out = tmp_path / "results"
    out.write_text(json.dumps({"index": 0, "puzzle": puzzle, "verified": True}) + "\n")
    code, _, said = apmdm("solve", "sudoku", DEMO, "--out", out, "--resume")
    assert (code, "does not hold results of these problems" in said) == (2, True)


@pytest.mark.usefixtures("teacher_as_model")
def test_what_an_earlier_run_did_not_solve_still_counts(apmdm: Ends, tmp_path: Path) -> None:
    puzzles, out = tmp_path / "puzzles", tmp_path / "results"
    puzzles.write_text(f"{UNSOLVABLE}\n{EASY}\n")
    for options in ([], ["--resume"]):
        code, said, _ = apmdm("solve", "sudoku", puzzles, "--out", out, *options)
        assert (code, said) == (1, "1 of 2 solved and verified\n")


def test_parity(apmdm: Ends) -> None:
    code, out, err = apmdm("solve", "parity", "01" * 501, "--json")
    record = json.loads(out)
    assert (code, err, record["parity"], record["verified"], record["length"]) == (0, "", 1, True, 1002)
    assert apmdm("solve", "parity", "0110")[1].startswith("parity 0 (even)")


def test_strings_of_any_length_together(apmdm: Ends, tmp_path: Path) -> None:
    """Longer than a run may grow, and in the order of the file."""
    strings = ["1" + "0" * 2**20, "11", "010", "1", "10"]
    (tmp_path / "strings").write_text("\n".join(strings))
    code, out, _ = apmdm("solve", "parity", tmp_path / "strings", "--json")
    told = [json.loads(line) for line in out.splitlines()]
    assert (code, [record["index"] for record in told]) == (0, list(range(5)))
    assert [record["parity"] for record in told] == [1, 0, 1, 1, 1]


def test_a_wrong_parity_is_told_as_such(apmdm: Ends, parity_weights: Path) -> None:
    code, out, _ = apmdm("solve", "parity", "011", "--weights", parity_weights)
    assert (code, "no right answer" in out) == (1, True)
    code, out, _ = apmdm("solve", "parity", "011", "--weights", parity_weights, "--json")
    assert (code, json.loads(out)["verified"]) == (1, False)


def test_certify(apmdm: Ends) -> None:
    code, out, _ = apmdm("certify", "parity", "--json")
    found = json.loads(out)
    assert (code, found["certified"], len(found["blocks"])) == (0, True, 10)
    assert "certified: these are all the blocks" in apmdm("certify", "parity")[1]


def test_eval_counts_right_answers(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "strings"
    path.write_text("0\n1\n0110\n111\n")
    code, out, _ = apmdm("eval", "parity", "--data", path, "--json")
    found = json.loads(out)
    assert (code, found["strings"], found["right"], found["longest"]) == (0, 4, 4, 4)
    assert found["max_steps"] <= 4
    assert "right: 4" in apmdm("eval", "parity", "--data", path)[1]


def test_eval_of_a_model_that_cannot(apmdm: Ends, sudoku_weights: Path) -> None:
    code, out, _ = apmdm("eval", "sudoku", "--data", DEMO, "--weights", sudoku_weights, "--json")
    found = json.loads(out)
    assert (code, found["puzzles"], found["solved"], found["stops"]) == (0, 8, 0, {"fixed point": 8})
    assert found["mean_teacher_steps"] == pytest.approx(474 / 8)


@pytest.mark.usefixtures("teacher_as_model")
@pytest.mark.parametrize("how", ["table", "json", "out", "standard input"])
def test_a_line_that_cannot_be_read_stops_no_other(
    apmdm: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    text = f"# two\n{EASY}\n\n{EASY[1:]}\r\n{PUZZLES[1]}\n53..7\n{'1' * 81}\n"
    path, out = tmp_path / "puzzles", tmp_path / "results"
    path.write_bytes(text.encode())
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    options = {"table": [path], "json": [path, "--json"], "out": [path, "--out", out], "standard input": ["-"]}[how]
    code, said, told = apmdm("solve", "sudoku", *options)
    assert code == 1
    assert [line.split(":")[0] for line in told.splitlines() if line.startswith("line")] == [
        "line 4",
        "line 6",
        "line 7",
    ]
    assert "line 4: a 9x9 puzzle has 81 characters, this one has 80" in told
    assert told.endswith("3 of 5 problems could not be read\n")
    if how == "out":
        whole = sorted(out.read_text().splitlines())
        assert [json.loads(line)["index"] for line in whole] == [0, 1]
        out.write_text(whole[0] + "\n")
        assert apmdm("solve", "sudoku", *options, "--resume")[:2] == (1, "2 of 2 solved and verified\n")
        assert sorted(out.read_text().splitlines()) == whole
    elif how == "json":
        assert {json.loads(line)["puzzle"] for line in said.splitlines()} == {EASY, PUZZLES[1]}
    else:
        assert said.endswith("2 of 2 solved and verified\n")


def test_a_line_that_cannot_be_read_stops_no_evaluation(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "strings"
    path.write_text("0\n\n012\n11\n")
    for command in (["eval", "parity", "--data", path], ["solve", "parity", path]):
        code, out, told = apmdm(*command)
        assert code == 1
        assert "line 3: " in told
        assert "1 of 3 problems could not be read" in told
        assert "right: 2" in out or out.count("parity") == 2


@pytest.mark.parametrize("command", [["solve", "parity"], ["eval", "parity", "--data"], ["solve", "dyck-repair"]])
def test_what_can_be_read_once_only_is_read_once(apmdm: Ends, tmp_path: Path, command: list[str]) -> None:
    out = ["--out", tmp_path / "results"] if "eval" not in command else []
    for _ in range(2):
        reading, writing = os.pipe()
        os.write(writing, b"01\n11\n" if "parity" in command else b"()\naA\n")
        os.close(writing)
        code, said, told = apmdm(*command, f"/dev/fd/{reading}", *out)
        os.close(reading)
        assert (code, "2" in said) == (0, True), told
        out = [*out, "--resume"] if out else []


@pytest.mark.usefixtures("teacher_as_model")
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_grid_in_another_encoding(apmdm: Ends, tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "puzzle.sdk"
    rows = [EASY[first : first + 9].replace("0", ".") for first in range(0, 81, 9)]
    path.write_bytes(end.join(["#A somebody", "[Puzzle]", *rows, ""]).encode(encoding))
    assert apmdm("solve", "sudoku", path)[1].endswith("1 of 1 solved and verified\n")
    assert apmdm("solve", "sudoku", "\n".join(rows))[1].endswith("1 of 1 solved and verified\n")


def test_an_answer_is_written_like_its_puzzle(apmdm: Ends, tmp_path: Path) -> None:
    """Hexadecimal, where 0 is a value; and eval takes the weights that fit."""
    answer = full_grid(np.random.default_rng(1), SIXTEEN)
    puzzle = to_text([0 if cell % 19 == 0 else value for cell, value in enumerate(answer)]).replace("G", "0")
    path = tmp_path / "puzzles"
    path.write_text(puzzle)
    code, out, _ = apmdm("solve", "sudoku", path, "--json")
    record = json.loads(out)
    assert (code, record["puzzle"], record["answer"]) == (0, puzzle, to_text(answer).replace("G", "0"))
    assert "solved: 1\n" in apmdm("eval", "sudoku", "--data", path)[1]
    assert "they need other weights" in apmdm("solve", "sudoku", path, "--weights", "sudoku")[2]


TWO_SOLUTIONS = "534678912672195348198342567859761423426853791713924856961.3728.287.1963.345286179"


def test_puzzles_with_several_solutions_are_told_as_such(apmdm: Ends, tmp_path: Path) -> None:
    code, out, _ = apmdm("solve", "sudoku", TWO_SOLUTIONS)
    assert (code, "one of several solutions" in out) == (0, True)
    assert json.loads(apmdm("solve", "sudoku", TWO_SOLUTIONS, "--json")[1])["unique"] is False
    assert "unique" not in json.loads(apmdm("solve", "sudoku", EASY, "--json")[1])
    code, out, told = apmdm("solve", "sudoku", "." * 81)
    assert (code, "no answer; has more than one solution; stopped: fixed point" in out) == (1, True)
    assert told.startswith("note: ")


def test_with_few_clues_the_model_goes_on_when_its_levels_are_used_up(apmdm: Ends, tmp_path: Path) -> None:
    trace, puzzle = (
        tmp_path / "trace",
        "........9.7.........9......9......5..........7.............3.9............1......",
    )
    code, out, _ = apmdm("solve", "sudoku", puzzle, "--trace", trace)
    assert (code, "one of several solutions" in out) == (0, True)
    levels = [max(NINE.level[list(step.tokens)].tolist()) for step in Trace.from_json(trace.read_text()).steps]
    assert 23 in levels
    assert levels[-1] < 23
