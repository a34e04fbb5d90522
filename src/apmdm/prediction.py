"""Prediction: what a model says about every position of a state."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import cross_entropy, logsigmoid

from apmdm.edits import Edits
from apmdm.state import State


@dataclass(frozen=True)
class Prediction:
    """Logits: content [batch, length, vocab] (PAD and MASK at -inf), and one per control bit [batch, length].

    hints: one logit per hint, from a middle layer, of a model that was taught what its teacher looks up on the way.
    """

    content: Float[Tensor, "batch length vocab"]
    remask: Float[Tensor, "batch length"]
    insert: Float[Tensor, "batch length"]
    delete: Float[Tensor, "batch length"]
    hints: Float[Tensor, "batch length hints"] | None = None

    def log_probability(self, state: State, edits: Edits) -> Float[Tensor, "batch"]:
        """Of the edits, in nats: the sum over the content that they write and every control bit."""
        valid = state.valid
        written = (edits.unmasked(state) & valid).nonzero(as_tuple=True)
        content = torch.zeros_like(self.remask, dtype=torch.float)
        content[written] = -cross_entropy(self.content[written].float(), edits.content[written], reduction="none")
        pairs = (self.remask, edits.remask), (self.insert, edits.insert), (self.delete, edits.delete)
        bits = [logsigmoid(torch.where(bit, logits, -logits).float()) for logits, bit in pairs]
        return (content + sum(bits)).masked_fill(~valid, 0.0).sum(1)

    def __getitem__(self, rows: slice) -> "Prediction":
        hints = None if self.hints is None else self.hints[rows]
        return Prediction(self.content[rows], self.remask[rows], self.insert[rows], self.delete[rows], hints)


Part = TypeVar("Part", Edits, Prediction)


def joined(parts: Seq[Part]) -> Part:
    """Edits or predictions of parts of a batch, whose rows have one length, as one."""
    if len(parts) == 1:
        return parts[0]
    fields = (values for values in zip(*(vars(part).values() for part in parts), strict=True) if values[0] is not None)
    return type(parts[0])(*map(torch.cat, fields))
