"""A chunk is drawn once for all the batches it is for."""

from functools import partial

import pytest
import torch

from apmdm.training.chunked import Chunked, seed_of


def test_every_batch_has_its_place_in_its_chunk() -> None:
    drawn = []

    def draw(number: int) -> str:
        drawn.append(number)
        return f"chunk {number}"

    chunks = Chunked(draw, 3)
    found = [chunks(number) for number in (0, 1, 2, 3, 4, 0)]
    assert found == [("chunk 0", 0), ("chunk 0", 1), ("chunk 0", 2), ("chunk 1", 0), ("chunk 1", 1), ("chunk 0", 0)]
    assert drawn == [0, 1, 0]


@pytest.mark.parametrize("workers", [0, 1])
def test_other_processes_draw_the_same(workers: int) -> None:
    chunks = Chunked(partial(torch.full, (2,)), 4, workers)
    assert [(chunk.tolist(), place) for chunk, place in map(chunks, (3, 4, 9))] == [
        ([0, 0], 3),
        ([1, 1], 0),
        ([2, 2], 1),
    ]


def test_seeds_differ_between_runs_and_numbers() -> None:
    assert len({seed_of(seed, number) for seed in range(20) for number in range(50)}) == 1000
