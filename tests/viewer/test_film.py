"""Films: what is played back is what happened and what the task drew; nothing in them can become a tag."""

import json
import subprocess
import sys
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from apmdm.odds import with_odds
from apmdm.registry import find
from apmdm.state import Sequence
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.trace import Trace
from apmdm.trained import load
from apmdm.viewer import picture
from apmdm.viewer.bundle import page
from apmdm.viewer.film import draw_of, film
from apmdm.viewer.replay import shots
from apmdm.viewer.traces import film_of, task_of
from apmdm.vocab import MASK_SYMBOL, Vocab, readable
from films import GUESSING, VOCAB, letters, placed, taught, wild


def drawn_texts(drawing: dict[str, Any]) -> list[str]:
    match drawing["kind"]:
        case "grid":
            return [cell["text"] for row in drawing["rows"] for cell in row]
        case "table":
            return [str(text) for row in drawing["rows"] for text in row]
        case "graph":
            return ["_" if text == MASK_SYMBOL else str(text) for *_, text in drawing["edges"]]
        case _:
            return ["_" if symbol == MASK_SYMBOL else symbol for symbol in drawing["symbols"]]


@pytest.mark.parametrize("draw", [None, letters, placed])
@pytest.mark.parametrize("seed", range(6))
def test_a_film_plays_back_what_happened(seed: int, draw: Any) -> None:
    trace = wild(seed)
    made = film(trace, draw)
    played = list(shots(made))
    for state, (cells, _) in zip(trace.states(), played, strict=True):
        expected = drawn_texts(placed(state)) if draw else [made["symbols"][token] for token in state.ids.tolist()]
        assert [cell.text for cell in cells] == expected
    for (cells, _), (following, _) in pairwise(played):
        writes = [cell for cell in cells if cell.becomes is not None]
        assert {cell.becomes for cell in writes} <= {cell.text for cell in following}
        if draw is not letters:
            assert all(cell.deed == "unmask" for cell in writes)
            assert sum(cell.deed == "unmask" for cell in cells) == len(writes)


@pytest.mark.parametrize(
    ("name", "problem"), [("sudoku", GUESSING), ("graph", None), ("parity", "0110100"), ("dyck-repair", "([}){")]
)
def test_a_film_shows_what_the_task_draws(name: str, problem: str | None) -> None:
    task, trace = find(name), taught(name, problem)
    made = film(trace, draw_of(task))
    assert json.loads(json.dumps(made)) == made
    for state, (cells, note) in zip(trace.states(), shots(made), strict=True):
        drawing = task.draw(state)
        texts = drawn_texts(drawing) if made["kind"] else [made["symbols"][token] for token in state.ids.tolist()]
        assert [cell.text for cell in cells] == texts
        assert note.replace(" · ", "   ") == drawing.get("note", "")
    assert any(cell.deed for cells, _ in shots(made) for cell in cells)


def test_the_depth_of_guesses_is_in_the_film() -> None:
    made = film(taught("sudoku", GUESSING), Sudoku().draw)
    assert max(frame.get("l", 0) for frame in made["frames"]) == 4
    assert any(cell.guess and cell.level == 2 for cells, _ in shots(made) for cell in cells)


def test_a_drawing_that_fails_leaves_the_tokens() -> None:
    def broken(sequence: Sequence) -> dict[str, Any]:
        raise RuntimeError("<nothing here>")

    made = film(wild(0), broken)
    assert made["kind"] is None
    assert "cannot be drawn" in made["frames"][0]["n"]
    assert [len(cells) for cells, _ in shots(made)] == [len(state) for state in wild(0).states()]


def test_a_trace_holds_probabilities_and_the_runner_up() -> None:
    model = load("inflection")
    (solution,) = model.task.solve(model.encoder, [model.task.parse("German: Haus N;DAT;PL")], record=True)
    trace = with_odds(model.task.trace(solution.problem, solution.run), model.task.decoder(model.encoder, "cpu"))
    again = Trace.from_json(trace.to_json())
    assert [step.odds for step in again.steps] == [step.odds for step in trace.steps]
    written = [(step, p, odds) for step in again.steps for p, odds in (step.odds or {}).items() if p in step.unmask]
    assert written
    for step, position, (*bits, sure, other, chance) in written:
        assert all(0 <= bit <= 1 for bit in bits)
        assert 0 < sure <= 1 - chance + 1e-3
        assert other != step.unmask[position]


@pytest.mark.parametrize("odds", [{"0": [0.5]}, {"99": [0.1, 0.1, 0.1]}, {"0": [2, 0, 0]}, {"0": [0, 0, 0, 1, 999, 0]}])
def test_probabilities_that_are_none_are_refused(odds: dict[str, Any]) -> None:
    trace = wild(1)
    whole = json.loads(trace.to_json())
    whole["steps"][0]["odds"] = odds
    with pytest.raises(ValueError, match=r"not a trace|does what its tokens do not allow"):
        Trace.from_json(json.dumps(whole))


def test_nothing_in_a_film_becomes_a_tag() -> None:
    evil = "</script><script>alert(1)</script><!--"
    vocab = Vocab([*VOCAB.symbols[:2], evil, "b"])
    html = page(evil, [film(replace(wild(0), vocab=vocab), None, {"title": evil, "answer": evil})])
    assert html.count("<script") == html.count("</script>") == 2
    assert "<!--" not in html.replace("<!doctype", "")


def test_a_trace_names_no_code_to_load(tmp_path: Path) -> None:
    """Only a task of this package is believed; anything else takes --task."""
    (tmp_path / "evil.py").write_text("raise SystemExit('loaded')")
    trace = wild(0)
    for told in (str(tmp_path / "evil.py"), "os:system", "nonsense", "sudoku", str(tmp_path)):
        assert task_of(trace, told) is None
    with pytest.raises(ValueError, match="not of sudoku"):
        task_of(trace, "", "sudoku")
    with pytest.raises(ValueError, match="unknown task"):
        task_of(trace, "", "nonsense")


def test_every_shipped_task_draws_its_traces(tmp_path: Path) -> None:
    for name, problem in (("sudoku", GUESSING), ("graph", None)):
        path = tmp_path / f"{name}.json"
        path.write_text(taught(name, problem).to_json())
        assert film_of(path)["kind"] == {"sudoku": "grid", "graph": "graph"}[name]
    model = load("inflection")
    assert draw_of(model.task) is not None


def test_a_picture_has_limits() -> None:
    with pytest.raises(ValueError, match="a picture is for up to"):
        picture.animated([film(wild(0, length=500, steps=1))])
    words = picture.animated([film(wild(3), placed, {"title": "a < b"})])
    assert "a &lt; b" in words
    assert words.count("<svg") == 1


def test_names_of_products_are_read_as_elsewhere() -> None:
    assert film(Trace(Vocab(["<pad>", MASK_SYMBOL, "5@1:new"]), (), (2,)))["symbols"] == ["<pad>", "_", "5/new"]
    assert readable("5@1:new") == "5/new"


def test_the_page_needs_no_torch() -> None:
    program = "import sys, apmdm.viewer.bundle; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], timeout=20).returncode == 0
