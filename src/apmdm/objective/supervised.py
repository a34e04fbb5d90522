"""The loss of a teacher's edits: cross-entropy of the content and binary cross-entropy of the control bits."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.prediction import Prediction
from apmdm.state import State

HEADS = "content", "remask", "insert", "delete", "hints"


class LossWeights(NamedTuple):
    """The weights of the control bits and of the hints in the total loss, relative to content.

    Their losses are means over all positions. Long states in which little is decided need larger weights.
    """

    controls: float
    hints: float


DEFAULT_WEIGHTS = LossWeights(controls=10.0, hints=60.0)


@dataclass(frozen=True)
class Loss:
    """The mean negative log-likelihood in nats of the decisions of each head, as scalars.

    content is a mean over the positions that the teacher unmasks. The control bits are means over all positions, hints
    the sum over heads of such means. The total is weighted by `weights`. A plain sum over all decisions learns far more
    slowly (docs/log.md).
    """

    content: Float[Tensor, ""]
    remask: Float[Tensor, ""]
    insert: Float[Tensor, ""]
    delete: Float[Tensor, ""]
    hints: Float[Tensor, ""]
    weights: LossWeights = DEFAULT_WEIGHTS

    @classmethod
    def of_content(cls, content: Float[Tensor, ""]) -> "Loss":
        """The loss of a paradigm that never remasks, inserts or deletes."""
        nothing = content.new_zeros(())
        return cls(content, nothing, nothing, nothing, nothing)

    @property
    def total(self) -> Float[Tensor, ""]:
        controls = self.remask + self.insert + self.delete
        return self.content + self.weights.controls * controls + self.weights.hints * self.hints


@runtime_checkable
class Objective(Protocol):
    """The loss of a prediction for the states of a batch.

    whole: the batch that this one is a part of, on the same device. Sums over the part are then divided by the numbers
    of the whole, so that the losses of all parts add up to that of the whole.
    """

    def __call__(self, prediction: Prediction, batch: Batch, /, whole: Batch | None = None) -> Loss: ...


def supervised_loss(
    prediction: Prediction, batch: Batch, whole: Batch | None = None, *, weights: LossWeights = DEFAULT_WEIGHTS
) -> Loss:
    """How unlikely the teacher's edits, and its hints, are under the prediction.

    A state at which the teacher does nothing trains halting, like any other state. Where a MASK is deleted, its other
    bits have no effect and are not learned.
    """
    state, edits, hints = batch.state, batch.edits, batch.hints
    written, valid = _written(batch), state.valid
    kept = valid & ~(state.masked & edits.delete)
    content = cross_entropy(prediction.content[written].float(), edits.content[written], reduction="sum")

    def control(logits: Tensor, bits: Tensor, where: Tensor = valid) -> Tensor:
        return binary_cross_entropy_with_logits(logits[where].float(), bits[where].float(), reduction="sum")

    hinted = content.new_zeros(())
    if hints is not None and prediction.hints:
        sizes = [logits.shape[-1] for logits in prediction.hints]
        for logits, bits in zip(prediction.hints, hints.split(sizes, -1), strict=True):
            hinted = hinted + control(logits, bits) / bits.shape[-1]
    counted = whole or batch
    num_written, num_valid = _written(counted).sum().clamp(min=1), counted.state.valid.sum().clamp(min=1)
    return Loss(
        content / num_written,
        control(prediction.remask, edits.remask, kept) / num_valid,
        control(prediction.insert, edits.insert, kept) / num_valid,
        control(prediction.delete, edits.delete) / num_valid,
        hinted / num_valid,
        weights,
    )


def _written(batch: Batch) -> Bool[Tensor, "batch length"]:
    return batch.edits.unmasked(batch.state) & batch.state.valid


def accuracy(predicted: Edits, state: State, edits: Edits) -> dict[str, float]:
    """For each operation the share of positions where the teacher fired it and the prediction did the same.

    `wait` is the share of MASKs left masked among those that the teacher left. `step` is the share of rows that agree
    at every position that matters. An operation that never fired is left out.
    """
    valid = state.valid
    gone = state.masked & edits.delete
    same_content = predicted.unmasked(state) & (predicted.content == edits.content)
    fired = {
        "unmask": (edits.unmasked(state), same_content),
        "remask": (edits.remask & ~state.masked, predicted.remask),
        "wait": (edits.remask & state.masked & ~gone, predicted.remask & ~predicted.delete),
        "insert": (edits.insert & ~gone, predicted.insert),
        "delete": (gone, predicted.delete),
    }
    shares = {
        name: _share(right, where & valid) for name, (where, right) in fired.items() if bool((where & valid).any())
    }
    return shares | {"step": float(same_step(predicted, state, edits).float().mean())}


def same_step(predicted: Edits, state: State, edits: Edits) -> Bool[Tensor, "batch"]:
    """True for the rows in which both edits have the same effect at every position."""
    gone = state.masked & edits.delete
    unmasked = edits.unmasked(state)
    agree = (predicted.unmasked(state) == unmasked) & (~unmasked | (predicted.content == edits.content))
    agree &= gone | ((predicted.remask == edits.remask) & (predicted.insert == edits.insert))
    agree &= (state.masked & predicted.delete) == gone
    return (agree | ~state.valid).all(1)


def _share(right: Bool[Tensor, "batch length"], where: Bool[Tensor, "batch length"]) -> float:
    return float(right[where].float().mean())
