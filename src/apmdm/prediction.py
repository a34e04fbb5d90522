"""Prediction: what a model says about every position of a state."""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True)
class Prediction:
    """Logits: content [batch, length, vocab] (PAD and MASK at -inf), and one per control bit [batch, length]."""

    content: Float[Tensor, "batch length vocab"]
    remask: Float[Tensor, "batch length"]
    insert: Float[Tensor, "batch length"]
    delete: Float[Tensor, "batch length"]
