"""Parity from the traces of the strings of length at most 2, in blocks (exact at every length) and as in the paper."""

import copy
from collections.abc import Callable
from itertools import product

import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.supervised import accuracy
from apmdm.policy import Greedy
from apmdm.recipes.base import Recipe
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.parity import paper, process
from apmdm.tasks.parity.certify import certify
from apmdm.tasks.parity.process import BLOCK
from apmdm.train.trainer import Settings


def parity() -> Recipe:
    """1 layer of width 16 with attention in blocks of two; seconds on a CPU."""
    return Recipe(
        seed=0,
        shape=Shape(width=16, layers=1, heads=2, attention="block", span=BLOCK, absolute=BLOCK),
        training=Settings(steps=600, evaluate_every=200, warmup=20),
        vocab=process.VOCAB,
        batches=lambda recipe: _constant(_blocks_states()),
        evaluate=_evaluate_blocks,
    )


def parity_paper() -> Recipe:
    """The paper's form, for comparison: full attention, a begin token, seven transitions and their last states."""
    return Recipe(
        seed=0,
        shape=Shape(width=16, layers=2, heads=2, rotary=True),
        training=Settings(steps=1000, evaluate_every=500, warmup=20),
        vocab=paper.VOCAB,
        batches=lambda recipe: _constant(_paper_states()),
        evaluate=lambda recipe, model: _forced(model, _paper_states()),
    )


def _blocks_states() -> Batch:
    """Every state on the teacher's path from every string of one or two bits, the last one included."""
    strings = ["".join(bits) for length in (1, 2) for bits in product("01", repeat=length)]
    return _labelled(process.teacher, [process.encode(string) for string in strings])


def _paper_states() -> Batch:
    return _labelled(paper.teacher, [paper.encode(string) for string in ("00", "01", "10", "11")])


def _labelled(teacher: Callable[[State], Edits], starts: list[Sequence]) -> Batch:
    runs = rollouts(teacher, starts, record=True)
    visited = {tokens for run in runs for tokens in (*(s.tokens for s in run.steps), tuple(run.final.ids.tolist()))}
    states = State.stack([Sequence(torch.tensor(tokens)) for tokens in sorted(visited) if tokens])
    return Batch(states, teacher(states))


def _constant(batch: Batch) -> Batches:
    return lambda number: batch


def _forced(model: Encoder, batch: Batch) -> dict[str, float]:
    batch = batch.to(next(model.parameters()).device)
    with torch.no_grad():
        return accuracy(Greedy()(model(batch.state), batch.state), batch.state, batch.edits)


def _evaluate_blocks(recipe: Recipe, model: Encoder) -> dict[str, float]:
    blocks = certify(copy.deepcopy(model).cpu())
    return _forced(model, _blocks_states()) | {"certified blocks": sum(b.holds for b in blocks) / len(blocks)}
