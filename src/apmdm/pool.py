"""Training batches from a teacher's runs.

The states of many runs are shuffled and then sorted by length, so that a batch has states of similar length.
"""

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from functools import reduce
from random import Random

import torch
from torch import Tensor
from torch.nn.functional import pad

from apmdm.edits import Edits
from apmdm.objective.batch import Batch, Batches
from apmdm.state import concatenate, trimmed
from apmdm.training.chunked import Chunked, seed_of

PER_CHUNK = 500
"""How many batches are drawn from one pool of states before the next pool is made."""


@dataclass(frozen=True)
class PoolData:
    """problems: how many runs make a pool of states. batch_size: how many states a training step learns from."""

    problems: int = 1000
    batch_size: int = 64

    def __post_init__(self) -> None:
        if min(self.problems, self.batch_size) < 1:
            raise ValueError("data.problems and data.batch_size are at least 1")


def pooled(seed: int, data: PoolData, paths: Callable[[Random], Iterable[Batch]]) -> Batches:
    """Training batches as a function of their number.

    paths: gives the states and edits of the runs on `data.problems` random problems.
    """

    def pool(number: int) -> list[Batch]:
        random = Random(seed_of(seed, number))
        whole = joined_batches(list(paths(random)))
        mixed = torch.randperm(len(whole.state), generator=torch.Generator().manual_seed(random.getrandbits(32)))
        order = mixed[whole.state.lengths[mixed].argsort(stable=True)]
        return [trimmed_batch(whole[rows]) for rows in order.split(data.batch_size)]

    def batch(batches: list[Batch], number: int) -> Batch:
        return batches[Random(seed_of(seed, number)).randrange(len(batches))]

    return Chunked(pool, batch, PER_CHUNK)


def joined_batches(batches: Seq[Batch]) -> Batch:
    """The rows of all of them, padded to the longest."""
    state = reduce(concatenate, (batch.state for batch in batches))
    width = state.ids.shape[1]

    def padded(field: Tensor) -> Tensor:
        return pad(field, (0, width - field.shape[1]))

    fields = zip(*(batch.edits.map(padded).tensors for batch in batches), strict=True)
    return Batch(state, Edits(*map(torch.cat, fields)))


def trimmed_batch(batch: Batch) -> Batch:
    """Without the columns in which every row is padding."""
    state = trimmed(batch.state)
    return Batch(state, batch.edits.map(lambda field: field[:, : state.ids.shape[1]]))
