"""An encoder that computes only what it has not computed before, for window and block attention.

Letters: B batch, L length, R rows, P places in a row, C positions in a place.
"""

from dataclasses import replace

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import max_pool1d, pad

from apmdm.model.encoder import Encoder, in_blocks
from apmdm.prediction import Prediction, concatenate_rows
from apmdm.state import State
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

    @torch.no_grad()
    def __call__(self, state: State) -> Prediction:
        batch, length = state.ids.shape
        if not batch or length <= len(self.factors):
            return self.encoder(state)
        state = replace(state, ids=state.ids.masked_fill(~state.valid, PAD))
        rows = in_blocks(state, self.encoder.shape.span) if self.blocks else state
        sights = self._sights(rows)
        new, source = self._recognised(sights.flatten(0, 1))
        new = new.view(sights.shape[:2])
        said, read = self._said_in_blocks(rows, new) if self.blocks else self._said_at_positions(rows, new)
        known = said if self.said is None else concatenate_rows([self.said, said])
        self._remember(known, source)
        prediction = known.map(lambda field: field[source].reshape(batch, -1, *field.shape[2:])[:, :length])
        return replace(prediction, computed=(read & rows.valid).view(batch, -1).sum(1))

    def _sights(self, rows: State) -> Int[Tensor, "R P 2"]:
        """Two checksums of the sight of each place, 0 for padding."""
        seen = rows.ids[..., None]
        if self.encoder.shape.axes and rows.coordinates is not None:
            seen = torch.cat((seen, rows.coordinates[..., : self.encoder.shape.axes]), -1)
        seen, factors = pad(seen, (0, 0, self.reach, self.reach)), self.factors.to(seen.device)
        places = seen.shape[1] - len(factors) + 1
        sums = seen.new_zeros(len(seen), places, 2)
        for offset, factor in enumerate(factors):
            sums += (seen[:, offset : offset + places, :, None] * factor).sum(2)
        return sums * rows.valid[:, :places, None]

    def _recognised(self, sights: Int[Tensor, "places 2"]) -> tuple[Bool[Tensor, "places"], Int[Tensor, "places"]]:
        """Which places are new, and for each the number of what is said there, when the new are known as well."""
        known = len(self.sights)
        every = torch.cat((self.sights.to(sights.device), sights))
        first = _first_of_each(every)[known:]
        new = first == torch.arange(known, len(every), device=first.device)
        self.sights = torch.cat((every[:known], sights[new]))
        number = known + new.cumsum(0) - 1
        return new, torch.where(first < known, first, number[(first - known).clamp(min=0)])

    def _said_in_blocks(self, rows: State, new: Bool[Tensor, "R 1"]) -> tuple[Prediction, Bool[Tensor, "R L"]]:
        """What is said in new blocks, and which positions the encoder reads for it."""
        return self.encoder(rows[new[:, 0]]), new.expand_as(rows.ids)

    def _said_at_positions(self, rows: State, new: Bool[Tensor, "R L"]) -> tuple[Prediction, Bool[Tensor, "R L"]]:
        """What is said at new positions, and which positions the encoder reads for it.

        It reads all of them in a row, one stretch after another. Tokens that see what belongs to another stretch are
        too far from the new positions to matter. Around each row is PAD, which no position sees.
        """
        span = self.encoder.shape.span
        ids, new = pad(rows.ids, (span, span)), pad(new, (span, span))
        read = max_pool1d(new.float()[:, None], 2 * self.reach + 1, stride=1, padding=self.reach)[:, 0] > 0
        shown, grid = ids[read][None], rows.coordinates
        if grid is not None:
            grid = pad(grid, (0, 0, span, span))[read][None]
        at = (read.flatten().cumsum(0) - 1)[new.flatten()]
        said = self.encoder(State(shown, torch.tensor([shown.shape[1]], device=ids.device), grid))
        return said.map(lambda field: field[0, at, None]), read[:, span:-span]

    def _remember(self, known: Prediction, source: Int[Tensor, "places"]) -> None:
        if len(self.sights) > KEPT * len(source):
            used = source.unique()
            self.sights, known = self.sights[used], known.map(lambda field: field[used])
        self.said = known


def _first_of_each(sights: Int[Tensor, "places 2"]) -> Int[Tensor, "places"]:
    """For each place the number of the first one with the same sight."""
    number, which = torch.arange(len(sights), device=sights.device), sights[:, 0].unique(return_inverse=True)[1]
    first = torch.full_like(number, len(sights)).scatter_reduce(0, which, number, "amin")[which]
    return torch.where(sights[first, 1] == sights[:, 1], first, number)
