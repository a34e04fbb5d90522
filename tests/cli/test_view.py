"""A run in a terminal: the live grid, what is lost shown once more, and the same answers as without it."""

import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from apmdm.cli import view
from apmdm.registry import find
from apmdm.tasks.sudoku import grid
from apmdm.tasks.sudoku.grid import NINE
from apmdm.tasks.sudoku.process import teacher
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.tasks.sudoku.view import drawing
from apmdm.vocab import MASK

assert Sudoku.demo is not None
GUESSING = next(line for line in Sudoku.demo.read_text().splitlines() if line.startswith(".4...15.."))


def state(cells: dict[int, int]) -> dict[str, Any]:
    tokens = [MASK] * NINE.length
    tokens[grid.R1] = grid.RUN
    for cell, token in cells.items():
        tokens[cell] = token
    return drawing(NINE, tokens)


def drawn(drawing: dict[str, Any], before: dict[str, Any] | None = None) -> tuple[str, list[tuple[str, str]]]:
    """The title, and what is drawn in each cell with its style."""
    title, text = view.picture(drawing, before, "puzzle 1   step 3").renderables
    assert isinstance(text, Text)
    styled = {span.start: str(span.style) for span in text.spans if span.end == span.start + 1}
    places = [at for at, sign in enumerate(str(text)) if sign in grid.DIGITS + "."]
    return str(title), [(str(text)[at], styled.get(at, "")) for at in places]


def test_every_kind_of_cell_has_its_look() -> None:
    cells = {
        0: int(NINE.fill_id[5, 0]),
        1: int(NINE.fill_id[6, 1]),
        2: int(NINE.guess_id[7, 1]),
        3: int(NINE.guess_id[8, 2]),
    }
    title, shown = drawn(state(cells), before=state({80: int(NINE.fill_id[9, 1])}))
    assert title == "puzzle 1   step 3   depth 2   filling"
    assert len(shown) == NINE.cells
    given, filled, guess, deeper = shown[:4]
    assert [value for value, _ in shown[:5]] == ["5", "6", "7", "8", "."]
    assert len({given, filled, guess, deeper}) == len({style for _, style in shown[:5]} - {""}) - 1 == 4
    assert "reverse" in guess[1]
    assert "reverse" not in filled[1]
    assert shown[80] == ("9", "white on red")


@pytest.mark.parametrize(
    ("symbols", "shown"),
    [(list("01"), "01"), (["<mask>", "a"], "_a"), (["10", "<mask>", "7"], "10 _ 7"), ([], "(empty)")],
)
def test_symbols_are_words_if_they_are_longer_than_a_character(symbols: list[str], shown: str) -> None:
    title, text = view.picture({"kind": "string", "symbols": symbols}, None, "word 1").renderables
    assert (str(title), str(text)) == ("word 1", shown)


@pytest.mark.parametrize("name", ["graph", "parity", "dyck-repair"])
def test_both_ends_of_a_run_can_be_drawn(name: str) -> None:
    task = find(name)
    (problem,) = task.sample(1, 0)
    (run,) = task.taught([problem], record=True)
    assert run.steps
    first, _ = (
        str(view.picture(task.draw(state), None, "").renderables[1]) for state in (task.encode(problem), run.final)
    )
    assert first


def test_watching_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "SECONDS_PER_STEP", 0)
    puzzles = [NINE.parse(GUESSING)] * 2
    file = io.StringIO()
    console = Console(force_terminal=True, file=file, width=100)
    watched = list(view.watched(Sudoku(), teacher, puzzles, console, "cpu"))
    assert [(solution.status, solution.run.index, solution.run.time) for solution in watched] == [
        ("solved", 0, 58),
        ("solved", 1, 58),
    ]
    shown = file.getvalue()
    assert all(f"puzzle {number}   step 58" in shown for number in (1, 2))
    assert "undoing" in shown
    assert "41;" in shown or ";41m" in shown, "nothing flashed"
