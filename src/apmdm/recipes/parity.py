"""Parity from the traces of the strings of length at most 2: exact at every length."""

from itertools import product

import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.supervised import accuracy
from apmdm.policy import Greedy
from apmdm.recipes.base import Recipe
from apmdm.sampler import generate
from apmdm.state import Sequence, State
from apmdm.tasks.parity.certify import certify
from apmdm.tasks.parity.process import BLOCK, VOCAB, encode, teacher
from apmdm.train.trainer import Batches, Settings


def parity() -> Recipe:
    """1 layer of width 16 with attention in blocks of two; seconds on a CPU."""
    return Recipe(
        task="parity",
        seed=0,
        shape=Shape(width=16, layers=1, heads=2, attention="block", span=BLOCK, absolute=BLOCK),
        training=Settings(steps=600, evaluate_every=200, warmup=20),
        vocab=VOCAB,
        batches=_batches,
        evaluate=_evaluate,
    )


def training_states() -> State:
    """Every state on the teacher's path from every string of one or two bits, the last one included."""
    strings = ["".join(bits) for length in (1, 2) for bits in product("01", repeat=length)]
    runs = generate(teacher, map(encode, strings), record=True)
    visited = {state for run in runs for state in (*(s.tokens for s in run.steps), tuple(run.final.ids.tolist()))}
    return State.stack([Sequence(torch.tensor(tokens)) for tokens in sorted(visited) if tokens])


def _batches(recipe: Recipe) -> Batches:
    states = training_states()
    edits = teacher(states)
    return lambda number: (states, edits)


def _evaluate(recipe: Recipe, model: Encoder) -> dict[str, float]:
    states = training_states().to(next(model.parameters()).device)
    forced = accuracy(Greedy()(model(states), states), states, teacher(states))
    return forced | {"certified blocks": sum(block.holds for block in certify(model.cpu())) / len(certify(model.cpu()))}
