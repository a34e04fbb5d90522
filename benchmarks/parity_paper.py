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
from apmdm.recipes import RECIPES
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.tasks.parity import paper
from apmdm.training.trainer import train

LENGTHS = (1, 2, 3, 4, 6, 8, 12, 16, 32, 64, 128, 1000, 10_000)
FREE_RUNNING = 128
PAIR_STEPS = 2


def right(model: Encoder, length: int, random: Random) -> float:
    """Share of random strings with the right parity, or with the right first two steps if they are long."""
    strings = [f"{random.getrandbits(length):0{length}b}" for _ in range(100 if length <= FREE_RUNNING else 5)]
    starts = [paper.encode(string) for string in strings]
    if length <= FREE_RUNNING:
        runs = rollouts(model, starts, max_steps=2 * length + 10)
        return sum(paper.decode(run.final) == strings[run.index].count("1") % 2 for run in runs) / len(strings)
    ends = [{run.index: run.final.ids for run in _pair(process, starts)} for process in (model, paper.teacher)]
    return sum(torch.equal(ends[0][row], ends[1][row]) for row in range(len(strings))) / len(strings)


def _pair(process: Predictor, starts: list[Sequence]) -> Iterator[Run]:
    return rollouts(process, starts, batch_size=1, max_steps=PAIR_STEPS)


def main() -> None:
    recipe = RECIPES["parity-paper"]()
    with tempfile.TemporaryDirectory() as folder:
        outcome = train(
            recipe.new_model(),
            recipe.batches(recipe),
            lambda model: recipe.evaluate(recipe, model),
            recipe.training,
            Path(folder),
        )
    random = Random(1)
    with torch.inference_mode():
        shares = {length: right(outcome.model, length, random) for length in LENGTHS}
    print(json.dumps({"benchmark": "parity_paper", "training": outcome.evaluation, "right": shares}))


if __name__ == "__main__":
    main()
