"""From a prediction to edits. A policy knows no model and no task."""

from dataclasses import dataclass, replace
from typing import Literal, Protocol, get_args, runtime_checkable

import torch
from jaxtyping import Bool, Float, Int
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


@dataclass(frozen=True)
class Surest:
    """Everything that is likelier than not, at once; in a row where nothing is, one token: the likeliest to change.

    Of that one every control bit above the cut-off fires. What is less probable than the cut-off never happens.
    """

    cutoff: float

    deterministic = True

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        sure = Greedy()(prediction, state)
        changes = torch.where(state.masked, sure.delete | ~sure.remask, sure.remask) | sure.insert
        busy = (changes & state.valid).any(1, keepdim=True)
        chance = prediction.remask.maximum(prediction.insert).sigmoid().masked_fill(state.masked | ~state.valid, 0.0)
        place = torch.arange(chance.shape[1], device=chance.device) == chance.argmax(1, keepdim=True)
        dared = Greedy(self.cutoff, self.cutoff, self.cutoff)(prediction, state)
        chosen = ~busy & place & ~state.masked
        return replace(sure, remask=sure.remask | (dared.remask & chosen), insert=sure.insert | (dared.insert & chosen))


Order = Literal["left", "random", "confidence", "margin", "entropy"]


@dataclass(frozen=True)
class Append:
    """ARM: the MASK at the end takes the token that the position before it foretells, and a new MASK follows.

    One transition writes and inserts, so a step is one token; after `end` nothing is inserted and the run has halted.
    The token is the most probable one, or drawn. A state needs a token before its MASK.
    """

    end: int
    drawn: bool = False
    generator: torch.Generator | None = None

    @property
    def deterministic(self) -> bool:
        return not self.drawn

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        foretold = (
            _draw(prediction.content.float().softmax(-1), self.generator)
            if self.drawn
            else prediction.content.argmax(-1)
        )
        foretold = foretold.roll(1, 1)
        never = torch.zeros_like(state.masked)
        return Edits(foretold, never, state.masked & (foretold != self.end), never)


@dataclass(frozen=True)
class Unmask:
    """MDM, AO-MDM and Masked ARM: the first `num` MASKs in an order are written, the others wait; nothing is rewritten.

    order: left to right, random, or by how sure the content is: its largest probability, the margin to the second
    largest, its negative entropy; the leftmost first among equals. Besides, every MASK whose largest probability
    exceeds `threshold` is written (adaptive parallelism). Content is the most probable one, or drawn: random order with
    drawn content is ancestral sampling.
    """

    order: Order = "confidence"
    num: int = 1
    threshold: float = 1.0
    drawn: bool = False
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        if self.order not in get_args(Order) or self.num < 1:
            raise ValueError(f"order is one of {', '.join(get_args(Order))} and num at least 1, got {self}")

    @property
    def deterministic(self) -> bool:
        return self.order != "random" and not self.drawn

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        probability = prediction.content.float().softmax(-1)
        largest, content = probability.max(-1)
        if self.drawn:
            content = _draw(probability, self.generator)
        score = self._score(probability).masked_fill(~state.masked, -torch.inf)
        rank = score.argsort(dim=1, descending=True, stable=True).argsort(1)
        chosen = (rank < self.num) | (largest > self.threshold)
        never = torch.zeros_like(state.masked)
        return Edits(content, state.masked & ~chosen, never, never)

    def _score(self, probability: Tensor) -> Tensor:
        if self.order == "left":
            return -torch.ones_like(probability[..., 0]).cumsum(1)
        if self.order == "random":
            return torch.rand(probability.shape[:2], generator=self.generator).to(probability.device)
        if self.order == "entropy":
            return -torch.special.entr(probability).sum(-1)
        first, second = probability.topk(2).values.unbind(-1)
        return first if self.order == "confidence" else first - second


def _draw(
    probability: Float[Tensor, "batch length vocab"], generator: torch.Generator | None
) -> Int[Tensor, "batch length"]:
    """The generator is one of the CPU, so that a seed means the same everywhere."""
    drawn = torch.multinomial(probability.flatten(0, 1).cpu(), 1, generator=generator)
    return drawn.view(probability.shape[:2]).to(probability.device)


@dataclass(frozen=True)
class Correct:
    """Correction in turns: a row without MASKs loses what is wrong and gets room for what is missing; of a row with
    MASKs first the superfluous ones are deleted, then the surest is written, one a step.
    """

    remask: float = 0.5
    insert: float = 0.5
    delete: float = 0.5

    deterministic = True

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        wanted = Greedy(self.remask, self.insert, self.delete)(prediction, state)
        delete = wanted.delete & state.masked
        write = Unmask()(prediction, state)
        waiting = torch.where(delete.any(1, keepdim=True), state.masked, write.remask)
        resolving = state.masked.any(1, keepdim=True)
        remask = torch.where(resolving, waiting, wanted.remask)
        return Edits(write.content, remask, wanted.insert & ~resolving, delete)
