"""The other paradigms: how each of them learns, and how it decodes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import torch

from apmdm.edits import Edits
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder
from apmdm.objective.batch import Batch
from apmdm.objective.masked import masked_loss, rest_masked, some_masked
from apmdm.objective.next_token import all_written, next_token_loss
from apmdm.objective.supervised import Objective
from apmdm.paradigms.form import Form
from apmdm.policy import Append, Policy, Unmask
from apmdm.sampler import Predictor
from apmdm.state import Sequence, State
from apmdm.vocab import MASK


@dataclass(frozen=True)
class Learner:
    """A way to learn from problems and answers. prepare: makes training batches. objective: the loss."""

    name: str
    attention: Literal["full", "causal"]
    prepare: Callable[[State, Edits, torch.Generator], Batch]
    objective: Objective


NEXT_TOKEN = Learner("next token", "causal", all_written, next_token_loss)
NEXT_MASK = Learner("next mask", "full", rest_masked, masked_loss)
ANY_MASK = Learner("any mask", "full", some_masked, masked_loss)


@dataclass(frozen=True)
class Paradigm:
    """A learner and a way to decode what it has learned. policy: makes a policy from a seed."""

    name: str
    learner: Learner
    policy: Callable[[int], Policy]

    def model(self, encoder: Encoder) -> Predictor:
        return Cached(encoder) if self.learner is NEXT_TOKEN else encoder

    def start(self, form: Form, problem: Any) -> Sequence:
        """The first state. ARM starts with one MASK behind the prompt, the others with room for the whole answer."""
        whole = form.start(problem)
        if self.learner is not NEXT_TOKEN:
            return whole
        return Sequence(whole.ids[: 1 + int((whole.ids == MASK).long().argmax())])


def arm(form: Form) -> Paradigm:
    end = form.vocab.ids[form.end]
    return Paradigm("ARM", NEXT_TOKEN, lambda seed: Append(end))


def masked_arm() -> Paradigm:
    return Paradigm("Masked ARM", NEXT_MASK, lambda seed: Unmask("left"))


def mdm(num: int) -> list[Paradigm]:
    """Two ways to write `num` tokens in a step: ancestral sampling, and the surest positions first."""

    def ancestral(seed: int) -> Policy:
        return Unmask("random", num, drawn=True, generator=torch.Generator().manual_seed(seed))

    return [
        Paradigm(f"MDM ancestral, {num} a step", ANY_MASK, ancestral),
        Paradigm(f"MDM confidence, {num} a step", ANY_MASK, lambda seed: Unmask("confidence", num)),
    ]


def ao_mdm(threshold: float = 0.9) -> list[Paradigm]:
    """Five ways: one token a step in four orders, and every token whose probability exceeds a threshold."""

    def at_random(seed: int) -> Policy:
        return Unmask("random", generator=torch.Generator().manual_seed(seed))

    return [
        Paradigm("AO-MDM random", ANY_MASK, at_random),
        Paradigm("AO-MDM confidence", ANY_MASK, lambda seed: Unmask("confidence")),
        Paradigm("AO-MDM margin", ANY_MASK, lambda seed: Unmask("margin")),
        Paradigm("AO-MDM entropy", ANY_MASK, lambda seed: Unmask("entropy")),
        Paradigm(f"AO-MDM above {threshold}", ANY_MASK, lambda seed: Unmask("confidence", threshold=threshold)),
    ]
