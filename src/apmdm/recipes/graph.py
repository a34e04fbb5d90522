"""Minimum cuts, learned on graphs of at most 10 nodes: one small encoder without any absolute position."""

from dataclasses import dataclass
from functools import lru_cache
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.supervised import accuracy
from apmdm.policy import Greedy
from apmdm.recipes.base import Recipe
from apmdm.state import Sequence, State
from apmdm.tasks.graph.data import training_states
from apmdm.tasks.graph.process import NUM_HINTS, VOCAB, hints, teacher
from apmdm.train.trainer import Batches, Hints, Settings

PROBLEMS, PER_CHUNK = 2000, 512
"""Graphs whose states are drawn from, and batches that are drawn, before the next graphs."""


@dataclass(frozen=True)
class Data:
    """pairs: positions that attend to each other in a batch; states of nearly equal length share one, so that dense
    graphs take no more memory than sparse ones.
    """

    pairs: int = 150_000

    def __post_init__(self) -> None:
        if self.pairs < 1:
            raise ValueError("data.pairs is at least 1")


def graph() -> Recipe:
    return Recipe(
        task="graph",
        seed=0,
        shape=Shape(width=64, layers=4, heads=8, relations=((0, 0), (1, 1), (0, 1), (1, 0)), ordered=True),
        training=Settings(steps=12_000, evaluate_every=2000, warmup=200, precision="bf16"),
        vocab=VOCAB,
        batches=_batches,
        evaluate=_evaluate,
        hints=Hints(NUM_HINTS, hints),
        data=Data(),
    )


def _batches(recipe: Recipe) -> Batches:
    @lru_cache(maxsize=1)
    def chunk(number: int) -> list[Sequence]:
        seed = recipe.seed * 1_000_003 + number
        states = training_states(PROBLEMS, seed)
        Random(seed).shuffle(states)
        return sorted(states, key=len)

    def batch(number: int) -> tuple[State, Edits]:
        states = chunk(number // PER_CHUNK)
        random = Random(number)
        first = max(random.randrange(len(states)), random.randrange(len(states)))
        rows = max(1, recipe.data.pairs // len(states[first]) ** 2)
        state = State.stack(states[first : first + min(rows, 128)])
        return state, teacher(state)

    return batch


def _evaluate(recipe: Recipe, model: Encoder) -> dict[str, float]:
    return {}
