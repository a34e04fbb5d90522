"""Parity side by side: the others learn from strings of up to 20 bits, AP-MDM from those of one and two."""

from dataclasses import dataclass, replace
from random import Random

from apmdm.model.encoder import Shape
from apmdm.paradigms.comparison import Budget, Comparison, Entrant, ablated, baselines, within
from apmdm.paradigms.form import Form
from apmdm.paradigms.paradigm import Paradigm, ao_mdm, arm, masked_arm, mdm
from apmdm.recipe import Recipe
from apmdm.task import Task
from apmdm.tasks.parity.forms import forms
from apmdm.tasks.parity.process import BLOCK
from apmdm.training.trainer import Settings

LENGTHS, STRINGS, PROBLEM_SEED = (2, 5, 10, 20, 30, 40, 60, 100, 200), 50, 1
TOKENS, BATCH_SIZE, TILED = 2_500_000, 64, 512
SHAPE = Shape(width=32, layers=2, heads=2)
TRAINING = Settings(warmup=100)


@dataclass(frozen=True)
class ParityData:
    """rows: to which the recipe's one batch is repeated."""

    rows: int


def compare_parity(task: Task, tokens: int | None, seed: int) -> Comparison:
    """Five paradigms without and with scratch, and AP-MDM with each operation switched off."""
    budget = Budget(tokens or TOKENS, BATCH_SIZE, seed)
    shape = Shape(SHAPE.width, SHAPE.layers, SHAPE.heads, rotary=True)
    entrants = [entrant for form in forms() for entrant in baselines(form, _paradigms(form), shape, TRAINING, budget)]
    blocks = replace(SHAPE, attention="block", span=BLOCK, absolute=BLOCK)
    recipe = within(budget.tokens, Recipe(task, blocks, TRAINING, ParityData(TILED), seed))
    own = Entrant("AP-MDM", recipe, task.encode, task.verdict)
    random = Random(PROBLEM_SEED)
    problems = {str(length): [f"{random.getrandbits(length):0{length}b}" for _ in range(STRINGS)] for length in LENGTHS}
    longest = 2 * LENGTHS[-1] + 2
    return Comparison(problems, [*entrants, own, *ablated(own)], max_steps=longest, max_length=longest, batch_size=16)


def _paradigms(form: Form) -> list[Paradigm]:
    return [arm(form), masked_arm(), *mdm(4), *ao_mdm()]
