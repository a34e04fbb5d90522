"""A task as prompt and answer, for paradigms that write an answer once and never change it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch

from apmdm.edits import Edits
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, MASK_SYMBOL, PAD, Vocab

END = "END"
"""The last symbol of every answer that is told as text."""


class Verdict(NamedTuple):
    """How good an answer is. valid: complete and of the right form. share: the share of its tokens that are right."""

    right: bool
    valid: bool
    share: float


@dataclass(frozen=True)
class Form:
    """A task as prompt and answer.

    name: of the form. vocab: its symbols.
    examples: draws random training problems, as states with MASKs in place of the answer and the edits that write it.
    start: the state of a problem with MASKs in place of the answer.
    verdict: judges a problem's final state.
    source: tells apart training data that have the same name.
    """

    name: str
    vocab: Vocab
    examples: Callable[[int, torch.Generator], tuple[State, Edits]]
    start: Callable[[Any], Sequence]
    verdict: Callable[[Any, Sequence], Verdict]
    source: str = ""
    end: str = END


def asked(prompts: Iterable[list[int]], answers: Iterable[list[int]]) -> tuple[State, Edits]:
    """Prompts followed by MASKs, and the edits that turn those into the answers."""
    pairs = list(zip(prompts, answers, strict=True))
    state = State.stack([Sequence(torch.tensor(prompt + [MASK] * len(answer))) for prompt, answer in pairs])
    whole = State.stack([Sequence(torch.tensor(prompt + answer)) for prompt, answer in pairs])
    return state, Edits.of(torch.where(state.masked, whole.ids, PAD))


def share_of(right: list[int], told: list[int]) -> float:
    """The share of the places that hold the same token in both."""
    return sum(map(int.__eq__, right, told)) / max(len(right), len(told), 1)


def direct(
    vocab: Vocab,
    draw: Callable[[torch.Generator], Any],
    prompt: Callable[[Any], list[str]],
    answer: Callable[[Any], list[str]],
    right: Callable[[Any, list[str]], bool],
) -> Form:
    """The form of any task: the symbols of a problem, `=`, the symbols of its answer, END.

    vocab: the symbols of problems and answers. draw: draws a random training problem. prompt and answer: the symbols of
    a problem and of its answer. right: whether these symbols answer the problem.
    """
    equals, end, open_place = specials = [_unused(name, vocab) for name in ("=", END, "OPEN")]
    whole = Vocab.of(*vocab.symbols[2:], *specials)

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        problems = [draw(random) for _ in range(num)]
        return asked(map(begun, problems), (whole.encode([*answer(problem), end]) for problem in problems))

    def begun(problem: Any) -> list[int]:
        """A MASK of a problem is not to be filled here."""
        symbols = (open_place if symbol == MASK_SYMBOL else symbol for symbol in prompt(problem))
        return whole.encode([*symbols, equals])

    def start(problem: Any) -> Sequence:
        return Sequence(torch.tensor([*begun(problem), *[MASK] * (len(answer(problem)) + 1)]))

    def verdict(problem: Any, final: Sequence) -> Verdict:
        symbols = whole.decode(final.ids.tolist())[len(prompt(problem)) + 1 :]
        told = symbols[: symbols.index(end)] if end in symbols else symbols
        same = share_of(whole.encode(answer(problem)), whole.encode(told))
        return Verdict(end in symbols and right(problem, told), end in symbols, same)

    return Form("direct", whole, examples, start, verdict, end=end)


def _unused(name: str, vocab: Vocab) -> str:
    while name in vocab.ids:
        name += "'"
    return name
