"""How a mask-only model finds errors: it masks each token in turn, and an improbable token is an error."""

import torch

from apmdm.prediction import Prediction
from apmdm.sampler import Predictor
from apmdm.state import State
from apmdm.vocab import MASK


class LeaveOneOut:
    """A model whose remask probability is one minus the probability of the token, given all others.

    The first token is never remasked. Nothing is inserted or deleted, since a mask-only model cannot judge that.
    """

    def __init__(self, model: Predictor) -> None:
        self.model = model

    def __call__(self, state: State) -> Prediction:
        rows, length = state.ids.shape
        one_out = state.ids.repeat_interleave(length, 0)
        place = torch.arange(length, device=state.ids.device).repeat(rows)
        one_out[torch.arange(rows * length), place] = MASK
        lengths = state.lengths.repeat_interleave(length)
        content = self.model(State(one_out, lengths)).content
        there = content[torch.arange(rows * length), place].view(rows, length, -1)
        trust = there.log_softmax(-1).gather(2, state.ids[..., None])[..., 0]
        doubt = torch.log1p(-trust.exp().clamp(max=1 - 1e-6)) - trust
        doubt[:, 0] = -torch.inf
        never = torch.full_like(doubt, -torch.inf)
        written = self.model(state).content
        return Prediction(written, doubt, never, never)
