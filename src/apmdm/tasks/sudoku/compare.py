"""Sudoku side by side: every paradigm learns from symmetry copies of the same 100 puzzles."""

from dataclasses import replace

import torch

from apmdm.model.encoder import Shape
from apmdm.paradigms.comparison import Budget, Comparison, Entrant, ablated, baselines, within
from apmdm.paradigms.form import Form, Verdict
from apmdm.paradigms.paradigm import Paradigm, ao_mdm, arm, masked_arm, mdm
from apmdm.state import Sequence
from apmdm.task import Task
from apmdm.tasks.sudoku.data import generated
from apmdm.tasks.sudoku.forms import LONGEST, grid_form, texts, verdict
from apmdm.tasks.sudoku.grid import NINE, decode, encode, to_text
from apmdm.training.trainer import Settings

PUZZLES, PUZZLE_SEED, MAX_STEPS = 100, 1, 2000
TOKENS, BATCH_SIZE = 3_000_000, 32


def compare_sudoku(task: Task, tokens: int | None, seed: int) -> Comparison:
    """As a grid, as text in two orders, and as the teacher's trace; AP-MDM as trained here and as shipped."""
    own, budget = task.recipe(), Budget(tokens or TOKENS, BATCH_SIZE, seed)
    by_place = replace(own.shape, absolute=NINE.cells)
    by_token = Shape(own.shape.width, own.shape.layers, own.shape.heads)
    training = Settings(warmup=own.training.warmup, precision=own.training.precision)
    *in_text, canvas = texts()

    def entrants(form: Form, paradigms: list[Paradigm], shape: Shape) -> list[Entrant]:
        return baselines(form, paradigms, shape, training, budget)

    text = replace(by_token, rotary=True)
    recipe = replace(own, seed=seed, data=replace(own.data, batch_size=BATCH_SIZE))
    trained = Entrant("AP-MDM", within(budget.tokens, recipe, BATCH_SIZE * NINE.length), _start, _verdict)
    shipped = replace(trained, name="AP-MDM, shipped", source="sudoku")
    return Comparison(
        {"81 cells": [to_text(puzzle) for puzzle in generated(PUZZLES, PUZZLE_SEED).tolist()]},
        [
            *(entrant for form in in_text for entrant in entrants(form, [arm(form)], text)),
            *entrants(grid_form(), [masked_arm(), *mdm(4), *ao_mdm()], by_place),
            *entrants(canvas, mdm(4), text),
            trained,
            shipped,
            *ablated(shipped),
        ],
        MAX_STEPS,
        LONGEST,
    )


def _start(puzzle: str) -> Sequence:
    return encode(torch.tensor([NINE.parse(puzzle)])).sequence(0)


def _verdict(puzzle: str, final: Sequence) -> Verdict:
    """A model that has not learned what a grid is may have deleted cells."""
    return verdict(puzzle, decode(final.ids[None])[0].tolist() if len(final) == NINE.length else [0] * NINE.cells)
