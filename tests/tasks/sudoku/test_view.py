"""A puzzle as plain data: what each cell is, how deep the guesses are, and what goes on."""

import pytest

from apmdm.tasks.sudoku.grid import FAIL, FOUR, NINE, R1, RUN
from apmdm.tasks.sudoku.view import drawing
from apmdm.vocab import MASK


def state(cells: dict[int, int], register: int = RUN) -> list[int]:
    tokens = [MASK] * NINE.length
    tokens[R1] = register
    for cell, token in cells.items():
        tokens[cell] = token
    return tokens


def test_every_kind_of_cell() -> None:
    cells = {0: int(NINE.fill_id[5, 0]), 1: int(NINE.fill_id[6, 1]), 2: int(NINE.guess_id[7, 2])}
    found = drawing(NINE, state(cells))
    assert found["rows"][0][:4] == [
        {"text": "5", "level": 0, "guess": False},
        {"text": "6", "level": 1, "guess": False},
        {"text": "7", "level": 2, "guess": True},
        {"text": "", "level": 0},
    ]
    assert [len(row) for row in found["rows"]] == [9] * 9
    assert (found["kind"], found["box"]) == ("grid", 3)


@pytest.mark.parametrize(("register", "mode"), [(RUN, "filling"), (MASK, "undoing"), (FAIL, "no solution")])
def test_the_note_tells_what_goes_on(register: int, mode: str) -> None:
    assert drawing(NINE, state({}, register))["note"] == f"depth 0   {mode}"
    assert drawing(NINE, state({3: int(NINE.guess_id[8, 2])}, register))["note"] == f"depth 2   {mode}"


def test_a_state_that_lost_its_length_is_drawn_too() -> None:
    assert drawing(FOUR, [MASK] * 12)["note"] == "depth 0   filling"
