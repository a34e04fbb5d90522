"""The figures of many solved puzzles."""

from collections import Counter
from typing import Any

import torch
from torch import Tensor

from apmdm.solution import Solution
from apmdm.tasks.sudoku.data import teacher_run, training_puzzles
from apmdm.tasks.sudoku.grid import NUM_LEVELS, R1, RUN, Board, decode
from apmdm.tasks.sudoku.puzzles import Rules, count_within
from apmdm.tasks.sudoku.puzzles import solutions as solved_grids
from apmdm.tasks.sudoku.symmetry import leaks

QUICK, PATIENCE = 2000, 20_000
"""Branches of the exact search that are looked at, about a tenth of a second and a second on 9x9, where the model has
an answer and where it has none. The hardest of 400 puzzles of four public collections takes 1,466."""


def backtracks(solution: Solution) -> int:
    """Conflicts met, counted in the recorded steps: register R1 is remasked at each."""
    cells = len(solution.problem)
    return sum(step.tokens[R1] == RUN and cells in step.remask for step in solution.steps)


def has_several_solutions(solution: Solution) -> bool:
    """Whether there is certainly more than one."""
    most = QUICK if solution.solved else PATIENCE
    return solution.status != "unsolvable" and (count_within(most, solution.problem) or 0) > 1


def reason(solution: Solution) -> str:
    """Why a puzzle has no answer, as far as it is known, and a semicolon."""
    if has_several_solutions(solution):
        return "has more than one solution; "
    board = Rules.of(len(solution.problem)).board
    deepest = max(board.level[solution.run.final.ids[: board.cells]].tolist(), default=0)
    return f"needs more than {deepest} guesses; " if deepest == NUM_LEVELS - 1 else ""


def report(solutions: list[Solution], board: Board) -> dict[str, Any]:
    """Counts and means.

    separation: the chance that the model holds an unsolved run for less probable than a solved one (the area under
    the ROC curve), None unless there are both. leaked: puzzles whose solution is a copy of a training puzzle's.
    """
    statuses = Counter(solution.status for solution in solutions)
    probability = torch.tensor([solution.run.log_probability for solution in solutions], dtype=torch.float64)
    times = torch.tensor([solution.run.time for solution in solutions], dtype=torch.float64)
    known = [solved_grids(puzzle)[0] for puzzle in training_puzzles(board).tolist()]
    final, teacher_steps = teacher_run(torch.tensor([solution.problem for solution in solutions]))
    return {
        "puzzles": len(solutions),
        "solved": statuses["solved"],
        "unsolvable": statuses["unsolvable"],
        "stops": dict(Counter(solution.run.stop for solution in solutions)),
        "mean_steps": round(float(times.mean()), 3),
        "mean_teacher_steps": round(float(teacher_steps.double().mean()), 3),
        "max_steps": int(times.max()),
        "mean_work": round(sum(solution.run.work for solution in solutions) / len(solutions), 3),
        "separation": _separation(probability, torch.tensor([solution.solved for solution in solutions])),
        "leaked": len(leaks(known, decode(final).tolist())),
    }


def _separation(probability: Tensor, solved: Tensor) -> float | None:
    lower, upper = probability[~solved, None], probability[None, solved]
    above = (lower < upper).double() + 0.5 * (lower == upper)
    return float(above.mean()) if above.numel() else None
