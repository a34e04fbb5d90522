"""Training batches from a teacher's runs.

The states of many runs are shuffled and then sorted by length, so that a batch has states of similar length.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.objective.batch import Batch, Batches
from apmdm.state import Sequence, State
from apmdm.training.chunked import Chunked, seed_of

PER_CHUNK = 500
"""How many batches are drawn from one pool of states before the next pool is made."""


@dataclass(frozen=True)
class Data:
    """problems: how many runs make a pool of states. batch_size: how many states a training step learns from."""

    problems: int = 1000
    batch_size: int = 64

    def __post_init__(self) -> None:
        if min(self.problems, self.batch_size) < 1:
            raise ValueError("data.problems and data.batch_size are at least 1")


def pooled(seed: int, data: Data, paths: Callable[[Random], Iterable[Batch]]) -> Batches:
    """Training batches as a function of their number.

    paths: gives the states and edits of the runs on `data.problems` random problems.
    """

    def pool(number: int) -> list[Batch]:
        random = Random(seed_of(seed, number))
        rows = [row for batch in paths(random) for row in _rows(batch)]
        random.shuffle(rows)
        rows.sort(key=lambda row: len(row[0]))
        return [_stacked(rows[first : first + data.batch_size]) for first in range(0, len(rows), data.batch_size)]

    chunks = Chunked(pool, PER_CHUNK)

    def batch(number: int) -> Batch:
        batches, _ = chunks(number)
        return batches[Random(seed_of(seed, number)).randrange(len(batches))]

    return batch


def _rows(batch: Batch) -> Iterator[tuple[Sequence, Edits]]:
    for row, length in enumerate(batch.state.lengths.tolist()):
        yield batch.state.sequence(row), batch.edits.map(lambda field, row=row, length=length: field[row, :length])


def _stacked(rows: list[tuple[Sequence, Edits]]) -> Batch:
    sequences, edits = zip(*rows, strict=True)
    pad = torch.nn.utils.rnn.pad_sequence
    fields = ([getattr(row, name) for row in edits] for name in ("content", "remask", "insert", "delete"))
    return Batch(State.stack(sequences), Edits(*(pad(field, batch_first=True) for field in fields)))
