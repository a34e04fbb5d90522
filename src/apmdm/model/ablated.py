"""A wrapper that disables one of AP-MDM's operations in a model, to measure what the operation is good for."""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal

import torch

from apmdm.prediction import Prediction
from apmdm.state import State

Operation = Literal["unmask", "remask", "insert", "delete"]


class Ablated:
    """The predictions of `model` with one operation at probability 0. A MASK may still wait if remask is disabled."""

    def __init__(self, model: Callable[[State], Prediction], operation: Operation) -> None:
        self.model, self.operation = model, operation

    def __call__(self, state: State) -> Prediction:
        said = self.model(state)
        if self.operation == "unmask":
            return replace(said, remask=said.remask.masked_fill(state.masked, torch.inf))
        if self.operation == "remask":
            return replace(said, remask=said.remask.masked_fill(~state.masked, -torch.inf))
        never = torch.full_like(said.remask, -torch.inf)
        return replace(said, insert=never) if self.operation == "insert" else replace(said, delete=never)
