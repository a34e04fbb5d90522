"""Broken words repaired by a model; every one is verified."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import torch

from apmdm.model.skipping import Skipping
from apmdm.policy import GreedyOrBestSingle
from apmdm.prediction import Prediction
from apmdm.sampler import Run, rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.repair import CUTOFF, DONE_ID, decode, encode, process
from apmdm.tasks.dyck.verify import is_word


@dataclass(frozen=True)
class Repaired:
    """What one run made of a broken word, None if something is not matched, and whether it is a word."""

    text: str | None
    valid: bool
    run: Run


def repair(
    model: Callable[[State], Prediction],
    words: Iterable[str],
    *,
    batch_size: int = 256,
    device: str = "cpu",
    record: bool = False,
) -> Iterator[Repaired]:
    """Words as they are finished; `run.index` tells which one it was. Raises ValueError for what is no word at all."""
    seeing_open, starts = Skipping(model, DONE_ID), map(encode, words)
    for run in rollouts(
        seeing_open, starts, GreedyOrBestSingle(CUTOFF), batch_size=batch_size, device=device, record=record
    ):
        text = decode(run.final)
        yield Repaired(text, text is not None and is_word(text), run)


def open_states(words: Iterable[str]) -> list[Sequence]:
    """What is open in every state of the process's runs, their ends included, each once."""
    done = set(DONE_ID.tolist())
    found = dict[tuple[int, ...], None]()
    for fixed in repair(process, words, record=True):
        for tokens in (*(step.tokens for step in fixed.run.steps), fixed.run.final.ids.tolist()):
            found[tuple(token for token in tokens if token not in done)] = None
    return [Sequence(torch.tensor(tokens)) for tokens in found]
