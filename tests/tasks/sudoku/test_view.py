"""The live grid: givens, filled cells, guesses by depth, remasked cells flashing, the step and the depth."""

import io

import pytest
import torch
from rich.console import Console

from apmdm.cli.solve import DEMO
from apmdm.tasks.sudoku import grid, view
from apmdm.tasks.sudoku.grid import FAIL, NINE, R1, RUN
from apmdm.tasks.sudoku.process import teacher
from apmdm.vocab import MASK

GUESSING = next(line for line in DEMO.read_text().splitlines() if line.startswith(".4...15.."))


def state(cells: dict[int, int], register: int = RUN) -> list[int]:
    tokens = [MASK] * NINE.length
    tokens[R1] = register
    for cell, token in cells.items():
        tokens[cell] = token
    return tokens


def drawn(tokens: list[int], before: list[int] | None = None) -> tuple[str, list[tuple[str, str]]]:
    """The title, and what is drawn in each cell with its style."""
    title, text = view.drawing(NINE, tokens, before, "puzzle 1   step 3").renderables
    styled = {span.start: str(span.style) for span in text.spans if span.end == span.start + 1}  # pyright: ignore
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


@pytest.mark.parametrize(("register", "mode"), [(RUN, "filling"), (MASK, "undoing"), (FAIL, "no solution")])
def test_the_title_tells_what_goes_on(register: int, mode: str) -> None:
    assert drawn(state({}, register))[0].endswith(f"depth 0   {mode}")


def test_watching_changes_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view, "SECONDS_PER_STEP", 0)
    puzzles = torch.tensor([NINE.parse(GUESSING)] * 2)
    console = Console(force_terminal=True, file=io.StringIO(), width=100)
    watched = list(view.watched(teacher, puzzles, NINE, console, "cpu"))
    assert [(solution.status, solution.run.index, solution.run.time) for solution in watched] == [
        ("solved", 0, 58),
        ("solved", 1, 58),
    ]
    shown = console.file.getvalue()  # pyright: ignore
    assert all(f"puzzle {number}   step 58" in shown for number in (1, 2))
    assert "undoing" in shown
    assert "41;" in shown or ";41m" in shown, "nothing flashed"
