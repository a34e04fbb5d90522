"""An encoder that computes every token once, as it keeps the keys and values of earlier tokens (KV cache)."""

from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.model.attention import Past
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.state import NOWHERE, State
from apmdm.vocab import PAD

AXIS, PLACE = 0x9E3779B97F4A7C15 - 2**64, 0x5851F42D4C957F2D
"""Odd multipliers of checksums."""


class Cached:
    """A callable from State to Prediction that is right where a decision is due, if all tokens come before all MASKs.

    That is, for a causal encoder, every token that is new since the last call, and for one of written attention also
    the first MASK, which `at_first_mask` tells alone. It is zero elsewhere. Keys and values of a token depend on the
    tokens before it only, so a row is recognised by its tokens and their coordinates: rows may arrive, leave the batch
    and change places at any call. A call computes as many positions of every row as the row with the most new ones
    needs, so it is fast where rows grow together. Where that would take waiting for a GPU, and the sampler tells what
    the last step did, it computes as many as can be new.
    """

    def __init__(self, encoder: Encoder) -> None:
        if encoder.shape.attention not in ("causal", "written"):
            raise ValueError("keys and values last in a causal encoder, or in one of written attention, only")
        self.encoder = encoder
        self.seen = torch.empty(0, 0, 1, dtype=torch.long)
        self.keys_values: list[tuple[Tensor, Tensor]] = []
        self.mark: object = None

    def __call__(self, state: State) -> Prediction:
        prediction, at, computed = self._new(state)
        placed = prediction.map(lambda field: _placed(field, at, state.ids.shape[1]))
        return replace(placed, computed=computed)

    def at_first_mask(self, state: State) -> Prediction:
        """The prediction at the first MASK of each row, of length 1; of no meaning for rows without MASKs."""
        prediction, _, computed = self._new(state)
        return replace(prediction.map(lambda field: field[:, -1:]), computed=computed)

    def _new(self, state: State) -> tuple[Prediction, Int[Tensor, "B new"], Int[Tensor, "B"]]:
        """The prediction at new positions, which these are, and how many each row needs."""
        ids = state.ids.masked_fill(state.masked, PAD)
        lengths = needed = (ids != PAD).sum(1)
        if self.encoder.shape.attention == "written":
            needed = (lengths + 1).minimum(state.lengths)
        grid = state.coordinates if self.encoder.shape.relations else None
        seen = ids[..., None]
        if grid is not None:
            seen = torch.cat((seen, grid.masked_fill(seen == PAD, NOWHERE)), -1)
        source, known = self._remembered(seen)
        num_new = self._num_new(state, needed - known)
        at = (needed[:, None] - num_new + torch.arange(num_new, device=ids.device)).clamp(min=0)
        pasts = self._pasts(at, source, ids.shape[1])
        prediction = self.encoder.predict_at(state.ids.gather(1, at), pasts, grid, self.encoder.condition(state.ids))
        self.seen, self.keys_values = seen, [(past.keys, past.values) for past in pasts]
        return prediction, at, needed - known

    def _num_new(self, state: State, wanted: Int[Tensor, "B"]) -> int:
        """How many positions of every row are computed."""
        last = state.known and state.known.last
        goes_on, self.mark = last and last.since is self.mark, last and last.mark
        if not (last and state.far):
            return max(1, int(wanted.max()))
        length = state.ids.shape[1]
        return min(length, 1 + int(last.edited.max())) if goes_on else length

    def _remembered(self, seen: Int[Tensor, "B L A"]) -> tuple[Int[Tensor, "B"], Int[Tensor, "B"]]:
        """For each row the number of the remembered row that it continues and its length; length 0 if there is none."""
        nothing = seen.new_zeros(len(seen))
        if not self.seen.numel():
            return nothing, nothing
        width = max(seen.shape[1], self.seen.shape[1])
        before, now = (_widened(part.to(seen.device), width) for part in (self.seen, seen))
        lengths, here = (before[..., 0] != PAD).sum(1), torch.arange(width, device=seen.device)
        sums, own = _sums(now), _sums(before).gather(1, lengths[:, None])
        known = torch.where(sums[:, lengths] == own[:, 0], lengths, 0)
        source, known = known.argmax(1), known.amax(1)
        differs = ((before[source] != now).any(-1) & (here < known[:, None])).any(1)
        return source, known.masked_fill(differs, 0)

    def _pasts(self, at: Tensor, source: Tensor, width: int) -> list[Past]:
        shape = self.encoder.shape
        if not self.keys_values:
            empty = self.encoder.embedding.new_zeros(len(at), shape.heads, width, shape.width // shape.heads)
            return [Past(at, empty.clone(), empty.clone()) for _ in range(shape.layers)]
        missing = width - self.seen.shape[1]

        def kept(part: Tensor) -> Tensor:
            rows = part[:, :, :width][source]
            return torch.nn.functional.pad(rows, (0, 0, 0, missing)) if missing > 0 else rows

        return [Past(at, kept(keys), kept(values)) for keys, values in self.keys_values]


def _widened(seen: Int[Tensor, "B L A"], width: int) -> Int[Tensor, "B W A"]:
    return torch.nn.functional.pad(seen, (0, 0, 0, width - seen.shape[1]), value=PAD)


def _sums(seen: Int[Tensor, "B L A"]) -> Int[Tensor, "B ends"]:
    """A checksum of the first 0, 1, ... positions of each row, modulo 2^64."""
    axes = torch.full(seen.shape[2:], AXIS, device=seen.device).cumprod(0)
    places = torch.full(seen.shape[1:2], PLACE, device=seen.device).cumprod(0)
    return torch.nn.functional.pad(((seen * axes).sum(-1) * places).cumsum(1), (1, 0))


def _placed(field: Tensor, at: Int[Tensor, "B new"], width: int) -> Tensor:
    where = at.view(*at.shape, *[1] * (field.ndim - 2)).expand_as(field)
    return field.new_zeros(len(field), width, *field.shape[2:]).scatter(1, where, field)
