"""A proof, from finitely many evaluations, that a model generates exactly the words of a language at every length.

With attention to one neighbour on either side in each of two layers, a position's decisions depend on the window of
five tokens around it, and `windows.reachable` lists every window that can occur. If on each of them, with every
choice of letters, the model may do what the process may do and nothing else, then its runs are runs of the process:
- no invalid word: letters are only written on both sides of one PAIR(c), c to its left and the inverse to its right,
  with nothing between them that stays; each FUEL ends in one PAIR, so the length is twice the fuel.
- every word: one that cancels has neighbours that are inverse to each other. Take such a pair out, generate the rest,
  let the first FUEL, which has waited so far, hop there and become that pair; each of these steps has probability.

The model computes in float32. What it computes depends on where a window is only by rounding, since attention goes by
differences of positions; `drift` is by how much, measured at positions up to FURTHEST.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from typing import Any

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.model.attention import FURTHEST, NEAR
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.tasks.dyck.process import ALPHABETS, CUTOFF, LANGUAGES, LETTER, MASKED, OPENING, PAIR, REACH, VOCAB, process
from apmdm.tasks.dyck.windows import NEVER, WIDTH, as_state, centre, reachable

AT_ONCE, SHOWN, MOVED = 2**11, 10, 16
"""Windows evaluated at once, failures told, and how many windows there are for each that is moved to PLACES."""
SAFETY, MOST_DRIFT = 2.0, 0.01
"""Probabilities keep away from the cut-off by this factor, log(2) in logits: far more than rounding."""
PLACES = NEAR - REACH, 2**24, FURTHEST - WIDTH
LONGEST = FURTHEST // 4
"""Letters of the longest words: a run takes up to two positions a letter."""


@dataclass(frozen=True)
class DyckProof:
    """How many windows were checked for a language, how many failed, and the first of those, as symbols.

    drift: by how much a logit changes at most if windows are moved to PLACES. longest: letters of the longest words.
    """

    language: str
    windows: int
    failures: int
    examples: list[str]
    drift: float
    longest: int = LONGEST

    @property
    def holds(self) -> bool:
        return not self.failures and self.drift <= MOST_DRIFT

    def record(self) -> dict[str, Any]:
        return asdict(self) | {"certified": self.holds}

    def text(self) -> str:
        if self.holds:
            return (
                f"{self.language} certified: these {self.windows:,} windows are all that can occur; every word of the "
                f"language can be generated, and nothing else, up to {self.longest:,} letters (far from the start "
                f"float32 moves logits by {self.drift:.0e}; {MOST_DRIFT} is allowed)"
            )
        if not self.failures:
            return f"{self.language} not certified: far from the start float32 moves logits by {self.drift:.0e}"
        wrong = f"{self.language} not certified: wrong on {self.failures:,} of {self.windows:,} windows, such as"
        return "\n  ".join((wrong, *self.examples))


@torch.no_grad()
def certify(model: Encoder, language: str, progress: Callable[[float], None] = lambda share: None) -> DyckProof:
    """Check every window with every choice of letters. progress: called with the share that is done.

    Raises ValueError for a model that is not a Dyck model with this attention.
    """
    shape = model.shape
    if model.vocab != VOCAB or (shape.attention, shape.span * shape.layers, shape.absolute) != ("window", REACH, 0):
        raise ValueError(f"only a Dyck model that sees {REACH} positions to either side can be certified")
    num_windows, failures, examples, drift, number = 0, 0, [], 0.0, LANGUAGES.index(language)
    total = int(_options(number).prod(1).sum())
    for kinds, letters in _every_window(number):
        state = as_state(kinds, letters, torch.full((len(kinds),), number))
        wrong = ~_agree(centre(model(state), kinds), centre(process(state), kinds), kinds[:, REACH] == MASKED)
        num_windows, failures = num_windows + len(kinds), failures + int(wrong.sum())
        progress(num_windows / total)
        drift = max(drift, _drift(model, state[::MOVED], kinds[::MOVED]))
        for row in islice(wrong.nonzero()[:, 0].tolist(), SHOWN - len(examples)):
            examples.append(" ".join(VOCAB.decode(state.sequence(row).ids.tolist())))
    return DyckProof(language, num_windows, failures, examples, drift)


def _drift(model: Encoder, state: State, kinds: Int[Tensor, "windows 5"]) -> float:
    """The largest change of a logit between the first positions and PLACES."""
    pattern, at = model.attention_pattern(state), torch.arange(state.ids.shape[1])[None, None]
    here, *there = (
        centre(model.predict(state.ids, replace(pattern, at=at + first)), kinds).tensors for first in (0, *PLACES)
    )
    moved = (after - before for far in there for before, after in zip(here, far, strict=True))
    return max(float(change.nan_to_num(0.0).abs().max()) for change in moved)


def _every_window(language: int) -> Iterator[tuple[Int[Tensor, "windows 5"], Int[Tensor, "windows 5"]]]:
    """Kinds and numbers of letters, in batches: the places that have a letter count through those it may be."""
    alphabet, opening = (torch.tensor(numbers[language]) for numbers in (ALPHABETS, OPENING))
    kinds, options = torch.tensor(reachable()), _options(language)
    each, choices = options.cumprod(1) // options, options.prod(1)
    window = torch.repeat_interleave(choices)
    choice = torch.arange(len(window)) - (choices.cumsum(0) - choices)[window]
    for part in range(0, len(window), AT_ONCE):
        rows = window[part : part + AT_ONCE]
        digits = choice[part : part + AT_ONCE, None] // each[rows] % options[rows]
        openings = opening[digits.clamp(max=len(opening) - 1)]
        yield kinds[rows], torch.where(kinds[rows] == PAIR, openings, alphabet[digits])


def _options(language: int) -> Int[Tensor, "windows 5"]:
    """How many letters each place of each window of kinds may have."""
    kinds, places = torch.tensor(reachable()), len(OPENING[language])
    return torch.where(kinds == LETTER, len(ALPHABETS[language]), torch.where(kinds == PAIR, places, 1))


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
