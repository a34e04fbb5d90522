"""Solve puzzles with a model and say for each what came of it; every answer is verified."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.model.encoder import Encoder
from apmdm.model.graphed import Graphed
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.tasks.sudoku.grid import FAIL, NINE, R1, RUN, Board, decode, encode
from apmdm.tasks.sudoku.puzzles import count_solutions
from apmdm.tasks.sudoku.verify import is_solution

MAX_STEPS = 20_000
BATCH_SIZE, GPU_BATCH_SIZE = 128, 1024
"""Unless told otherwise."""


@dataclass(frozen=True)
class Solution:
    """One puzzle's outcome.

    status: solved (the answer was verified), unsolvable (the process says so and an exact solver agrees), unsolved.
    """

    puzzle: list[int]
    answer: list[int]
    status: Literal["solved", "unsolvable", "unsolved"]
    run: Run

    @property
    def backtracks(self) -> int:
        """Conflicts met, counted in the recorded steps: register R1 is remasked at each."""
        cells = len(self.puzzle)
        return sum(step.tokens[R1] == RUN and cells in step.remask for step in self.run.steps)


def solve(
    model: Predictor,
    puzzles: Iterable[Int[Tensor, "cells"]],
    board: Board = NINE,
    *,
    batch_size: int | None = None,
    max_steps: int = MAX_STEPS,
    record: bool = False,
    device: str = "cpu",
) -> Iterator[Solution]:
    """Free-running greedy runs; solutions come as they are found, Solution.run.index says of which puzzle.

    A puzzle is taken when there is room for it in the batch, so there may be very many. On a GPU an encoder runs as
    CUDA graphs, in larger batches.
    """
    on_gpu = torch.device(device).type == "cuda"
    if on_gpu and isinstance(model, Encoder):
        model = Graphed(model)
    if batch_size is None:
        batch_size = GPU_BATCH_SIZE if on_gpu else BATCH_SIZE
    under_way: dict[int, list[int]] = {}

    def starts() -> Iterator[Sequence]:
        for index, puzzle in enumerate(puzzles):
            under_way[index] = puzzle.tolist()
            yield encode(puzzle[None]).sequence(0)

    for run in rollouts(
        model,
        starts(),
        batch_size=batch_size,
        max_steps=max_steps,
        max_length=board.length,
        record=record,
        device=device,
    ):
        puzzle, final = under_way.pop(run.index), run.final.ids[None]
        answer = decode(final)[0].tolist() if final.shape[1] == board.length else [0] * board.cells
        yield Solution(puzzle, answer, _status(puzzle, answer, run), run)


def _status(puzzle: list[int], answer: list[int], run: Run) -> Literal["solved", "unsolvable", "unsolved"]:
    if is_solution(puzzle, answer):
        return "solved"
    failed = run.final.ids[R1 : R1 + 1].tolist() == [FAIL] and not count_solutions(puzzle, limit=1)
    return "unsolvable" if failed else "unsolved"


@dataclass(frozen=True)
class Report:
    """Counts over many solutions.

    separation: the chance that the model holds an unsolved run for less probable than a solved one (the area under
    the ROC curve), None unless there are both.
    """

    puzzles: int
    solved: int
    unsolvable: int
    stops: dict[str, int]
    mean_steps: float
    mean_teacher_steps: float
    max_steps: int
    mean_work: float
    separation: float | None

    @classmethod
    def of(cls, solutions: Iterable[Solution], teacher_steps: Int[Tensor, "N"]) -> "Report":
        solutions = list(solutions)
        statuses = Counter(solution.status for solution in solutions)
        probability = torch.tensor([solution.run.log_probability for solution in solutions], dtype=torch.float64)
        times = torch.tensor([solution.run.time for solution in solutions], dtype=torch.float)
        return cls(
            puzzles=len(solutions),
            solved=statuses["solved"],
            unsolvable=statuses["unsolvable"],
            stops=dict(Counter(solution.run.stop for solution in solutions)),
            mean_steps=float(times.mean()),
            mean_teacher_steps=float(teacher_steps.float().mean()),
            max_steps=int(times.max()),
            mean_work=sum(solution.run.work for solution in solutions) / len(solutions),
            separation=_separation(probability, torch.tensor([s.status == "solved" for s in solutions])),
        )


def _separation(probability: Tensor, solved: Tensor) -> float | None:
    lower, upper = probability[~solved, None], probability[None, solved]
    above = (lower < upper).double() + 0.5 * (lower == upper)
    return float(above.mean()) if above.numel() else None
