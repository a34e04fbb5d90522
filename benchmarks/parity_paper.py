"""How far the paper's form of parity generalises: full attention, a begin token, trained on seven transitions.

Up to FREE_RUNNING bits the model runs to its own end. Beyond, a run takes O(n) steps of O(n^2) attention, so it is
followed for the first pair of bits only, two steps, which every run must get right.
"""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import torch

from apmdm.model.encoder import Encoder
from apmdm.registry import find
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.tasks.parity.process import parity_of
from apmdm.tasks.parity_paper import process
from apmdm.training.trainer import train

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 1000, 10_000)
FREE_RUNNING = 128
PAIR_STEPS = 2


def right(model: Encoder, length: int, random: Random) -> float:
    """Share of random strings with the right parity, or with the right first two steps if they are long."""
    strings = [f"{random.getrandbits(length):0{length}b}" for _ in range(100 if length <= FREE_RUNNING else 5)]
    starts = [process.encode(string) for string in strings]
    if length <= FREE_RUNNING:
        runs = rollouts(model, starts, max_steps=2 * length + 10)
        return sum(process.decode(run.final) == parity_of(strings[run.index]) for run in runs) / len(strings)
    ends = [{run.index: run.final.ids for run in _pair(one, starts)} for one in (model, process.teacher)]
    return sum(torch.equal(ends[0][row], ends[1][row]) for row in range(len(strings))) / len(strings)


def _pair(predictor: Predictor, starts: list[Sequence]) -> Iterator[Run]:
    return rollouts(predictor, starts, batch_size=1, max_steps=PAIR_STEPS)


def main() -> None:
    recipe = find("parity-paper").recipe()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(
            recipe.new_model(),
            recipe.batches(),
            lambda model: recipe.source.validate(recipe, model),
            recipe.training,
            Path(folder),
        )
    random = Random(1)
    with torch.inference_mode():
        shares = {length: right(outcome.model, length, random) for length in LENGTHS}
    print(json.dumps({"benchmark": "parity_paper", "training": outcome.evaluation, "right": shares}))


if __name__ == "__main__":
    main()
