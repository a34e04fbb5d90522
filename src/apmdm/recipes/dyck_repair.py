"""Repair of broken words, from states of runs on short ones; two layers see what the process looks at."""

from random import Random

import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.imitation import imitation_loss
from apmdm.policy import Stochastic
from apmdm.recipes.base import Recipe
from apmdm.recipes.dyck import Data
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.process import LANGUAGES
from apmdm.tasks.dyck.repair import REACH, VOCAB, process
from apmdm.tasks.dyck.repaired import open_states, repair
from apmdm.tasks.dyck.uniform import damaged, random_word
from apmdm.train.chunked import Chunked, seed_of
from apmdm.train.trainer import Settings

WORDS, PER_CHUNK, LONGEST, MOST_ERRORS = 400, 64, 30, 4
VALIDATION, LENGTH = 200, 100
MIX = [*LANGUAGES, *["k1", "k2"] * 3]
"""Languages that words are drawn from: with few letters neighbours cancel often, and rare windows come."""


def dyck_repair() -> Recipe:
    """Minutes on a CPU; one model for every language."""
    return Recipe(
        seed=0,
        shape=Shape(width=64, layers=2, heads=8, attention="window", span=REACH, rotary=True),
        training=Settings(steps=6000, evaluate_every=2000, warmup=100),
        vocab=VOCAB,
        batches=_batches,
        evaluate=_evaluate,
        objective=imitation_loss(process),
        data=Data(128),
    )


def broken_word(length: int, random: Random) -> str:
    language = random.choice(MIX)
    return damaged(random_word(language, length, random), random.randint(0, MOST_ERRORS), language, random)


def _batches(recipe: Recipe) -> Batches:
    def draw(number: int) -> list[Sequence]:
        random = Random(seed_of(recipe.seed, number))
        states = open_states([broken_word(2 * random.randint(1, LONGEST // 2), random) for _ in range(WORDS)])
        random.shuffle(states)
        return sorted(states, key=len)

    chunks = Chunked(draw, PER_CHUNK)

    def batch(number: int) -> Batch:
        random = torch.Generator().manual_seed(seed_of(recipe.seed, number))
        states, _ = chunks(number)
        first = int(torch.randint(len(states), (), generator=random))
        state = State.stack(states[first : first + recipe.data.batch_size])
        return Batch(state, Stochastic(generator=random)(process(state), state))

    return batch


def _evaluate(recipe: Recipe, model: Encoder) -> dict[str, float]:
    """The share of broken words, longer than any trained on, that become valid ones."""
    device, random = str(next(model.parameters()).device), Random(recipe.seed)
    words = [broken_word(LENGTH, random) for _ in range(VALIDATION)]
    return {"repaired": sum(fixed.valid for fixed in repair(model, words, device=device)) / VALIDATION}
