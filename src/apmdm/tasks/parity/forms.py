"""Parity as text: `0 1 1 =` is answered by `0 END`, or with the parity of every prefix as scratch by `0 1 0 END`."""

from collections.abc import Callable
from itertools import accumulate
from operator import xor

import torch

from apmdm.edits import Edits
from apmdm.paradigms.form import END, Form, Verdict, asked
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, Vocab

LONGEST = 20
"""Training strings have 1 to so many bits, each length equally often."""
VOCAB = Vocab.of("0", "1", "=", END)


def forms() -> tuple[Form, Form]:
    """Without and with scratch."""
    return _form("direct", lambda parities: parities[-1:]), _form("scratch", lambda parities: parities)


def _form(name: str, told: Callable[[list[int]], list[int]]) -> Form:
    def answer(bits: str) -> list[int]:
        return VOCAB.encode([*map(str, told(list(accumulate(map(int, bits), xor)))), END])

    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        lengths = torch.randint(1, LONGEST + 1, (num,), generator=random).tolist()
        bits = torch.randint(2, (num, LONGEST), generator=random).tolist()
        strings = ["".join(map(str, row[:length])) for row, length in zip(bits, lengths, strict=True)]
        return asked(map(_prompt, strings), map(answer, strings))

    def start(bits: str) -> Sequence:
        return Sequence(torch.tensor([*_prompt(bits), *[MASK] * len(answer(bits))]))

    def verdict(bits: str, final: Sequence) -> Verdict:
        given, expected = final.ids.tolist()[len(bits) + 1 :], answer(bits)
        right = given[-2:] == expected[-2:]
        same = sum(map(int.__eq__, given, expected)) / len(expected)
        return Verdict(right, len(given) == len(expected) and given[-1:] == expected[-1:], same)

    return Form(name, VOCAB, examples, start, verdict)


def _prompt(bits: str) -> list[int]:
    return VOCAB.encode([*bits, "="])
