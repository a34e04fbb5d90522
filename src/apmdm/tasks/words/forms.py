"""Sequences of characters with errors: corrected in place, or told again after a prompt.

A problem is the sequence with its errors, a tab, and the right one.
"""

from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.objective.self_supervised import MAX_ERRORS, corrupted, with_errors
from apmdm.state import Sequence, State
from apmdm.tasks.form import END, Form, Verdict, asked
from apmdm.vocab import JOINT, MASK, Vocab

BEGIN, EQUALS = "BEGIN", "EQUALS"


@dataclass(frozen=True)
class Words:
    """Sequences to learn from, of characters of an alphabet. Raises ValueError for an empty one."""

    sequences: tuple[str, ...]
    alphabet: str

    def __post_init__(self) -> None:
        if not all(self.sequences):
            raise ValueError("a sequence to learn from has at least one character")
        if {"\t", JOINT} & set(self.alphabet):
            raise ValueError(f"a sequence to learn from has no tab and no {JOINT}, which have a meaning here")
        if len(self.alphabet) < 2:
            raise ValueError("sequences to learn from need at least two different characters")

    @cached_property
    def vocab(self) -> Vocab:
        return Vocab.of(BEGIN, EQUALS, END, list(self.alphabet))

    @property
    def digest(self) -> str:
        return sha256("\n".join(self.sequences).encode()).hexdigest()[:12]

    def encode(self, text: str) -> list[int]:
        return self.vocab.encode([BEGIN, *text])

    def with_errors(self, text: str, num: int, random: Random) -> list[int]:
        return [spot.token for spot in with_errors(self.encode(text), num, self.vocab.encode(self.alphabet), random)]

    def problem(self, text: str, num: int, random: Random) -> str:
        """With exactly so many errors."""
        return "".join(self.vocab.decode(self.with_errors(text, num, random)[1:])) + "\t" + text

    def corrupted(self, num: int, random: Random) -> Batch:
        """A batch for self-supervised learning."""
        sequences = [self.encode(text) for text in random.choices(self.sequences, k=num)]
        return corrupted(sequences, self.vocab.encode(self.alphabet), random)

    def start(self, problem: str) -> Sequence:
        return Sequence(torch.tensor(self.encode(problem.partition("\t")[0])))

    def verdict(self, problem: str, final: Sequence) -> Verdict:
        return _verdict(self.encode(problem.partition("\t")[2])[1:], final.ids.tolist()[1:])


def plain(words: Words) -> Form:
    """Nothing is given: what a mask-only model learns sequences from. Problems are corrected in place."""

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        texts = _random(random).choices(words.sequences, k=num)
        return asked([words.encode("")] * num, [words.encode(text)[1:] for text in texts])

    return Form("plain", words.vocab, examples, words.start, words.verdict, words.digest)


def prompted(words: Words) -> Form:
    """The sequence with 0 to MAX_ERRORS errors is the prompt, the right one and END on all the room left the answer."""
    equals, end = words.vocab.encode([EQUALS, END])

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        own = _random(random)
        texts = own.choices(words.sequences, k=num)
        wrong = [words.with_errors(text, own.randint(0, MAX_ERRORS), own) for text in texts]
        answers = [[*words.encode(text)[1:]] for text in texts]
        ends = [[end] * (len(before) + MAX_ERRORS - len(after)) for before, after in zip(wrong, answers, strict=True)]
        return asked([[*tokens, equals] for tokens in wrong], [a + b for a, b in zip(answers, ends, strict=True)])

    def start(problem: str) -> Sequence:
        wrong = words.encode(problem.partition("\t")[0])
        return Sequence(torch.tensor([*wrong, equals, *[MASK] * (len(wrong) + MAX_ERRORS)]))

    def verdict(problem: str, final: Sequence) -> Verdict:
        wrong, _, right = problem.partition("\t")
        told = [*final.ids.tolist()[len(wrong) + 2 :], end]
        return _verdict(words.encode(right)[1:], told[: told.index(end)])

    return Form("prompt", words.vocab, examples, start, verdict, words.digest)


def _verdict(right: list[int], told: list[int]) -> Verdict:
    same = sum(map(int.__eq__, right, told)) / max(len(right), len(told), 1)
    return Verdict(told == right, MASK not in told, same)


def _random(random: torch.Generator) -> Random:
    return Random(int(torch.randint(2**62, (), generator=random)))
