"""Prediction: what a model says about every position of a state."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


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
