"""A state of a puzzle as plain data: the grid, with what each cell is, and what the registers say."""

from typing import Any

from apmdm.tasks.sudoku.grid import DIGITS, FAIL, R1, RUN, Board


def drawing(board: Board, tokens: list[int]) -> dict[str, Any]:
    """`rows` of cells with text, level (0 for givens and what follows from them alone) and whether it is a guess.

    box: cells of a box to a side; note: depth and what is going on.
    """
    cells = [_cell(board, token) for token in tokens[: board.cells]]
    rows = [cells[first : first + board.side] for first in range(0, board.cells, board.side)]
    depth = max((cell["level"] for cell in cells), default=0)
    mode = {RUN: "filling", FAIL: "no solution"}.get(tokens[R1] if len(tokens) == board.length else RUN, "undoing")
    return {"kind": "grid", "rows": rows, "box": board.box, "note": f"depth {depth}   {mode}"}


def _cell(board: Board, token: int) -> dict[str, Any]:
    value = int(board.value[token])
    if not value:
        return {"text": "", "level": 0}
    return {"text": DIGITS[value - 1], "level": int(board.level[token]), "guess": bool(board.is_guess[token])}
