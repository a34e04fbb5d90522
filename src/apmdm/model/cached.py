"""A causal encoder that computes every token once, as it keeps the keys and values of earlier tokens (KV cache)."""

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.model.attention import Past
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.vocab import PAD


class Cached:
    """A callable from State to Prediction that is right at every token that is new since the last call.

    It is zero at all other tokens and at MASKs. Causal keys and values depend on the tokens before them only, so a row
    is recognised by its tokens: rows may arrive, leave the batch and change places at any call. A call computes as many
    positions of every row as the row with the most new tokens needs, so it is fast where rows grow together.
    """

    def __init__(self, encoder: Encoder) -> None:
        if encoder.shape.attention != "causal" or encoder.shape.relations:
            raise ValueError("keys and values last in a causal encoder without relations only")
        self.encoder = encoder
        self.ids = torch.empty(0, 0, dtype=torch.long)
        self.keys_values: list[tuple[Tensor, Tensor]] = []

    def __call__(self, state: State) -> Prediction:
        ids = state.ids.masked_fill(state.masked, PAD)
        lengths = (ids != PAD).sum(1)
        source, known = self._remembered(ids)
        num_new = max(1, int((lengths - known).max()))
        at = (lengths[:, None] - num_new + torch.arange(num_new, device=ids.device)).clamp(min=0)
        pasts = self._pasts(at, source, ids.shape[1])
        prediction = self.encoder.predict_at(ids.gather(1, at), pasts)
        self.ids, self.keys_values = ids, [(past.keys, past.values) for past in pasts]
        return prediction.map(lambda field: _placed(field, at, ids.shape[1]))

    def _remembered(self, ids: Int[Tensor, "B L"]) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
        """For each row the number of the remembered row that it continues and its length; length 0 if there is none."""
        nothing = ids.new_zeros(len(ids))
        if not self.ids.numel():
            return nothing, nothing
        width = min(ids.shape[1], self.ids.shape[1])
        before = self.ids.to(ids.device)[None, :, :width]
        same = ((before == ids[:, None, :width]) | (before == PAD)).all(-1) & (self.ids[:, width:] == PAD).all(-1)
        known = torch.where(same, (self.ids != PAD).sum(1), 0)
        return known.argmax(1), known.amax(1)

    def _pasts(self, at: Tensor, source: Tensor, width: int) -> list[Past]:
        shape = self.encoder.shape
        if not self.keys_values:
            empty = self.encoder.embedding.new_zeros(len(at), shape.heads, width, shape.width // shape.heads)
            return [Past(at, empty.clone(), empty.clone()) for _ in range(shape.layers)]
        missing = max(0, width - self.ids.shape[1])
        rows = [
            [torch.nn.functional.pad(part[source], (0, 0, 0, missing)) for part in pair] for pair in self.keys_values
        ]
        return [Past(at, keys[:, :, :width].contiguous(), values[:, :, :width].contiguous()) for keys, values in rows]


def _placed(field: Tensor, at: Int[Tensor, "B new"], width: int) -> Tensor:
    where = at.view(*at.shape, *[1] * (field.ndim - 2)).expand_as(field)
    return field.new_zeros(len(field), width, *field.shape[2:]).scatter(1, where, field)
