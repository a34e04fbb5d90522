"""Sudoku side by side: every paradigm learns from symmetry copies of the same 100 puzzles."""

from dataclasses import replace

import torch

from apmdm.baselines.paradigms import Paradigm, ao_mdm, arm, masked_arm, mdm
from apmdm.model.encoder import Shape
from apmdm.recipes.base import Recipe
from apmdm.recipes.comparison import Comparison, Entrant, ablated, baselines, within
from apmdm.recipes.sudoku import sudoku
from apmdm.state import Sequence
from apmdm.tasks.form import Form, Verdict
from apmdm.tasks.sudoku.data import generated
from apmdm.tasks.sudoku.forms import LONGEST, grid, texts, verdict
from apmdm.tasks.sudoku.grid import NINE, decode, encode, to_text
from apmdm.train.trainer import Settings

PUZZLES, PUZZLE_SEED, MAX_STEPS = 100, 1, 2000
TOKENS, BATCH_SIZE = 3_000_000, 32


def compare_sudoku(tokens: int = TOKENS, seed: int = 0) -> Comparison:
    """As a grid, as text in two orders, and as the teacher's trace; AP-MDM as trained here and as shipped."""
    own = sudoku()
    by_place = replace(own.shape, absolute=NINE.cells)
    by_token = Shape(own.shape.width, own.shape.layers, own.shape.heads)
    training = Settings(warmup=own.training.warmup, precision=own.training.precision)
    *in_text, canvas = texts()

    def entrants(form: Form, paradigms: list[Paradigm], shape: Shape) -> list[Entrant]:
        return baselines(form, paradigms, shape, training, (tokens, BATCH_SIZE, seed))

    text = replace(by_token, rotary=True)
    shipped = Entrant("AP-MDM, shipped", "sudoku", _start, _verdict)
    return Comparison(
        {"81 cells": [to_text(puzzle) for puzzle in generated(PUZZLES, PUZZLE_SEED).tolist()]},
        [
            *(entrant for form in in_text for entrant in entrants(form, [arm(form)], text)),
            *entrants(grid(), [masked_arm(), *mdm(4), *ao_mdm()], by_place),
            *entrants(canvas, mdm(4), text),
            Entrant("AP-MDM", _ap_mdm(own, tokens, seed), _start, _verdict),
            shipped,
            *ablated(shipped),
        ],
        MAX_STEPS,
        LONGEST,
    )


def _ap_mdm(own: Recipe, tokens: int, seed: int) -> Recipe:
    recipe = replace(own, seed=seed, data=replace(own.data, batch_size=BATCH_SIZE))
    return within(tokens, recipe, BATCH_SIZE * NINE.length)


def _start(puzzle: str) -> Sequence:
    return encode(torch.tensor([NINE.parse(puzzle)])).sequence(0)


def _verdict(puzzle: str, final: Sequence) -> Verdict:
    """A model that has not learned what a grid is may have deleted cells."""
    return verdict(puzzle, decode(final.ids[None])[0].tolist() if len(final) == NINE.length else [0] * NINE.cells)
