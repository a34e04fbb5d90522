"""Chunked: training batches cut from data that is drawn for many of them at once. It knows no task."""

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

from apmdm.objective.batch import Batch

Chunk = TypeVar("Chunk")


class Chunked(Generic[Chunk]):
    """Training batches as a function of their number, which keeps the latest chunk.

    draw: the chunk of each number. cut: a batch, from its chunk and its number. per_chunk: batches that share a chunk.
    """

    def __init__(self, draw: Callable[[int], Chunk], cut: Callable[[Chunk, int], Batch], per_chunk: int) -> None:
        self.chunk, self.cut, self.per_chunk = lru_cache(maxsize=1)(draw), cut, per_chunk

    def __call__(self, number: int) -> Batch:
        return self.cut(self.chunk(number // self.per_chunk), number)


def seed_of(seed: int, number: int) -> int:
    """The seed of whatever is drawn for one number of a run with a seed."""
    return seed * 1_000_003 + number
