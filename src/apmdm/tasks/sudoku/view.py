"""The grid in a terminal while it is being solved: givens, filled cells, guesses by depth, remasked cells flashing."""

import time
from collections.abc import Iterator
from dataclasses import replace

from jaxtyping import Int
from rich.console import Console, Group
from rich.live import Live
from rich.text import Text
from torch import Tensor

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor
from apmdm.state import State
from apmdm.tasks.sudoku.grid import DIGITS, FAIL, R1, RUN, Board
from apmdm.tasks.sudoku.solve import Solution, solve

DEPTH_COLOURS = ("green", "cyan", "yellow", "magenta", "blue", "red")
SECONDS_PER_STEP = 0.06


def watched(
    model: Predictor, puzzles: Int[Tensor, "N cells"], board: Board, console: Console, device: str
) -> Iterator[Solution]:
    """Solve one puzzle after the other, drawing every state that the model is shown; the last grid stays."""
    for number, puzzle in enumerate(puzzles):
        with Live(console=console, auto_refresh=False, transient=number + 1 < len(puzzles)) as live:
            look = _looking(model, live, board, f"puzzle {number + 1}")
            for solution in solve(look, puzzle[None], board, record=True, device=device):
                yield replace(solution, run=replace(solution.run, index=number))


def _looking(model: Predictor, live: Live, board: Board, title: str) -> Predictor:
    shown: list[list[int]] = []

    def look(state: State) -> Prediction | Edits:
        shown.append(state.ids[0].tolist())
        before = shown[-2] if shown[1:] else None
        live.update(drawing(board, shown[-1], before, f"{title}   step {len(shown) - 1}"), refresh=True)
        time.sleep(SECONDS_PER_STEP)
        return model(state)

    return look


def drawing(board: Board, tokens: list[int], before: list[int] | None, title: str) -> Group:
    """One state as text; what was remasked since `before` is shown once more on a red ground."""
    grid, side, box = Text(), board.side, board.box
    line = "-+-".join(["-" * (2 * box - 1)] * box) + "\n"
    for cell in range(board.cells):
        grid.append_text(_cell(board, tokens[cell], before[cell] if before else tokens[cell]))
        if cell % side == side - 1:
            grid.append("\n")
            if cell // side % box == box - 1 and cell < board.cells - 1:
                grid.append(line, "dim")
        elif cell % box == box - 1:
            grid.append(" | ", "dim")
        else:
            grid.append(" ")
    depth = max(int(board.level[token]) for token in tokens[:R1])
    mode = {RUN: "filling", FAIL: "no solution"}.get(tokens[R1], "undoing")
    return Group(Text(f"{title}   depth {max(depth, 0)}   {mode}", "bold"), grid)


def _cell(board: Board, token: int, before: int) -> Text:
    value, level, earlier = int(board.value[token]), int(board.level[token]), int(board.value[before])
    if not value:
        return Text(DIGITS[earlier - 1], "white on red") if earlier else Text(".", "dim")
    text = DIGITS[value - 1]
    if level == 0:
        return Text(text, "bold")
    colour = DEPTH_COLOURS[(level - 1) % len(DEPTH_COLOURS)]
    return Text(text, f"bold reverse {colour}" if board.is_guess[token] else colour)
