"""Words drawn from a model; every one is verified."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat

import torch

from apmdm.policy import Stochastic
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.tasks.dyck.process import CUTOFF, decode, encode
from apmdm.tasks.dyck.verify import is_word


@dataclass(frozen=True)
class Word:
    """What one run wrote, None if it ended on something else than letters, and whether it is what was asked for."""

    text: str | None
    valid: bool
    run: Run


def draw(
    model: Predictor, language: str, length: int, num: int, seed: int, *, batch_size: int = 256, device: str = "cpu"
) -> Iterator[Word]:
    """Words of a language of exactly this length, as they are finished."""
    start = encode(language, length)
    policy = Stochastic(cutoff=CUTOFF, generator=torch.Generator(device).manual_seed(seed))
    runs = rollouts(
        model,
        repeat(start, num),
        policy,
        batch_size=batch_size,
        max_steps=1000 + 100 * length,
        max_length=1000 + 2 * length,
        device=device,
    )
    for run in runs:
        text = decode(run.final)
        yield Word(text, text is not None and len(text) == length and is_word(text), run)
