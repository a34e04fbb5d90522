"""An encoder that computes only what it has not computed before, for window and block attention.

Letters: R rows, which are blocks in block attention, L length, P places in a row.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import max_pool1d, pad

from apmdm.model.encoder import Encoder, in_blocks
from apmdm.prediction import Prediction, concatenate_rows
from apmdm.state import LastStep, State, places
from apmdm.vocab import PAD

KEPT = 4
"""So many times the places of a state are remembered."""


class Incremental:
    """The predictions of a local encoder (see Shape.local), of which only the new ones are computed.

    In window attention a place is a position, and its sight are the tokens to either side that it depends on, layers *
    span of them. In block attention a place is a block, and its sight are the block's tokens. A place is new if none
    with the same sight was computed before, be it at an earlier call, in another row or elsewhere in this one. So
    insertions and deletions only move what is known, and rows may come, go and change places at any call.

    Predictions equal those of the encoder up to rounding. They have no gradients, and the weights must not change.
    `Prediction.computed` counts the positions that the encoder reads: those that are new or in the sight of a new one.
    Sights are told apart by two checksums of 64 bits.

    A GPU would have to be waited for to tell how many places are new. Where the sampler tells what the last step did,
    as many places are computed instead as can be new.
    """

    def __init__(self, encoder: Encoder) -> None:
        shape = encoder.shape
        if not shape.local:
            raise ValueError("what is known lasts in blocks and in window attention without absolute positions only")
        self.encoder, self.blocks = encoder, shape.attention == "block"
        self.reach = 0 if self.blocks else shape.layers * shape.span
        sight, random = shape.span if self.blocks else 2 * self.reach + 1, torch.Generator().manual_seed(0)
        self.factors = torch.randint(-(2**63), 2**63 - 1, (sight, 1 + shape.axes, 2), generator=random) | 1
        self.sights = torch.empty(0, 2, dtype=torch.long)
        self.said: Prediction | None = None
        self.mark: object = None

    @torch.no_grad()
    def __call__(self, state: State) -> Prediction:
        batch, length = state.ids.shape
        if not batch or length <= len(self.factors):
            self.mark = None
            return self.encoder(state)
        state = replace(state, ids=state.ids.masked_fill(~state.valid, PAD))
        rows = in_blocks(state, self.encoder.shape.span) if self.blocks else state
        sights = self._sights(rows)
        new, source = self._recognised(sights.flatten(0, 1))
        read = self._read(rows, new.view(sights.shape[:2]))
        last = state.known and state.known.last
        if last and state.far:
            num_new, num_read = self._most(last, new.numel() // batch, read.numel() // batch)
        else:
            num_new, num_read = torch.stack((new.sum(), read.sum())).tolist()
        self.mark = last and last.mark
        at = places(new, num_new)
        said = self.encoder(rows[at]) if self.blocks else self._said_at(rows, at, read, num_read)
        known = said if self.said is None else concatenate_rows([self.said, said])
        self.sights = torch.cat((self.sights.to(sights.device), sights.flatten(0, 1)[at]))
        prediction = known.map(lambda field: field[source].reshape(batch, -1, *field.shape[2:])[:, :length])
        if len(self.sights) > KEPT * len(source):
            used = source if state.far else source.unique()
            self.sights, known = self.sights[used], known.map(lambda field: field[used])
        self.said = known
        margin = (read.shape[1] - rows.ids.shape[1]) // 2
        inside = read[:, margin : read.shape[1] - margin] & rows.valid
        return replace(prediction, computed=inside.view(batch, -1).sum(1))

    def _sights(self, rows: State) -> Int[Tensor, "R P 2"]:
        """Two checksums of the sight of each place, 0 for padding."""
        seen = rows.ids[..., None]
        if self.encoder.shape.axes and rows.coordinates is not None:
            seen = torch.cat((seen, rows.coordinates[..., : self.encoder.shape.axes]), -1)
        seen, factors = pad(seen, (0, 0, self.reach, self.reach)), self.factors.to(seen.device)
        num = seen.shape[1] - len(factors) + 1
        sums = seen.new_zeros(len(seen), num, 2)
        for offset, factor in enumerate(factors):
            sums += (seen[:, offset : offset + num, :, None] * factor).sum(2)
        return sums * rows.valid[:, :num, None]

    def _recognised(self, sights: Int[Tensor, "places 2"]) -> tuple[Bool[Tensor, "places"], Int[Tensor, "places"]]:
        """Which places are new, and for each the number of what is said there, when the new are known as well."""
        known = len(self.sights)
        every = torch.cat((self.sights.to(sights.device), sights))
        first = _first_of_each(every)[known:]
        new = first == torch.arange(known, len(every), device=first.device)
        number = known + new.cumsum(0) - 1
        return new, torch.where(first < known, first, number[(first - known).clamp(min=0)])

    def _read(self, rows: State, new: Bool[Tensor, "R P"]) -> Bool[Tensor, "R wide"]:
        """Which positions the encoder has to read. In windows there is PAD around each row, which no position sees."""
        if self.blocks:
            return new.expand_as(rows.ids)
        span = self.encoder.shape.span
        seen = max_pool1d(pad(new.float(), (span, span))[:, None], 2 * self.reach + 1, stride=1, padding=self.reach)
        return seen[:, 0] > 0

    def _most(self, last: LastStep, num_places: int, num_read: int) -> tuple[int, int]:
        """At most so many places are new and positions read, where each row has so many. Padding may be a new place."""
        edited, moved = last.edited, last.moved
        if last.since is not self.mark:
            edited, moved = torch.full_like(edited, num_places), torch.ones_like(moved)
        if self.blocks:
            return 1 + int(edited.clamp(max=num_places).masked_fill(moved, num_places).sum()), 0
        new, read = (edited * (reach + 2) for reach in (2 * self.reach, 4 * self.reach))
        return 1 + int(new.clamp(max=num_places).sum()), 1 + 2 * self.reach + int(read.clamp(max=num_read).sum())

    def _said_at(self, rows: State, new: Int[Tensor, "new"], read: Bool[Tensor, "R wide"], num_read: int) -> Prediction:
        """What is said at new positions. The encoder reads what it has to in one row, one stretch after another.

        Tokens that see what belongs to another stretch are too far from the new positions to matter.
        """
        span, length, wide = self.encoder.shape.span, rows.ids.shape[1], read.shape[1]
        at, number = places(read.flatten(), num_read), read.flatten().cumsum(0) - 1
        ids, grid = pad(rows.ids, (span, span)).flatten()[at], rows.coordinates
        if grid is not None:
            grid = pad(grid, (0, 0, span, span)).flatten(0, 1)[at][None]
        said = self.encoder(State(ids[None], torch.full_like(rows.lengths[:1], num_read), grid))
        centre = number[new // length * wide + new % length + span]
        return said.map(lambda field: field[0, centre, None])


def _first_of_each(sights: Int[Tensor, "places 2"]) -> Int[Tensor, "places"]:
    """For each place the number of the first one with the same sight."""
    here = torch.arange(len(sights), device=sights.device)
    sums, order = sights[:, 0].sort(stable=True)
    starts = torch.where(sums != sums.roll(1), here, 0).cummax(0).values
    first = torch.empty_like(order).scatter(0, order, order[starts])
    return torch.where(sights[first, 1] == sights[:, 1], first, here)
