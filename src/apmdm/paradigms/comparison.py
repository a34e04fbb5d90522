"""Comparison: which models are compared on which problems, and how each is trained."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, get_args

import torch

from apmdm.edits import Edits
from apmdm.model.ablated import Ablated, Operation
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import Objective
from apmdm.paradigms.form import Form, Verdict
from apmdm.paradigms.paradigm import Learner, Paradigm
from apmdm.policy import Greedy, Policy
from apmdm.recipe import Recipe
from apmdm.sampler import Predictor, Run
from apmdm.state import Sequence, State, trimmed
from apmdm.training.chunked import Chunked, seed_of
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab

CHUNK, SAMPLED = 1024, 16
"""Examples drawn together, of which the mean length is taken; batches whose tokens are counted."""


@dataclass(frozen=True)
class Entrant:
    """One model of a comparison, and how it answers problems.

    name: of its rows in the table. source: the recipe that trains it, or the name of shipped weights.
    start: the first state of a problem. verdict: judges a problem's final state.
    policy: makes a policy from a seed. model: makes what the sampler calls from the trained encoder.
    search: for each start the runs that a search finds instead of the sampler, the best first.
    """

    name: str
    source: Recipe | str
    start: Callable[[Any], Sequence]
    verdict: Callable[[Any, Sequence], Verdict]
    policy: Callable[[int], Policy] = lambda seed: Greedy()
    model: Callable[[Encoder], Predictor] = lambda encoder: encoder
    search: Callable[..., Iterable[list[Run]]] | None = None


@dataclass(frozen=True)
class Comparison:
    """problems: held-out problems by size, or by another property. entrants: the models.

    max_steps, max_length: where a run is cut off. batch_size: runs under way at once.
    """

    problems: dict[str, list[Any]]
    entrants: list[Entrant]
    max_steps: int
    max_length: int
    batch_size: int = 100


@dataclass(frozen=True)
class BaselineData:
    """What a baseline is trained on: which form, by which learner, and how many examples in a step."""

    form: str
    learner: str
    batch_size: int
    source: str = ""


@dataclass(frozen=True)
class Budget:
    """What all paradigms are trained with: tokens in all, examples in a step, and the seed."""

    tokens: int
    batch_size: int
    seed: int


@dataclass(frozen=True)
class Baseline:
    """A form as one learner sees it: the source of a recipe."""

    form: Form
    learner: Learner
    hints: Hints | None = None
    conditions: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.form.name} {self.learner.name}"

    @property
    def vocab(self) -> Vocab:
        return self.form.vocab

    @property
    def objective(self) -> Objective:
        return self.learner.objective

    def batches(self, recipe: Recipe) -> Batches:
        size = recipe.data.batch_size

        def random(number: int) -> torch.Generator:
            return torch.Generator().manual_seed(seed_of(recipe.seed, number))

        per_chunk = CHUNK // size

        def chunk(number: int) -> tuple[State, Edits]:
            return self.form.examples(per_chunk * size, random(number))

        def batch(chunk: tuple[State, Edits], number: int) -> Batch:
            state, answer = chunk
            place = number % per_chunk
            rows = slice(place * size, (place + 1) * size)
            state = trimmed(state[rows])
            answer = answer.map(lambda field: field[rows, : state.ids.shape[1]])
            return self.learner.prepare(state, answer, random(number))

        return Chunked(chunk, batch, per_chunk)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        return {}

    def initialise(self, model: Encoder) -> None:
        pass

    def described(self) -> dict[str, Any]:
        return {}


def within(tokens: int, recipe: Recipe, tokens_a_step: float | None = None) -> Recipe:
    """The recipe with as many steps as this number of training tokens allows."""
    if tokens_a_step is None:
        batches = recipe.batches()
        tokens_a_step = sum(int(batches(number).state.lengths.sum()) for number in range(SAMPLED)) / SAMPLED
    steps = max(1, round(tokens / tokens_a_step))
    return replace(recipe, training=replace(recipe.training, steps=steps, evaluate_every=steps))


def ablated(entrant: Entrant) -> list[Entrant]:
    """For each operation, the AP-MDM entrant without it."""
    return [
        replace(entrant, name=f"{entrant.name} without {operation}", model=partial(_ablated, entrant, operation))
        for operation in get_args(Operation)
    ]


def _ablated(entrant: Entrant, operation: Operation, encoder: Encoder) -> Ablated:
    return Ablated(entrant.model(encoder), operation)  # pyrefly: ignore[bad-argument-type]


def baselines(
    form: Form, paradigms: Iterable[Paradigm], shape: Shape, training: Settings, budget: Budget
) -> list[Entrant]:
    """The entrants of these paradigms. Those with the same learner share one training run."""
    paradigms = list(paradigms)
    recipes = {p.learner.name: _recipe(Baseline(form, p.learner), shape, training, budget) for p in paradigms}
    return [
        Entrant(
            f"{paradigm.name}, {form.name}",
            recipes[paradigm.learner.name],
            partial(paradigm.start, form),
            form.verdict,
            paradigm.policy,
            paradigm.model,
        )
        for paradigm in paradigms
    ]


def _recipe(source: Baseline, shape: Shape, training: Settings, budget: Budget) -> Recipe:
    form, learner = source.form, source.learner
    example, _ = form.examples(CHUNK, torch.Generator().manual_seed(budget.seed))
    shape = replace(shape, attention=learner.attention)
    data = BaselineData(form.name, learner.name, budget.batch_size, form.source)
    tokens_a_step = budget.batch_size * float(example.lengths.float().mean())
    return within(budget.tokens, Recipe(source, shape, training, data, budget.seed), tokens_a_step)
