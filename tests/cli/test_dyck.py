"""`apmdm generate dyck`, `certify dyck`, `solve dyck`, and what `eval` tells of them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from apmdm.tasks.brackets import task as brackets
from apmdm.tasks.dyck import task as dyck
from apmdm.tasks.dyck.verify import distance, is_word
from apmdm.tasks.dyck_repair import task as dyck_repair

Ends = Callable[..., tuple[int, str, str]]


def test_words_are_printed_as_asked_for(apmdm: Ends) -> None:
    code, out, _ = apmdm("generate", "dyck", "--k", 3, "--length", 20, "--num", 4, "--seed", 5)
    words = out.split()
    assert (code, len(words)) == (0, 4)
    assert all(is_word(word) and len(word) == 20 and set(word.lower()) <= set("abc") for word in words)
    assert apmdm("generate", "dyck", "--k", 3, "--length", 20, "--num", 4, "--seed", 5)[1] == out
    assert apmdm("generate", "dyck", "--k", 3, "--length", 20, "--num", 4, "--seed", 6)[1] != out


def test_brackets_open_before_they_close(apmdm: Ends) -> None:
    code, out, _ = apmdm("generate", "dyck", "--brackets", "--length", 30, "--num", 5)
    assert code == 0
    assert all(is_word(word) and len(word) == 30 and set(word) <= set("()[]{}") for word in out.split())


def test_words_as_json_with_their_cost(apmdm: Ends) -> None:
    code, out, _ = apmdm("generate", "dyck", "--length", 6, "--num", 2, "--json")
    for record in map(json.loads, out.splitlines()):
        assert record["verified"]
        assert is_word(record["word"])
        assert (record["language"], record["length"], record["stop"]) == ("k2", 6, "fixed point")
        assert record["space"] >= 7
        assert record["log_probability"] < 0
    assert (code, len(out.splitlines())) == (0, 2)


def test_what_is_not_certified_is_noted(apmdm: Ends) -> None:
    for k, notes in ((5, ""), (6, "note: k6 is not certified, only each word is verified; `apmdm certify dyck --k 6`")):
        code, _, err = apmdm("generate", "dyck", "--k", k, "--length", 4, "--num", 1)
        assert (code, err.startswith(notes), bool(err)) == (0, True, bool(notes))


def test_certificates(apmdm: Ends) -> None:
    code, out, _ = apmdm("certify", "dyck", "--k", 1)
    assert (code, out.startswith("k1 certified: these 4,433 windows")) == (0, True)
    code, out, _ = apmdm("certify", "dyck", "--k", 1, "--json")
    found = json.loads(out)
    assert found.pop("drift") < 0.01
    known = {"language": "k1", "windows": 4433, "failures": 0, "examples": [], "certified": True}
    assert found == known | {"longest": 2**38}


def test_a_model_that_knows_nothing_is_not_certified(apmdm: Ends, tmp_path: Path) -> None:
    settings = ["--set", "training.steps=1", "--set", "data.batch_size=4", "--device", "cpu"]
    assert apmdm("train", "dyck", "--out", tmp_path, *settings)[0] == 0
    code, out, _ = apmdm("certify", "dyck", "--k", 1, "--weights", tmp_path)
    assert code == 1
    assert "k1 not certified: wrong on" in out
    assert len(out.splitlines()) == 11


def test_evaluation_counts_words(apmdm: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dyck, "DRAWN", 300)
    code, out, _ = apmdm("eval", "dyck", "--json", "--device", "cpu")
    found = json.loads(out)
    assert code == 0
    assert (found["words"], found["valid"], found["all words"]) == (300, 300, 2092)
    assert 100 < found["distinct"] < 300
    assert found["KL to uniform (nats)"] > 0
    assert found["stops"] == {"fixed point": 300}


def test_broken_words_are_repaired(apmdm: Ends, tmp_path: Path) -> None:
    assert apmdm("solve", "dyck", "aacAA") == (0, "aaAA  edits 1  from aacAA\n", "")
    file = tmp_path / "words"
    file.write_text("([)]\nabBA\n")
    code, out, _ = apmdm("solve", "dyck", file, "--json")
    records = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert all(is_word(record["word"]) and record["verified"] for record in records)
    assert [record["edits"] for record in records] == [distance("([)]", records[0]["word"]), 0]
    assert [record["broken"] for record in records] == ["([)]", "abBA"]


def test_a_row_tells_which_word_it_is_of_where_others_are_refused(apmdm: Ends, tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("()\nno word\n[]\n")
    code, out, _ = apmdm("solve", "dyck", file)
    assert (code, out) == (1, "()  edits 0  from ()\n[]  edits 0  from []\n")


@pytest.mark.parametrize(("task", "num"), [("dyck-repair", 20), ("brackets", 5)])
def test_evaluation_of_repairs(apmdm: Ends, monkeypatch: pytest.MonkeyPatch, task: str, num: int) -> None:
    monkeypatch.setattr(dyck_repair, "TESTS", num)
    monkeypatch.setattr(brackets, "standard_library", lambda longest: ["([]{})", "(())"] * 2 + ["[]"])
    code, out, _ = apmdm("eval", task, "--json", "--device", "cpu")
    found = json.loads(out)
    assert code == 0
    assert (found["words"], found["valid"], found["stops"]) == (num, num, {"fixed point": num})
    assert found["mean edits"] >= found["least possible"] > 0


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["generate", "dyck", "--length", "7"], "even length, not 7"),
        (["generate", "dyck", "--k", "2", "--brackets"], "give one of the two"),
        (["generate", "dyck", "--k", "9"], "less than or equal to 8"),
        (["generate", "dyck", "--weights", "parity"], "of another task"),
        (["certify", "dyck", "--weights", "parity"], "of another task"),
        (["certify", "parity", "--k", "2"], "No such option: --k"),
        (["eval", "dyck", "--data", "words"], "there is no file words"),
        (["eval", "dyck-repair", "--data", "words", "--num", "3"], "it does not go with --data"),
        (["eval", "brackets", "--weights", "dyck"], "of another task"),
        (["solve", "dyck", "ax"], "neither a word of letters and brackets nor a file"),
        (["solve", "dyck", ""], "neither a word of letters and brackets nor a file"),
        (["solve", "dyck", "aA", "--weights", "dyck"], "of another task"),
    ],
)
def test_wrong_input(refused: Callable[..., str], command: list[str], message: str) -> None:
    assert message in refused(*command)


def test_a_file_with_something_else_in_it_is_refused(refused: Callable[..., str], tmp_path: Path) -> None:
    file = tmp_path / "words"
    file.write_text("\nhello\n")
    assert "line 2: a word is of letters a to h and A to H and brackets ()[]{}, not 'l'" in refused(
        "solve", "dyck", file
    )
