"""Prediction: what a model says about every position of a state. It knows neither the model nor the policy."""

from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import TypeVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from apmdm.edits import Edits
from apmdm.state import State, places


@dataclass(frozen=True)
class Prediction:
    """The logits of the content [batch, length, vocab] and of each control bit [batch, length].

    PAD and MASK have content logit -inf. hints are the logits of the bits that a teacher looks up on the way to its
    edits, one tensor [batch, length, hints] from each head that the model has for them. computed tells for how many
    positions of each row the model has computed something; None if for all of them.
    """

    content: Float[Tensor, "batch length vocab"]
    remask: Float[Tensor, "batch length"]
    insert: Float[Tensor, "batch length"]
    delete: Float[Tensor, "batch length"]
    hints: tuple[Float[Tensor, "batch length _"], ...] = field(default=(), kw_only=True)
    computed: Int[Tensor, "batch"] | None = field(default=None, kw_only=True)

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.content, self.remask, self.insert, self.delete, *self.hints

    def map(self, function: Callable[[Tensor], Tensor]) -> "Prediction":
        """The function applied to every tensor of logits."""
        content, remask, insert, delete, *hints = map(function, self.tensors)
        return Prediction(content, remask, insert, delete, hints=tuple(hints))

    def log_probability(self, state: State, edits: Edits, num_written: int | None = None) -> Float[Tensor, "batch"]:
        """The log-probability of each row's edits in nats: of the content that they write and of every control bit.

        num_written: how many positions they write in all rows; without it, a GPU is asked for this number.
        The remask and insert bits of a MASK that is deleted have no effect and do not count.
        """
        valid, gone = state.valid, state.masked & edits.delete
        written = edits.unmasked(state) & valid
        at = places(written.flatten(), int(written.sum()) if num_written is None else num_written)
        logits, tokens = self.content.flatten(0, 1)[at].float(), edits.content.flatten()[at]
        sure = logits.log_softmax(-1).gather(1, tokens[:, None])[:, 0]
        content = torch.zeros_like(self.remask, dtype=torch.float).flatten().scatter(0, at, sure).view(written.shape)
        pairs = (self.remask, edits.remask), (self.insert, edits.insert), (self.delete, edits.delete)
        remask, insert, delete = (logsigmoid(torch.where(bit, logits, -logits).float()) for logits, bit in pairs)
        return (content + delete + (remask + insert).masked_fill(gone, 0.0)).masked_fill(~valid, 0.0).sum(1)

    def __getitem__(self, rows: slice) -> "Prediction":
        return self.map(lambda field: field[rows])


Part = TypeVar("Part", Edits, Prediction)


def concatenate_rows(parts: Seq[Part]) -> Part:
    """Edits or predictions of several groups of rows as one. All groups have the same padded length."""
    if len(parts) == 1:
        return parts[0]
    columns = zip(*(part.tensors for part in parts), strict=True)
    return parts[0].map(lambda _: torch.cat(next(columns)))
