"""Parity side by side: the others learn from strings of up to 20 bits, AP-MDM from those of one and two."""

from dataclasses import replace
from random import Random

import torch

from apmdm.baselines.paradigms import Paradigm, ao_mdm, arm, masked_arm, mdm
from apmdm.model.encoder import Shape
from apmdm.recipes.base import Recipe
from apmdm.recipes.comparison import Comparison, Entrant, ablated, baselines, within
from apmdm.recipes.parity import parity
from apmdm.state import Sequence
from apmdm.tasks.form import Form, Verdict
from apmdm.tasks.parity.forms import forms
from apmdm.tasks.parity.process import BLOCK, decode, encode
from apmdm.train.trainer import Settings

LENGTHS, STRINGS, PROBLEM_SEED = (2, 5, 10, 20, 30, 40, 60, 100, 200), 50, 1
TOKENS, BATCH_SIZE, TILED = 2_500_000, 64, 512
SHAPE = Shape(width=32, layers=2, heads=2)
TRAINING = Settings(warmup=100, checkpoint_every=1000)


def compare_parity(tokens: int = TOKENS, seed: int = 0) -> Comparison:
    """Five paradigms without and with scratch, and AP-MDM with each operation switched off."""
    data = (tokens, BATCH_SIZE, seed)
    shape = Shape(SHAPE.width, SHAPE.layers, SHAPE.heads, rotary=True)
    entrants = [entrant for form in forms() for entrant in baselines(form, _paradigms(form), shape, TRAINING, data)]
    own = Entrant("AP-MDM", _ap_mdm(tokens, seed), encode, _verdict)
    random = Random(PROBLEM_SEED)
    problems = {str(length): [f"{random.getrandbits(length):0{length}b}" for _ in range(STRINGS)] for length in LENGTHS}
    longest = 2 * LENGTHS[-1] + 2
    return Comparison(problems, [*entrants, own, *ablated(own)], max_steps=longest, max_length=longest, batch_size=16)


def _paradigms(form: Form) -> list[Paradigm]:
    return [arm(form), masked_arm(), *mdm(4), *ao_mdm()]


def _ap_mdm(tokens: int, seed: int) -> Recipe:
    """The shipped recipe at the others' size, on as many tokens: the blocks of at most two bits again and again."""
    own = parity()
    blocks = own.batches(own)(0)
    batch = blocks[torch.arange(TILED) % len(blocks.state)]
    shape = replace(SHAPE, attention="block", span=BLOCK, absolute=BLOCK)
    recipe = replace(own, seed=seed, shape=shape, training=TRAINING, batches=lambda recipe: lambda number: batch)
    return within(tokens, recipe, float(batch.state.lengths.sum()))


def _verdict(bits: str, final: Sequence) -> Verdict:
    told = decode(final)
    right = told == bits.count("1") % 2
    return Verdict(right, told is not None, float(right))
