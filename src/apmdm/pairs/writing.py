"""Writing from left to right: of all MASKs the leftmost one alone is decided."""

from dataclasses import dataclass

import torch
from jaxtyping import Bool
from torch import Tensor

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor
from apmdm.state import State


def leftmost(prediction: Prediction, state: State) -> Prediction:
    """The prediction in which all other MASKs surely wait, and tokens surely stay."""
    return only_at(state.masked & (state.masked.cumsum(1) == 1), prediction, state)


def only_at(deciding: Bool[Tensor, "batch length"], prediction: Prediction, state: State) -> Prediction:
    """The prediction in which these MASKs are written or deleted, all others surely wait, and tokens surely stay."""
    never = torch.full_like(prediction.remask, -torch.inf)
    remask = never.masked_fill(state.masked & ~deciding, torch.inf)
    insert, delete = (torch.where(deciding, logits, never) for logits in (prediction.insert, prediction.delete))
    return Prediction(prediction.content, remask, insert, delete)


@dataclass(frozen=True)
class Writer:
    """What a model of pairs says of a state."""

    model: Predictor

    def __call__(self, state: State) -> Prediction | Edits:
        said = self.model(state)
        return leftmost(said, state) if isinstance(said, Prediction) else said
