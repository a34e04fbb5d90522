"""A chunk is drawn once for all the batches it is for."""

import torch

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.training.chunked import Chunked, seed_of
from support import stack


def test_a_chunk_is_drawn_once_for_its_batches() -> None:
    drawn = []

    def draw(number: int) -> int:
        drawn.append(number)
        return number

    def cut(chunk: int, number: int) -> Batch:
        return Batch(
            stack((2,) * (1 + chunk), (3,) * (1 + number)), Edits.of(torch.zeros(2, max(chunk, number) + 1).long())
        )

    batches = Chunked(draw, cut, 3)
    found = [batches(number).state.lengths.tolist() for number in (0, 1, 2, 3, 4, 0)]
    assert found == [[1, 1], [1, 2], [1, 3], [2, 4], [2, 5], [1, 1]]
    assert drawn == [0, 1, 0]


def test_seeds_differ_between_runs_and_numbers() -> None:
    assert len({seed_of(seed, number) for seed in range(20) for number in range(50)}) == 1000
