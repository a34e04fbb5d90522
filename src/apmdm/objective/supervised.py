"""The loss of edits that a teacher made: cross-entropy of content, binary cross-entropy of the controls."""

from dataclasses import dataclass
from typing import NamedTuple

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.state import State

HEADS = "content", "remask", "insert", "delete", "hints"


class Balance(NamedTuple):
    """How many times the control bits and the hints weigh in the total, where content weighs once.

    Means over all positions shrink with the length of a state in which as little is decided: long states need more.
    """

    controls: float
    hints: float


USUAL = Balance(controls=10.0, hints=60.0)


@dataclass(frozen=True)
class Loss:
    """Mean negative log-likelihood in nats of the decisions of each head (scalars).

    content averages over the positions that the teacher unmasks, the control bits over all positions, hints over all
    hints of all positions (0 without); the total weighs them by `balance`. A plain sum over all decisions learns far
    slower (docs/log.md).
    """

    content: Float[Tensor, ""]
    remask: Float[Tensor, ""]
    insert: Float[Tensor, ""]
    delete: Float[Tensor, ""]
    hints: Float[Tensor, ""]
    balance: Balance = USUAL

    @classmethod
    def of_content(cls, content: Float[Tensor, ""]) -> "Loss":
        """Of a paradigm that only ever writes."""
        nothing = content.new_zeros(())
        return cls(content, nothing, nothing, nothing, nothing)

    @property
    def total(self) -> Float[Tensor, ""]:
        controls = self.remask + self.insert + self.delete
        return self.content + self.balance.controls * controls + self.balance.hints * self.hints


def supervised_loss(
    prediction: Prediction,
    state: State,
    edits: Edits,
    hints: Bool[Tensor, "batch length hints"] | None = None,
    balance: Balance = USUAL,
    conclusions: int = 0,
) -> Loss:
    """How unlikely the teacher's edits are under the prediction; a fixed point trains halting like any other state.

    conclusions: so many of the hints, the last ones, have a mean of their own, which is added to that of the others.
    """
    written, valid = edits.unmasked(state) & state.valid, state.valid
    content = cross_entropy(prediction.content[written].float(), edits.content[written], reduction="sum")

    def control(logits: Tensor, bits: Tensor) -> Tensor:
        return binary_cross_entropy_with_logits(logits[valid].float(), bits[valid].float(), reduction="sum")

    hinted = content.new_zeros(())
    if hints is not None and prediction.hints is not None:
        sizes = [size for size in (hints.shape[-1] - conclusions, conclusions) if size]
        for logits, bits in zip(prediction.hints.split(sizes, -1), hints.split(sizes, -1), strict=True):
            hinted = hinted + control(logits, bits) / bits.shape[-1]
    num_written, num_valid = written.sum().clamp(min=1), valid.sum().clamp(min=1)
    return Loss(
        content / num_written,
        control(prediction.remask, edits.remask) / num_valid,
        control(prediction.insert, edits.insert) / num_valid,
        control(prediction.delete, edits.delete) / num_valid,
        hinted / num_valid,
        balance,
    )


def accuracy(predicted: Edits, state: State, edits: Edits) -> dict[str, float]:
    """Share of decisions that agree, by operation, over the positions where the teacher fired it; and of whole steps.

    `wait` is the share of masks left masked among those that the teacher left; `step` counts a step as right
    only if every position that matters agrees. An operation that never fired is left out.
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
    """True for the rows where both edits have the same effect at every position."""
    gone = state.masked & edits.delete
    unmasked = edits.unmasked(state)
    agree = (predicted.unmasked(state) == unmasked) & (~unmasked | (predicted.content == edits.content))
    agree &= gone | ((predicted.remask == edits.remask) & (predicted.insert == edits.insert))
    agree &= (state.masked & predicted.delete) == gone
    return (agree | ~state.valid).all(1)


def _share(right: Bool[Tensor, "batch length"], where: Bool[Tensor, "batch length"]) -> float:
    return float(right[where].float().mean())
