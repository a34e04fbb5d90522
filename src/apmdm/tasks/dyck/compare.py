"""Words of two-sided Dyck-2 side by side: drawn by models that learn from short ones, up to 16 times as long."""

from dataclasses import replace

import torch

from apmdm.model.encoder import Shape
from apmdm.paradigms.comparison import Budget, Comparison, Entrant, ablated, baselines, within
from apmdm.paradigms.form import END, Form, Verdict
from apmdm.paradigms.paradigm import ANY_MASK, NEXT_MASK, NEXT_TOKEN, Paradigm, mdm
from apmdm.policy import Append, Unmask
from apmdm.state import Sequence
from apmdm.task import Task
from apmdm.tasks.dyck.forms import K, forms, judged
from apmdm.tasks.dyck.process import decode, encode
from apmdm.training.trainer import Settings

LENGTHS, WORDS = (4, 8, 16, 32, 64, 128, 256), 25
TOKENS, BATCH_SIZE = 2_000_000, 64
SHAPE = Shape(width=32, layers=2, heads=2, rotary=True)
TRAINING = Settings(warmup=100)
MAX_STEPS, MAX_LENGTH = 700, 700


def compare_dyck(task: Task, tokens: int | None, seed: int) -> Comparison:
    """Five paradigms without and with scratch, and AP-MDM; every one draws from its own distribution."""
    budget = Budget(tokens or TOKENS, BATCH_SIZE, seed)
    entrants = [entrant for form in forms() for entrant in baselines(form, _paradigms(form), SHAPE, TRAINING, budget)]
    recipe = within(budget.tokens, replace(task.recipe(), seed=seed))
    own = Entrant("AP-MDM", recipe, lambda length: encode(f"k{K}", int(length)), _verdict, task.policy)
    shipped = replace(own, name="AP-MDM, shipped", source="dyck")
    problems = {str(length): [str(length)] * WORDS for length in LENGTHS}
    return Comparison(problems, [*entrants, own, shipped, *ablated(shipped)], MAX_STEPS, MAX_LENGTH, batch_size=WORDS)


def _paradigms(form: Form) -> list[Paradigm]:
    end = form.vocab.ids[END]

    return [
        Paradigm("ARM", NEXT_TOKEN, lambda seed: Append(end, drawn=True, generator=_generator(seed))),
        Paradigm("Masked ARM", NEXT_MASK, lambda seed: Unmask("left", drawn=True, generator=_generator(seed))),
        mdm(4)[0],
        Paradigm("AO-MDM random", ANY_MASK, lambda seed: Unmask("random", drawn=True, generator=_generator(seed))),
        Paradigm("AO-MDM confidence", ANY_MASK, lambda seed: Unmask(drawn=True, generator=_generator(seed))),
    ]


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _verdict(length: str, final: Sequence) -> Verdict:
    return judged(int(length), decode(final))
