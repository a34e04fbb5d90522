"""Values come from other processes as they would from the function, and a dead process ends the wait."""

import itertools
import os
from functools import partial
from multiprocessing import active_children

import pytest
import torch

from apmdm.training.prefetcher import Prefetcher
from support import stack


def test_values_are_those_of_the_function_in_order_and_after_jumps() -> None:
    def function(number: int) -> tuple[torch.Tensor, ...]:
        return torch.arange(24).split(number)

    prefetched = Prefetcher(function, 2)
    for number in (1, 2, 3, 9, 10, 2):
        assert [part.tolist() for part in prefetched(number)] == [part.tolist() for part in function(number)]
    with pytest.raises(RuntimeError, match="split"):
        prefetched(0)
    assert len(prefetched(5)) == 5


def test_values_may_be_anything_that_holds_tensors() -> None:
    first, second = Prefetcher(partial(itertools.repeat, stack((2, 3), (2,))), 1)(2)
    assert first.ids.tolist() == second.ids.tolist() == [[2, 3], [2, 0]]


def test_numbers_of_a_block_and_functions_that_cannot_be_sent() -> None:
    prefetched = Prefetcher(lambda number: number * number, 2, block=3)
    assert [prefetched(number) for number in range(1, 9)] == [number * number for number in range(1, 9)]


def test_a_worker_that_dies_at_work_ends_the_wait() -> None:
    with pytest.raises(ChildProcessError, match="has died"):
        Prefetcher(os._exit, 1)(3)


def test_a_worker_that_dies_between_values_ends_the_wait() -> None:
    before = active_children()
    prefetched = Prefetcher(partial(torch.zeros, 100_000), 1)
    assert prefetched(1).shape == (100_000, 1)
    for worker in set(active_children()) - set(before):
        worker.kill()
        worker.join()
    with pytest.raises(ChildProcessError, match="was killed by SIGKILL"):
        list(map(prefetched, range(2, 5)))
