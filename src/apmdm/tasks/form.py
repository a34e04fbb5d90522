"""A task's form for paradigms that answer a prompt: problems as text in, sequences out, and what an answer is worth."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import NamedTuple

import torch

from apmdm.edits import Edits
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, PAD, Vocab

END = "END"
"""The last symbol of every answer that is told as text."""


class Verdict(NamedTuple):
    """right: the answer solves the problem; valid: it is complete and of the right form; share: of it that is right."""

    right: bool
    valid: bool
    share: float


@dataclass(frozen=True)
class Form:
    """A task as prompt and answer.

    examples: so many random training problems, as states with MASK where the answer goes and the edits that would
    write all of it at once. start: a problem's state before the answer; the answer is its MASKs. verdict: on a
    problem and a final state. source: what tells training data apart that have the same name.
    """

    name: str
    vocab: Vocab
    examples: Callable[[int, torch.Generator], tuple[State, Edits]]
    start: Callable[[str], Sequence]
    verdict: Callable[[str, Sequence], Verdict]
    source: str = ""


def asked(prompts: Iterable[list[int]], answers: Iterable[list[int]]) -> tuple[State, Edits]:
    """Prompts followed by MASKs, and the edits that turn those into the answers."""
    pairs = list(zip(prompts, answers, strict=True))
    state = State.stack([Sequence(torch.tensor(prompt + [MASK] * len(answer))) for prompt, answer in pairs])
    whole = State.stack([Sequence(torch.tensor(prompt + answer)) for prompt, answer in pairs])
    never = torch.zeros_like(state.masked)
    return state, Edits(torch.where(state.masked, whole.ids, PAD), never, never, never)
