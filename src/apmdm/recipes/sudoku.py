"""Sudoku from 100 puzzles: one small encoder that executes the teacher's search."""

import os
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Literal

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.edits import edits_between
from apmdm.model.attention import BEFORE, Relations
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import DEFAULT_WEIGHTS, LossWeights, accuracy, supervised_loss
from apmdm.policy import Greedy
from apmdm.recipes.base import Recipe
from apmdm.tasks.sudoku.data import (
    EASY,
    HARD,
    LARGE,
    MIXED,
    PLAIN,
    ROUGH,
    Step,
    answers_of,
    drawn_states,
    generated,
    path,
    teacher_steps,
    training_puzzles,
)
from apmdm.tasks.sudoku.grid import BOARDS, NINE, SIXTEEN, Board, as_state
from apmdm.tasks.sudoku.hints import detailed_hints, hints, num_conclusions, num_detailed_hints, num_hints
from apmdm.tasks.sudoku.process import next_ids, teacher
from apmdm.tasks.sudoku.solve import Report, solve
from apmdm.train.chunked import Chunked, seed_of
from apmdm.train.trainer import Settings

CHUNK = 2**16
VALIDATION_SEED = 7
LOSS_WEIGHTS = {SIXTEEN: LossWeights(31, 400)}
"""16x16 averages over more positions and hints, 258 and 276 instead of 83 and 40, so both weigh more."""


@dataclass(frozen=True)
class Data:
    """batch_size: states a step learns from; plain and mixed: chunks of CHUNK states of PLAIN's and of MIXED's kinds,
    before those with HARD's (16x16: ROUGH's, then LARGE's); validation: freshly generated puzzles that periodic
    evaluation solves; workers: processes that draw chunks ahead, for a GPU that would wait for them.
    """

    batch_size: int = 64
    plain: int = 6
    mixed: int = 1000
    validation: int = 300
    workers: int = 0

    def __post_init__(self) -> None:
        if min(self.batch_size, self.validation) < 1 or self.batch_size > CHUNK:
            raise ValueError(f"data.batch_size is 1 to {CHUNK}, data.validation at least 1")
        if min(self.plain, self.mixed) < 0:
            raise ValueError("data.plain and data.mixed are not negative")
        if not 0 <= self.workers <= (os.cpu_count() or 1):
            raise ValueError(f"data.workers is 0 to {os.cpu_count()}, the CPUs here, not {self.workers}")


@dataclass(frozen=True)
class Apart(Recipe):
    """All heads but those of the first layer, which finds candidates, start along their own unit only."""

    def new_model(self) -> Encoder:
        model = super().new_model()
        for module in model.layers[1:].modules():
            if isinstance(module, Relations):
                module.start_apart()
        return model


def sudoku(
    preset: Literal["laptop", "full", "refine"] = "laptop", board: Literal["4x4", "9x9", "16x16"] = "9x9"
) -> Recipe:
    """262k parameters on 9x9. laptop: within an hour on a CPU; full: twice the steps. 16x16 takes a sixth layer,
    lower rates, smaller batches, hints in detail, heads that start apart and scrambled grids first (docs/log.md).

    refine goes on from trained weights: every step looks at eight batches (16x16: four) and learns from their least
    probable eighth (quarter).
    """
    size = BOARDS[board]
    training = Settings(steps=12_000, evaluate_every=4000, warmup=200, precision="auto")
    data, looked_up = Data(), Hints(num_hints(size), hints)
    if size is SIXTEEN:
        looked_up = Hints(num_detailed_hints(size), detailed_hints, num_conclusions(size))
        training = replace(training, steps=12_000, matrix_rate=0.01, other_rate=0.005)
        data = Data(batch_size=16, plain=1, validation=60)
    if preset == "full":
        training = replace(training, steps=2 * training.steps)
    if preset == "refine":
        training = replace(training, steps=3000, evaluate_every=1500, focus=8, matrix_rate=0.004, other_rate=0.002)
        if size is SIXTEEN:
            training = replace(training, steps=5500, focus=4, matrix_rate=0.006, other_rate=0.003)
        data = replace(data, plain=0, mixed=0)
    return (Apart if size is SIXTEEN else Recipe)(
        seed=0,
        shape=Shape(
            width={"4x4": 32, "9x9": 64, "16x16": 120}[board],
            layers=6 if size is SIXTEEN else 5,
            heads=4,
            relations=((0, 0), (1, 1), (2, 2), BEFORE),
            absolute=size.length,
        ),
        training=training,
        vocab=size.vocab,
        batches=partial(batches, board=size),
        evaluate=partial(_evaluate, board=size),
        hints=looked_up,
        objective=partial(supervised_loss, weights=LOSS_WEIGHTS.get(size, DEFAULT_WEIGHTS)),
        data=data,
    )


def batches(recipe: Recipe, step: Step = next_ids, symmetric: bool = True, board: Board = NINE) -> Batches:
    """States and edits of the process `step`, drawn as drawn_states does, chunk by chunk."""
    size = recipe.data.batch_size * recipe.training.focus
    draw = partial(_chunk, seed=recipe.seed, data=recipe.data, step=step, symmetric=symmetric, board=board.name)
    chunks = Chunked(draw, CHUNK // size, recipe.data.workers)

    def batch(number: int) -> Batch:
        chunk, place = chunks(number)
        state, following = (as_state(part[place * size :][:size]) for part in chunk)
        return Batch(state, edits_between(state, following))

    return batch


def _chunk(
    number: int, seed: int, data: Data, step: Step, symmetric: bool, board: str
) -> tuple[Int[Tensor, "num length"], Int[Tensor, "num length"]]:
    """States and what becomes of them."""
    random = torch.Generator().manual_seed(seed_of(seed, number))
    shares = PLAIN if number < data.plain else MIXED if number < data.plain + data.mixed else HARD
    shares = {"4x4": EASY, "16x16": ROUGH if number < data.plain else LARGE}.get(board, shares)
    ids = drawn_states(CHUNK, random, *_puzzles_and_answers(board), shares, step, symmetric)
    return ids, step(ids)


@lru_cache
def _puzzles_and_answers(board: str) -> tuple[Int[Tensor, "N cells"], Int[Tensor, "N cells"]]:
    puzzles = training_puzzles(BOARDS[board])
    return puzzles, answers_of(puzzles)


def _evaluate(recipe: Recipe, model: Encoder, board: Board) -> dict[str, float]:
    """Teacher-forced accuracy on the teacher's states, and free-running rollouts, on puzzles never trained on."""
    puzzles = generated(recipe.data.validation, VALIDATION_SEED, board)
    device = next(model.parameters()).device
    random = torch.Generator().manual_seed(VALIDATION_SEED)
    states = path(puzzles, random)
    state = as_state(states[torch.randperm(len(states), generator=random)[:4096]]).to(device)
    with torch.no_grad():
        forced = accuracy(Greedy()(model(state), state), state, teacher(state))
    report = Report.of(list(solve(model, puzzles, board, max_steps=500, device=str(device))), teacher_steps(puzzles))
    return forced | {"solved": report.solved / report.puzzles, "steps": report.mean_steps}
