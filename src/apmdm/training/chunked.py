"""Chunked: training data drawn for many batches at once, of which the latest is kept. It knows no task."""

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

from apmdm.training.prefetcher import Prefetcher

Chunk = TypeVar("Chunk")


class Chunked(Generic[Chunk]):
    """Gives for the number of a batch the chunk that it is taken from, and its place among the chunk's batches.

    draw: the chunk of each number. per_chunk: batches that share a chunk. workers: processes that draw upcoming chunks,
    for which `draw` must be picklable. 0 draws them in this process.
    """

    def __init__(self, draw: Callable[[int], Chunk], per_chunk: int, workers: int = 0) -> None:
        self.per_chunk = per_chunk
        self.chunk = lru_cache(maxsize=1)(Prefetcher(draw, workers) if workers else draw)

    def __call__(self, number: int) -> tuple[Chunk, int]:
        chunk, place = divmod(number, self.per_chunk)
        return self.chunk(chunk), place


def seed_of(seed: int, number: int) -> int:
    """The seed of whatever is drawn for one number of a run with a seed."""
    return seed * 1_000_003 + number
