"""The loss against a teacher's probabilities. It is the mean loss of edits drawn from them, without their noise."""

from collections.abc import Callable

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from apmdm.objective.batch import Batch
from apmdm.objective.supervised import Loss, Objective
from apmdm.prediction import Prediction
from apmdm.state import State


def imitation_loss(teacher: Callable[[State], Prediction]) -> Objective:
    """The cross-entropies with a known random process at every position (distillation, arXiv 1503.02531).

    As in supervised_loss, content is a mean over what is unmasked, here weighted by the probability of that, and each
    control bit a mean over all positions. The teacher is called with states on the CPU. A batch's edits are not used.
    """

    def told(state: State) -> Prediction:
        return teacher(state.to("cpu")).map(lambda logits: logits.to(state.ids.device))

    def loss(prediction: Prediction, batch: Batch, whole: Batch | None = None) -> Loss:
        state, valid, wanted = batch.state, batch.state.valid, told(batch.state)
        remask, insert, delete = (bit.sigmoid() for bit in (wanted.remask, wanted.insert, wanted.delete))
        written = _written(wanted, state)
        num_written = (written if whole is None else _written(told(whole.state), whole.state)).sum()
        num_valid = (batch if whole is None else whole).state.valid.sum()
        logs = prediction.content.float().log_softmax(-1)
        content = -(wanted.content.softmax(-1) * logs.masked_fill(logs.isneginf(), 0.0)).sum(-1)

        kept = 1 - delete * state.masked

        def control(logits: Float[Tensor, "batch length"], target: Tensor, share: Tensor = valid) -> Tensor:
            each = binary_cross_entropy_with_logits(
                logits[valid].float(), target[valid], share[valid].float(), reduction="sum"
            )
            return each / num_valid

        return Loss(
            (content * written).sum() / num_written.clamp(min=1),
            control(prediction.remask, remask, kept),
            control(prediction.insert, insert, kept),
            control(prediction.delete, delete),
            content.new_zeros(()),
        )

    return loss


def _written(wanted: Prediction, state: State) -> Float[Tensor, "batch length"]:
    """The probability that the teacher unmasks a position."""
    return (1 - wanted.remask.sigmoid()) * (1 - wanted.delete.sigmoid()) * (state.masked & state.valid)
