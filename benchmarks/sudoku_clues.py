"""How many clues a Sudoku model needs: puzzles with one solution, and grids with so few clues that there are several.

python benchmarks/sudoku_clues.py [9x9|16x16] [NUM]        NUM puzzles of each number of clues, 20 if left out
"""

import json
import sys
import time
from collections.abc import Iterator

import numpy as np

from apmdm.tasks.sudoku.grid import BOARDS, Board
from apmdm.tasks.sudoku.puzzles import count_solutions, full_grid
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.trained import load

SEED, MAX_STEPS = 1, 3000
UNIQUE = {"9x9": (40, 30, 25), "16x16": (180, 140, 120, 110, 100)}
SEVERAL = {"9x9": (17, 14, 12, 8, 6, 5, 4, 3, 2, 1), "16x16": (80, 40)}
"""Numbers of clues."""


def unique(rng: np.random.Generator, board: Board, clues: int) -> list[int] | None:
    """A puzzle with one solution; None if clues are left that can't be taken away."""
    puzzle = full_grid(rng, board)
    left = board.cells
    for cell in rng.permutation(board.cells).tolist():
        if left == clues:
            return puzzle
        value, puzzle[cell] = puzzle[cell], 0
        if count_solutions(puzzle) == 1:
            left -= 1
        else:
            puzzle[cell] = value
    return None


def any_of(rng: np.random.Generator, board: Board, clues: int) -> list[int]:
    """So many cells of a solved grid."""
    grid, chosen = full_grid(rng, board), set(rng.permutation(board.cells)[:clues].tolist())
    return [value if cell in chosen else 0 for cell, value in enumerate(grid)]


def sets(board: Board, num: int) -> Iterator[tuple[str, list[list[int]]]]:
    rng = np.random.default_rng(SEED)
    for clues in UNIQUE[board.name]:
        drawn = (unique(rng, board, clues) for _ in range(20 * num))
        puzzles = [puzzle for _, puzzle in zip(range(num), filter(None, drawn), strict=False)]
        yield f"{clues} clues, one solution", puzzles
    for clues in SEVERAL[board.name]:
        yield f"{clues} random clues", [any_of(rng, board, clues) for _ in range(num)]


def main(board: str = "9x9", num: str = "20") -> None:
    task = Sudoku(board=board)  # pyrefly: ignore[bad-argument-type]
    model = load(str(task.shipped), task)
    found = {}
    for name, puzzles in sets(BOARDS[board], int(num)):
        began = time.perf_counter()
        solutions = list(task.solve(model.encoder, puzzles, max_steps=MAX_STEPS))
        solved = sum(solution.solved for solution in solutions)
        steps = sum(solution.run.time for solution in solutions) / len(solutions)
        found[name] = [solved, len(solutions)]
        print(
            f"{name}: {solved} of {len(solutions)}, {steps:.0f} steps, {time.perf_counter() - began:.0f} s", flush=True
        )
    print(json.dumps({"board": board, "solved": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
