"""Batch: what one training step learns from. Hints: what a model is told besides the edits."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.state import State


@dataclass(frozen=True)
class Batch:
    """States, the edits that are to be learned for them, and the bits that the model is to find on the way, if any."""

    state: State
    edits: Edits
    hints: Bool[Tensor, "batch length hints"] | None = None

    def map(self, function: Callable[[Tensor], Tensor]) -> "Batch":
        """The function applied to every tensor."""
        hints = None if self.hints is None else function(self.hints)
        return Batch(self.state.map(function), self.edits.map(function), hints)

    def to(self, device: torch.device | str) -> "Batch":
        return self.map(lambda field: field.to(device))

    def __getitem__(self, rows: Int[Tensor, "rows"] | Bool[Tensor, "batch"] | slice) -> "Batch":
        """The chosen rows, in order, at the same padded length."""
        return self.map(lambda field: field[rows])


Batches = Callable[[int], Batch]
"""The batch of each training step, as a pure function of its number."""


class Hints(NamedTuple):
    """What a teacher looks up in a state on the way to its edits, as bits for every position.

    `of` gives `number` bits, and after them `conclusions` more that follow from these. A middle layer of the model
    learns to tell the first, the layer after it the others. They are not needed after training. The word is that of the
    CLRS benchmark (arXiv 2205.15659).
    """

    number: int
    of: Callable[[State], Bool[Tensor, "batch length hints"]]
    conclusions: int = 0
