"""A wrapper that hides some tokens from a model, which then sees the rest of each row as if it were adjacent."""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.prediction import Prediction
from apmdm.state import Known, State, trimmed
from apmdm.vocab import PAD

NEVER = -40.0
"""The logit of every control bit at a hidden token."""


class Skipping:
    """The predictions of `model` on each row without its hidden tokens, at which nothing ever happens.

    hidden: the ids of the hidden tokens. States have no coordinates. A GPU is not asked how long the longest row is
    then, so there the model sees the rest of each row with padding.
    """

    def __init__(self, model: Callable[[State], Prediction], hidden: Int[Tensor, "tokens"]) -> None:
        self.model, self.hidden = model, hidden

    def __call__(self, state: State) -> Prediction:
        hidden = torch.isin(state.ids, self.hidden.to(state.ids.device)) | ~state.valid
        order, lengths = hidden.long().argsort(dim=1, stable=True), (~hidden).sum(1)
        shown = State(state.ids.masked_fill(hidden, PAD).gather(1, order), lengths, known=_known(state))
        shown = shown if state.far else trimmed(shown)
        said, place = self.model(shown), order[:, : shown.ids.shape[1]]

        def bit(logits: Tensor) -> Tensor:
            known = logits.masked_fill(~shown.valid, NEVER)
            return known.new_full(state.ids.shape, NEVER).scatter(1, place, known)

        content = said.content.new_zeros(*state.ids.shape, said.content.shape[-1])
        content = content.scatter(1, place[..., None].expand_as(said.content), said.content)
        computed = shown.lengths if said.computed is None else said.computed
        return Prediction(content, bit(said.remask), bit(said.insert), bit(said.delete), computed=computed)


def _known(state: State) -> Known | None:
    """What is known of the state without its hidden tokens. A token that becomes hidden moves those after it."""
    last = state.known.last if state.known else None
    return state.known and Known(last=last and replace(last, moved=last.edited > 0))
