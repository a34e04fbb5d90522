"""The loss of a teacher's probabilities: what edits drawn from them cost in the mean, without the noise of drawing."""

from collections.abc import Callable

from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from apmdm.edits import Edits
from apmdm.objective.supervised import Loss
from apmdm.prediction import Prediction
from apmdm.state import State


def imitation_loss(teacher: Callable[[State], Prediction]) -> Callable[..., Loss]:
    """Cross-entropies of a random process that is known, for every position (distillation, arXiv 1503.02531).

    As in supervised_loss content averages over what is unmasked, here by its probability, and each control bit over
    all positions. The teacher sees states on the CPU.
    """

    def loss(
        prediction: Prediction, state: State, edits: Edits, hints: Bool[Tensor, "batch length hints"] | None = None
    ) -> Loss:
        said, valid = teacher(state.to("cpu")), state.valid
        names, device = ("content", "remask", "insert", "delete"), state.ids.device
        wanted, *bits = (getattr(said, name).to(device) for name in names)
        remask, insert, delete = (bit.sigmoid() for bit in bits)
        written = (1 - remask) * (1 - delete) * (state.masked & valid)
        logs = prediction.content.float().log_softmax(-1)
        content = -(wanted.softmax(-1) * logs.masked_fill(logs.isneginf(), 0.0)).sum(-1)

        def control(logits: Float[Tensor, "batch length"], target: Float[Tensor, "batch length"]) -> Tensor:
            return binary_cross_entropy_with_logits(logits[valid].float(), target[valid])

        return Loss(
            (content * written).sum() / written.sum().clamp(min=1),
            control(prediction.remask, remask),
            control(prediction.insert, insert),
            control(prediction.delete, delete),
            content.new_zeros(()),
        )

    return loss
