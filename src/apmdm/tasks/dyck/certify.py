"""A proof, from finitely many evaluations, that a model generates exactly the words of a language at every length.

With attention to one neighbour on either side in each of two layers, a position's decisions depend on the window of
five tokens around it, and `windows.reachable` lists every window that can occur. If on each of them, with every
choice of letters, the model may do what the process may do and nothing else, then its runs are runs of the process:
- no invalid word: letters are only written on both sides of one PAIR(c), c to its left and the inverse to its right,
  with nothing between them that stays; each FUEL ends in one PAIR, so the length is twice the fuel.
- every word: one that cancels has neighbours that are inverse to each other. Take such a pair out, generate the rest,
  let the first FUEL, which has waited so far, hop there and become that pair; each of these steps has probability.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.tasks.dyck.process import ALPHABETS, CUTOFF, LANGUAGES, LETTER, MASKED, OPENING, PAIR, REACH, VOCAB, process
from apmdm.tasks.dyck.windows import NEVER, as_state, centre, reachable

AT_ONCE, SHOWN = 2**15, 10
SAFETY = 2.0
"""Probabilities keep away from the cut-off by this factor: far more than rounding between batch shapes."""


@dataclass(frozen=True)
class DyckProof:
    """How many windows were checked for a language, how many failed, and the first of those, as symbols."""

    language: str
    windows: int
    failures: int
    examples: list[str]

    @property
    def holds(self) -> bool:
        return not self.failures

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"certified": self.holds}

    def text(self) -> str:
        if self.holds:
            return (
                f"{self.language} certified: these {self.windows:,} windows are all that can occur; every word of the "
                "language can be generated, whatever its length, and nothing else"
            )
        wrong = f"{self.language} not certified: wrong on {self.failures:,} of {self.windows:,} windows, such as"
        return "\n  ".join((wrong, *self.examples))


@torch.no_grad()
def certify(model: Encoder, language: str) -> DyckProof:
    """Check every window with every choice of letters.

    Raises ValueError for a model that is not a Dyck model with this attention.
    """
    shape = model.shape
    if model.vocab != VOCAB or (shape.attention, shape.span * shape.layers, shape.absolute) != ("window", REACH, 0):
        raise ValueError(f"only a Dyck model that sees {REACH} positions to either side can be certified")
    num_windows, failures, examples, number = 0, 0, [], LANGUAGES.index(language)
    for kinds, letters in _every_window(number):
        state = as_state(kinds, letters, torch.full((len(kinds),), number))
        wrong = ~_agree(centre(model(state), kinds), centre(process(state), kinds), kinds[:, REACH] == MASKED)
        num_windows, failures = num_windows + len(kinds), failures + int(wrong.sum())
        for row in islice(wrong.nonzero()[:, 0].tolist(), SHOWN - len(examples)):
            examples.append(" ".join(VOCAB.decode(state.sequence(row).ids.tolist())))
    return DyckProof(language, num_windows, failures, examples)


def _every_window(language: int) -> Iterator[tuple[Int[Tensor, "windows 5"], Int[Tensor, "windows 5"]]]:
    """Kinds and numbers of letters, in batches: the places that have a letter count through those it may be."""
    alphabet, opening = (torch.tensor(numbers[language]) for numbers in (ALPHABETS, OPENING))
    kinds = torch.tensor(reachable())
    options = torch.where(kinds == LETTER, len(alphabet), torch.where(kinds == PAIR, len(opening), 1))
    each, choices = options.cumprod(1) // options, options.prod(1)
    window = torch.repeat_interleave(choices)
    choice = torch.arange(len(window)) - (choices.cumsum(0) - choices)[window]
    for part in range(0, len(window), AT_ONCE):
        rows = window[part : part + AT_ONCE]
        digits = choice[part : part + AT_ONCE, None] // each[rows] % options[rows]
        openings = opening[digits.clamp(max=len(opening) - 1)]
        yield kinds[rows], torch.where(kinds[rows] == PAIR, openings, alphabet[digits])


def _agree(said: Prediction, taught: Prediction, masked: Bool[Tensor, "windows"]) -> Bool[Tensor, "windows"]:
    """True where what the process may do has more than SAFETY times the cut-off, and what it may not, clearly less."""
    bits = (said.remask, taught.remask), (said.insert, taught.insert), (said.delete, taught.delete)
    agree = torch.ones_like(masked)
    for model_bit, process_bit in bits:
        for sign in (1, -1):
            agree &= _clear((sign * model_bit).sigmoid(), (sign * process_bit).sigmoid())[:, 0]
    writes = masked & (taught.remask < 0)[:, 0] & (taught.delete < 0)[:, 0]
    return agree & (_clear(said.content.softmax(-1), taught.content.softmax(-1)).all(-1)[:, 0] | ~writes)


def _clear(said: Tensor, taught: Tensor) -> Bool[Tensor, "..."]:
    return torch.where(taught > NEVER, said > SAFETY * CUTOFF, said < CUTOFF / SAFETY)
