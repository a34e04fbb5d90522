"""Words of two-sided Dyck-2 side by side: drawn by models that learn from short ones, up to 16 times as long."""

from dataclasses import replace

import torch

from apmdm.baselines.paradigms import ANY_MASK, NEXT_MASK, NEXT_TOKEN, Paradigm, mdm
from apmdm.model.encoder import Shape
from apmdm.policy import Append, Policy, Stochastic, Unmask
from apmdm.recipes.base import Recipe
from apmdm.recipes.comparison import Comparison, Entrant, ablated, baselines, within
from apmdm.recipes.dyck import dyck
from apmdm.state import Sequence
from apmdm.tasks.dyck.forms import K, forms, judged
from apmdm.tasks.dyck.process import CUTOFF, decode, encode
from apmdm.tasks.form import END, Form, Verdict
from apmdm.train.trainer import Settings

LENGTHS, WORDS = (4, 8, 16, 32, 64, 128, 256), 25
TOKENS, BATCH_SIZE, SAMPLED = 2_000_000, 64, 16
SHAPE = Shape(width=32, layers=2, heads=2, rotary=True)
TRAINING = Settings(warmup=100, checkpoint_every=1000)
MAX_STEPS, MAX_LENGTH = 700, 700


def compare_dyck(tokens: int = TOKENS, seed: int = 0) -> Comparison:
    """Five paradigms without and with scratch, and AP-MDM; every one draws from its own distribution."""
    data = (tokens, BATCH_SIZE, seed)
    entrants = [entrant for form in forms() for entrant in baselines(form, _paradigms(form), SHAPE, TRAINING, data)]
    own = Entrant("AP-MDM", _ap_mdm(tokens, seed), _start, _verdict, _policy)
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


def _ap_mdm(tokens: int, seed: int) -> Recipe:
    recipe = replace(dyck(), seed=seed)
    batches = recipe.batches(recipe)
    return within(tokens, recipe, sum(int(batches(n).state.lengths.sum()) for n in range(SAMPLED)) / SAMPLED)


def _generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def _policy(seed: int) -> Policy:
    return Stochastic(cutoff=CUTOFF, generator=_generator(seed))


def _start(length: str) -> Sequence:
    return encode(f"k{K}", int(length))


def _verdict(length: str, final: Sequence) -> Verdict:
    return judged(int(length), decode(final))
