"""Comparison: which paradigms meet on which problems, and how each is trained; a task plugs in by one function."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import get_args

import torch

from apmdm.baselines.paradigms import Learner, Paradigm
from apmdm.model.ablated import Ablated, Operation
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.policy import Greedy, Policy
from apmdm.recipes.base import Recipe
from apmdm.sampler import Predictor
from apmdm.state import Sequence, trimmed
from apmdm.tasks.form import Form, Verdict
from apmdm.train.chunked import Chunked, seed_of
from apmdm.train.trainer import Settings

CHUNK = 1024
"""Examples drawn together; of so many the mean length is taken."""


@dataclass(frozen=True)
class Entrant:
    """One row of the table: a model, trained by a recipe or shipped under a name, and how it answers problems.

    policy: a new one from a seed, so that a random one begins anew. model: what decodes, made of the trained encoder.
    """

    name: str
    source: Recipe | str
    start: Callable[[str], Sequence]
    verdict: Callable[[str, Sequence], Verdict]
    policy: Callable[[int], Policy] = lambda seed: Greedy()
    model: Callable[[Encoder], Predictor] = lambda encoder: encoder


@dataclass(frozen=True)
class Comparison:
    """problems: held-out ones by size, or by whatever tells them apart; runs end at max_steps and max_length."""

    problems: dict[str, list[str]]
    entrants: list[Entrant]
    max_steps: int
    max_length: int
    batch_size: int = 100


@dataclass(frozen=True)
class Data:
    """What a baseline is trained on: a learner's view of a form, so many examples a step."""

    form: str
    learner: str
    batch_size: int
    source: str = ""


def within(tokens: int, recipe: Recipe, tokens_a_step: float) -> Recipe:
    """The recipe with as many steps as the training tokens allow; it is measured by the comparison alone."""
    steps = max(1, round(tokens / tokens_a_step))
    training = replace(recipe.training, steps=steps, evaluate_every=steps)
    return replace(recipe, training=training, evaluate=lambda recipe, model: {})


def ablated(entrant: Entrant) -> list[Entrant]:
    """An entrant of AP-MDM with each of its operations switched off."""
    return [
        replace(
            entrant,
            name=f"{entrant.name} without {operation}",
            model=lambda encoder, operation=operation: Ablated(encoder, operation),
        )
        for operation in get_args(Operation)
    ]


def baselines(
    form: Form, paradigms: Iterable[Paradigm], shape: Shape, training: Settings, data: tuple[int, int, int]
) -> list[Entrant]:
    """data: training tokens, examples a step, seed. Paradigms that share a learner share its training run."""
    paradigms = list(paradigms)
    recipes = {p.learner.name: _recipe(form, p.learner, shape, training, data) for p in paradigms}
    return [
        Entrant(
            f"{paradigm.name}, {form.name}",
            recipes[paradigm.learner.name],
            lambda problem, paradigm=paradigm: paradigm.start(form, problem),
            form.verdict,
            paradigm.policy,
            paradigm.model,
        )
        for paradigm in paradigms
    ]


def _recipe(form: Form, learner: Learner, shape: Shape, training: Settings, data: tuple[int, int, int]) -> Recipe:
    tokens, batch_size, seed = data
    example, _ = form.examples(CHUNK, torch.Generator().manual_seed(seed))
    recipe = Recipe(
        seed=seed,
        shape=replace(shape, attention=learner.attention),
        training=training,
        vocab=form.vocab,
        batches=lambda recipe: _batches(recipe, form, learner),
        evaluate=lambda recipe, model: {},
        data=Data(form.name, learner.name, batch_size, form.source),
        objective=learner.objective,
    )
    return within(tokens, recipe, batch_size * float(example.lengths.float().mean()))


def _batches(recipe: Recipe, form: Form, learner: Learner) -> Batches:
    size = recipe.data.batch_size

    def random(number: int) -> torch.Generator:
        return torch.Generator().manual_seed(seed_of(recipe.seed, number))

    chunks = Chunked(lambda number: form.examples(CHUNK // size * size, random(number)), CHUNK // size)

    def batch(number: int) -> Batch:
        (state, answer), place = chunks(number)
        rows = slice(place * size, (place + 1) * size)
        state = trimmed(state[rows])
        return learner.prepare(state, answer[rows].map(lambda field: field[:, : state.ids.shape[1]]), random(number))

    return batch
