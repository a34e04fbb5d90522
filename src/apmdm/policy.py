"""From a prediction to edits. A policy knows no model and no task."""

from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Bool
from torch import Tensor

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.state import State


@runtime_checkable
class Policy(Protocol):
    """Decides the edits. Of one that is not deterministic the sampler also asks `may_change`, as Stochastic has it."""

    @property
    def deterministic(self) -> bool: ...

    def __call__(self, prediction: Prediction, state: State) -> Edits: ...


@dataclass(frozen=True)
class Greedy:
    """The most probable content, and every control bit whose probability exceeds its threshold."""

    remask: float = 0.5
    insert: float = 0.5
    delete: float = 0.5

    deterministic = True

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        return Edits(
            prediction.content.argmax(-1),
            prediction.remask.sigmoid() > self.remask,
            prediction.insert.sigmoid() > self.insert,
            prediction.delete.sigmoid() > self.delete,
        )


@dataclass(frozen=True)
class Stochastic:
    """Content and control bits drawn independently; what is less probable than the cut-off never happens.

    temperature divides all logits; generator seeds the draws (None: torch's default generator).
    """

    temperature: float = 1.0
    cutoff: float = 0.0
    generator: torch.Generator | None = None

    deterministic = False

    def __post_init__(self) -> None:
        if self.temperature <= 0 or not 0 <= self.cutoff < 0.5:
            raise ValueError(
                f"temperature must be positive and cutoff in [0, 0.5), got {self.temperature} and {self.cutoff}"
            )

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        content = (prediction.content / self.temperature).softmax(-1)
        content = content.masked_fill(content < content.amax(-1, keepdim=True).clamp(max=self.cutoff), 0.0)
        drawn = torch.multinomial(content.flatten(0, 1), 1, generator=self.generator).view(state.ids.shape)
        return Edits(drawn, *(self._draw(bit) for bit in (prediction.remask, prediction.insert, prediction.delete)))

    def _cut(self, probability: Tensor) -> Tensor:
        return probability.masked_fill(probability < self.cutoff, 0.0)

    def _draw(self, logits: Tensor) -> Tensor:
        probability = self._cut((logits / self.temperature).sigmoid())
        probability = torch.where(probability > 1 - self.cutoff, 1.0, probability)
        return torch.bernoulli(probability, generator=self.generator).bool()

    def may_change(self, prediction: Prediction, state: State) -> Bool[Tensor, "batch"]:
        """True for rows where some event above the cut-off would change the state: the process has not halted."""
        remask, insert, delete = (
            self._cut((bit / self.temperature).sigmoid()) > 0
            for bit in (prediction.remask, prediction.insert, prediction.delete)
        )
        waits = (prediction.remask / self.temperature).sigmoid() >= 1 - self.cutoff
        moves = torch.where(state.masked, delete | ~waits, remask)
        return ((moves | insert) & state.valid).any(1)
