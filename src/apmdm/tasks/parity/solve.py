"""Strings answered by a model, those of equal length at once."""

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import replace
from itertools import groupby

from apmdm.sampler import Predictor, Run, rollouts
from apmdm.tasks.parity.process import encode

POSITIONS_AT_ONCE = 2**20


def solve(model: Predictor, strings: Seq[str], *, device: str = "cpu") -> Iterator[Run]:
    """Runs as they end; `run.index` tells which string it was. Raises ValueError for what is not bits."""

    def length(index: int) -> int:
        return len(strings[index])

    for common, group in groupby(sorted(range(len(strings)), key=length), length):
        indices = list(group)
        rows = max(1, min(len(indices), POSITIONS_AT_ONCE // max(1, common)))
        for run in rollouts(model, (encode(strings[index]) for index in indices), batch_size=rows, device=device):
            yield replace(run, index=indices[run.index])
