"""A task as prompt and answer, for paradigms that write an answer and never change it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    problem and a final state. source: tells training data apart that have the same name.
    """

    name: str
    vocab: Vocab
    examples: Callable[[int, torch.Generator], tuple[State, Edits]]
    start: Callable[[Any], Sequence]
    verdict: Callable[[Any, Sequence], Verdict]
    source: str = ""


def asked(prompts: Iterable[list[int]], answers: Iterable[list[int]]) -> tuple[State, Edits]:
    """Prompts followed by MASKs, and the edits that turn those into the answers."""
    pairs = list(zip(prompts, answers, strict=True))
    state = State.stack([Sequence(torch.tensor(prompt + [MASK] * len(answer))) for prompt, answer in pairs])
    whole = State.stack([Sequence(torch.tensor(prompt + answer)) for prompt, answer in pairs])
    return state, Edits.of(torch.where(state.masked, whole.ids, PAD))


def share_of(right: list[int], told: list[int]) -> float:
    """Of the places of either, how many hold the same token in both."""
    return sum(map(int.__eq__, right, told)) / max(len(right), len(told), 1)


def direct(
    vocab: Vocab,
    draw: Callable[[torch.Generator], Any],
    prompt: Callable[[Any], list[str]],
    answer: Callable[[Any], list[str]],
    right: Callable[[Any, list[str]], bool],
) -> Form:
    """The form of any task: the symbols of a problem, `=`, those of its answer, END.

    draw: a random training problem. right: whether these symbols answer a problem.
    """
    whole = Vocab.of(*vocab.symbols[2:], "=", END)

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        problems = [draw(random) for _ in range(num)]
        return asked(map(begun, problems), (whole.encode([*answer(problem), END]) for problem in problems))

    def begun(problem: Any) -> list[int]:
        return whole.encode([*prompt(problem), "="])

    def start(problem: Any) -> Sequence:
        return Sequence(torch.tensor([*begun(problem), *[MASK] * (len(answer(problem)) + 1)]))

    def verdict(problem: Any, final: Sequence) -> Verdict:
        symbols = whole.decode(final.ids.tolist())[len(prompt(problem)) + 1 :]
        told = symbols[: symbols.index(END)] if END in symbols else symbols
        expected = answer(problem)
        same = share_of(whole.encode(expected), whole.encode(told))
        return Verdict(END in symbols and right(problem, told), END in symbols, same)

    return Form("direct", whole, examples, start, verdict)
