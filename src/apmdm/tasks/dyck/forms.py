"""Two-sided Dyck-2 as text: `x x =` asks for a word of two pairs, such as `a B b A END`; as scratch, after each letter
the last one that is still open, `a a B B b a A _ END`.
"""

from collections.abc import Callable
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.paradigms.form import END, Form, Verdict, asked
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.process import LETTERS
from apmdm.tasks.dyck.uniform import random_word
from apmdm.tasks.dyck.verify import is_word, last_open
from apmdm.vocab import MASK, Vocab, joined

K, LONGEST = 2, 16
"""Training words have 2 to so many letters, each length equally often."""
ALPHABET = LETTERS[: 2 * K]
VOCAB = Vocab.of("x", "=", END, ALPHABET, joined(["OPEN"], [*ALPHABET, "_"]))


def forms() -> tuple[Form, Form]:
    """Without and with scratch. A problem is a number of letters."""
    return _form("direct", list), _form("scratch", with_open)


def with_open(word: str) -> list[str]:
    """Each letter, followed by the last one that is still open."""
    told = zip(word, last_open(word), strict=True)
    return [symbol for letter, last in told for symbol in (letter, f"OPEN@{last or '_'}")]


def judged(length: int, word: str | None) -> Verdict:
    valid = word is not None and is_word(word)
    return Verdict(valid and word is not None and len(word) == length, valid, float(valid))


def _form(name: str, told: Callable[[str], list[str]]) -> Form:
    def examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
        own = Random(int(torch.randint(2**62, (), generator=random)))
        words = [random_word(f"k{K}", 2 * own.randint(1, LONGEST // 2), own) for _ in range(num)]
        return asked([_prompt(len(word)) for word in words], [VOCAB.encode([*told(word), END]) for word in words])

    def start(length: str) -> Sequence:
        room = len(told("a" * int(length))) + 1
        return Sequence(torch.tensor([*_prompt(int(length)), *[MASK] * room]))

    def verdict(length: str, final: Sequence) -> Verdict:
        symbols = VOCAB.decode(final.ids.tolist()[int(length) // 2 + 1 :])
        word = "".join(symbol for symbol in symbols if symbol in ALPHABET)
        return judged(int(length), word if symbols == [*told(word), END] else None)

    return Form(name, VOCAB, examples, start, verdict)


def _prompt(length: int) -> list[int]:
    return VOCAB.encode([*"x" * (length // 2), "="])
