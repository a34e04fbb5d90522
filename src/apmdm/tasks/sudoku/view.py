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
from apmdm.sampler import Model
from apmdm.state import State
from apmdm.tasks.sudoku.grid import BOX, CELLS, FAIL, IS_GUESS, LEVEL, R1, RUN, SIDE, VALUE
from apmdm.tasks.sudoku.solve import Solution, solve

DEPTH_COLOURS = ("green", "cyan", "yellow", "magenta", "blue", "red")
SECONDS_PER_STEP = 0.06


def watched(model: Model, puzzles: Int[Tensor, "N 81"], console: Console, device: str) -> Iterator[Solution]:
    """Solve one puzzle after the other, drawing every state that the model is shown; the last grid stays."""
    for number, puzzle in enumerate(puzzles):
        with Live(console=console, auto_refresh=False, transient=number + 1 < len(puzzles)) as live:
            look = _looking(model, live, f"puzzle {number + 1}")
            for solution in solve(look, puzzle[None], record=True, device=device):
                yield replace(solution, run=replace(solution.run, index=number))


def _looking(model: Model, live: Live, title: str) -> Model:
    shown: list[list[int]] = []

    def look(state: State) -> Prediction | Edits:
        shown.append(state.ids[0].tolist())
        live.update(drawing(shown[-1], shown[-2] if shown[1:] else None, title, len(shown) - 1), refresh=True)
        time.sleep(SECONDS_PER_STEP)
        return model(state)

    return look


def drawing(tokens: list[int], before: list[int] | None, title: str, step: int) -> Group:
    """One state as text; what was remasked since `before` is shown once more on a red ground."""
    grid = Text()
    for cell in range(CELLS):
        grid.append_text(_cell(tokens[cell], before[cell] if before else tokens[cell]))
        if cell % SIDE == SIDE - 1:
            grid.append("\n")
            if cell // SIDE in (BOX - 1, 2 * BOX - 1):
                grid.append("------+-------+------\n", "dim")
        elif cell % BOX == BOX - 1:
            grid.append(" | ", "dim")
        else:
            grid.append(" ")
    depth = max(int(LEVEL[token]) for token in tokens[:CELLS])
    mode = {RUN: "filling", FAIL: "no solution"}.get(tokens[R1], "undoing")
    return Group(Text(f"{title}   step {step}   depth {max(depth, 0)}   {mode}", "bold"), grid)


def _cell(token: int, before: int) -> Text:
    value, level = int(VALUE[token]), int(LEVEL[token])
    if not value:
        return Text(str(int(VALUE[before])), "white on red") if VALUE[before] else Text(".", "dim")
    if level == 0:
        return Text(str(value), "bold")
    colour = DEPTH_COLOURS[(level - 1) % len(DEPTH_COLOURS)]
    return Text(str(value), f"bold reverse {colour}" if IS_GUESS[token] else colour)
