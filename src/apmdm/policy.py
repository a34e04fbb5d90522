"""Policies decide the edits of a step from a prediction. A policy knows no model and no task."""

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
    """Decides the edits of a step.

    `deterministic` promises that equal predictions give equal edits. A policy without this promise is a RandomPolicy.
    """

    @property
    def deterministic(self) -> bool: ...

    def __call__(self, prediction: Prediction, state: State) -> Edits: ...


@runtime_checkable
class RandomPolicy(Policy, Protocol):
    """A policy that may decide differently when asked again, so that a step without change need not be the last."""

    def may_change(self, prediction: Prediction, state: State) -> Bool[Tensor, "batch"]:
        """True for the rows that some possible decision would change. A run ends where it is False."""
        ...


@dataclass(frozen=True)
class Greedy:
    """Writes the most probable content, and fires every control bit whose probability exceeds its threshold."""

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
    """Draws content and control bits independently. What is less probable than the cut-off never happens.

    temperature divides all logits. generator, on the CPU, makes the draws, or torch's default one if it is None.
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
        drawn = _draw(content, self.generator)
        return Edits(drawn, *(self._fires(bit) for bit in (prediction.remask, prediction.insert, prediction.delete)))

    def _cut(self, probability: Tensor) -> Tensor:
        return probability.masked_fill(probability < self.cutoff, 0.0)

    def _fires(self, logits: Float[Tensor, "batch length"]) -> Bool[Tensor, "batch length"]:
        probability = self._cut((logits / self.temperature).sigmoid())
        probability = torch.where(probability > 1 - self.cutoff, 1.0, probability)
        return torch.rand(logits.shape, generator=self.generator).to(logits.device) < probability

    def may_change(self, prediction: Prediction, state: State) -> Bool[Tensor, "batch"]:
        """True for the rows that some event above the cut-off would change."""
        remask, insert, delete = (
            self._cut((bit / self.temperature).sigmoid()) > 0
            for bit in (prediction.remask, prediction.insert, prediction.delete)
        )
        waits = (prediction.remask / self.temperature).sigmoid() >= 1 - self.cutoff
        moves = torch.where(state.masked, delete | ~waits, remask)
        return ((moves | insert) & state.valid).any(1)


@dataclass(frozen=True)
class GreedyOrBestSingle:
    """Applies every edit that is likelier than not, or in a row that has none the single likeliest one.

    The single one is at the token that is likeliest to be remasked or followed by an insertion. There every remask and
    insert bit above the cut-off fires. What is less probable than the cut-off never happens.
    """

    cutoff: float

    deterministic = True

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        sure = Greedy()(prediction, state)
        if not state.ids.shape[1]:
            return sure
        changes = torch.where(state.masked, sure.delete | ~sure.remask, sure.remask) | sure.insert
        busy = (changes & state.valid).any(1, keepdim=True)
        chance = prediction.remask.maximum(prediction.insert).sigmoid().masked_fill(state.masked | ~state.valid, 0.0)
        place = torch.arange(chance.shape[1], device=chance.device) == chance.argmax(1, keepdim=True)
        chosen = ~busy & place & ~state.masked
        remask, insert = ((bit.sigmoid() > self.cutoff) & chosen for bit in (prediction.remask, prediction.insert))
        return replace(sure, remask=sure.remask | remask, insert=sure.insert | insert)


Order = Literal["left", "random", "confidence", "margin", "entropy"]


@dataclass(frozen=True)
class Append:
    """Decodes an autoregressive model: the MASK at the end takes the next token, and a new MASK follows it.

    The next token is predicted at the position before the MASK, so a state needs a token there. It is the most probable
    one, or drawn. A step writes one token. After the token `end` no MASK follows and the run halts.
    """

    end: int
    drawn: bool = False
    generator: torch.Generator | None = None

    @property
    def deterministic(self) -> bool:
        return not self.drawn

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        content = prediction.content
        next_tokens = _draw(content.float().softmax(-1), self.generator) if self.drawn else content.argmax(-1)
        next_tokens = next_tokens.roll(1, 1)
        return Edits.of(next_tokens, insert=state.masked & (next_tokens != self.end))

    def may_change(self, prediction: Prediction, state: State) -> Bool[Tensor, "batch"]:
        return state.masked.any(1)


@dataclass(frozen=True)
class Unmask:
    """Decodes MDM, AO-MDM and Masked ARM: it writes the first `num` MASKs in an order, and the others wait.

    order: left to right, random, or by the certainty of the content. Certainty is the largest probability (confidence),
    its margin to the second largest (margin), or the negative entropy (entropy). The leftmost comes first among equals.
    threshold: every MASK whose largest probability exceeds it is written as well (adaptive parallelism).
    drawn: content is drawn instead of the most probable. Together with random order this is ancestral sampling.
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
        return Edits.of(content, remask=state.masked & ~chosen)

    def may_change(self, prediction: Prediction, state: State) -> Bool[Tensor, "batch"]:
        return state.masked.any(1)

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
    """One token for each position. Chance comes from the CPU, so that a seed means the same on every device.

    The token with the largest quotient of its probability and an exponential variate is drawn, as by torch.multinomial.
    """
    chance = torch.empty(probability.shape).exponential_(generator=generator)
    return (probability / chance.to(probability.device)).argmax(-1)


@dataclass(frozen=True)
class Correct:
    """Corrects sequences in turns, with one threshold for each control bit.

    In a row without MASKs it remasks tokens that are wrong and inserts MASKs where tokens are missing. In a row with
    MASKs it first deletes the superfluous ones, and then writes one a step, the most certain first.
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
