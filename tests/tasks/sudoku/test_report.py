"""The report over many solutions: what it counts, and how well the model's own probabilities tell failures."""

from itertools import product

import pytest
import torch

from apmdm.edits import Edits
from apmdm.sampler import Run
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.tasks.sudoku.data import teacher_steps, training_puzzles
from apmdm.tasks.sudoku.grid import NINE
from apmdm.tasks.sudoku.report import report
from apmdm.tasks.sudoku.task import Sudoku

PUZZLES = training_puzzles()[:2].tolist()


def solution(solved: bool, log_probability: float, time: int = 1, puzzle: int = 0) -> Solution:
    run = Run(
        0, Sequence(torch.zeros(83, dtype=torch.long)), time, 83, 83 * time, 83 * time, "fixed point", log_probability
    )
    return Solution(PUZZLES[puzzle], [], "solved" if solved else "unsolved", run)


@pytest.mark.parametrize("seed", range(5))
def test_separation_is_that_of_all_pairs(seed: int) -> None:
    draw = torch.Generator().manual_seed(seed)
    solved = (torch.rand(30, generator=draw) < 0.7).tolist()
    scores = (-torch.randint(9, (30,), generator=draw) / 4).tolist()
    pairs = [
        (low, high)
        for (failed, low), (right, high) in product(zip(solved, scores, strict=True), repeat=2)
        if right and not failed
    ]
    expected = sum((low < high) + 0.5 * (low == high) for low, high in pairs) / len(pairs)
    found = report(list(map(solution, solved, scores)), NINE)
    assert found["separation"] == pytest.approx(expected)
    assert found["solved"] == sum(solved)


def test_nothing_to_separate() -> None:
    found = report([solution(True, -1.0, 3), solution(True, -2.0, 5, puzzle=1)], NINE)
    assert found["separation"] is None
    assert (found["mean_steps"], found["max_steps"], found["mean_work"]) == (4, 5, 83 * 4)
    assert found["mean_teacher_steps"] == sum(teacher_steps(torch.tensor(PUZZLES)).tolist()) / 2
    assert found["leaked"] == 2


@pytest.mark.parametrize(("inserts", "stop"), [(True, "length budget"), (False, "fixed point")])
def test_a_model_that_changes_the_length_solves_nothing(inserts: bool, stop: str) -> None:
    """What has hardly been trained may insert and delete."""

    def untrained(state: State) -> Edits:
        bit = torch.full_like(state.masked, inserts)
        return Edits(torch.zeros_like(state.ids), torch.zeros_like(bit), bit, ~bit & state.masked)

    (solution,) = Sudoku().solve(untrained, [[0] * 81])
    assert (solution.status, solution.run.stop) == ("unsolved", stop)
