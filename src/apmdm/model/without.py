"""A model that is bereft of one of AP-MDM's operations."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import torch

from apmdm.prediction import Prediction
from apmdm.state import State

Operation = Literal["unmask", "remask", "insert", "delete"]


class Without:
    """State -> Prediction: of `model`, but the operation never happens. Without remask a MASK may still wait."""

    def __init__(self, model: Callable[[State], Prediction], operation: Operation) -> None:
        self.model, self.operation = model, operation

    def __call__(self, state: State) -> Prediction:
        said = self.model(state)
        if self.operation == "unmask":
            return replace(said, remask=said.remask.masked_fill(state.masked, torch.inf))
        if self.operation == "remask":
            return replace(said, remask=said.remask.masked_fill(~state.masked, -torch.inf))
        return replace(said, **{self.operation: torch.full_like(said.remask, -torch.inf)})
