"""The transition g of any-process generation. Training, sampler, traces and theory all use this one."""

from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import pad

from apmdm.edits import Edits
from apmdm.state import NOWHERE, State, trimmed
from apmdm.vocab import MASK, PAD


def transition(state: State, edits: Edits) -> State:
    """Apply one step to every position of every row at once (arXiv 2510.06190, the any-process transition).

    A MASK with delete disappears. Any other position with remask becomes, or stays, a MASK. A MASK with neither takes
    its content, and a token with neither stays. After each position that has not disappeared, insert adds one MASK with
    the same coordinates. Edits on padding are ignored.
    """
    effect = Effect.of(state, edits)
    if torch.equal(effect.kept & ~effect.inserted, state.valid):
        return trimmed(effect.in_place)
    return effect.moved(int(effect.lengths.max()) if len(state) else 0)


@dataclass(frozen=True)
class Effect:
    """What a step makes of each position. Nothing here waits for the device; `moved` has to be told a length.

    state: the state before. written: what stands at each position afterwards, if it is kept. kept: it does not
    disappear. inserted: a MASK comes after it.
    """

    state: State
    written: Int[Tensor, "batch length"]
    kept: Bool[Tensor, "batch length"]
    inserted: Bool[Tensor, "batch length"]

    @classmethod
    def of(cls, state: State, edits: Edits) -> "Effect":
        kept = state.valid & ~(state.masked & edits.delete)
        written = torch.where(state.masked, edits.content, state.ids)
        written = torch.where(edits.remask & state.valid, MASK, written)
        return cls(state, written, kept, kept & edits.insert)

    @cached_property
    def width(self) -> Int[Tensor, "batch length"]:
        """How many positions each one becomes."""
        return self.kept.long() + self.inserted

    @cached_property
    def lengths(self) -> Int[Tensor, "batch"]:
        return self.width.sum(1)

    @cached_property
    def start(self) -> Int[Tensor, "batch length"]:
        """Where each position comes to stand."""
        return self.width.cumsum(1) - self.width

    @property
    def moves(self) -> Bool[Tensor, "batch"]:
        """True for the rows in which something disappears or is inserted."""
        return ((self.kept & ~self.inserted) != self.state.valid).any(1)

    @property
    def edited(self) -> Int[Tensor, "batch"]:
        """At how many positions of each row something is written or inserted or disappears."""
        untouched = self.kept & ~self.inserted & (self.written == self.state.ids)
        return (untouched != self.state.valid).sum(1)

    def becomes(self, other: State) -> Bool[Tensor, "batch"]:
        """True for the rows that become those of the other state, coordinates included."""
        ids = pad(other.ids, (0, 1), value=PAD)
        first = self.start.clamp(max=ids.shape[1] - 1)
        second = (self.start + 1).clamp(max=ids.shape[1] - 1)
        same = (ids.gather(1, first) == self.written) & (~self.inserted | (ids.gather(1, second) == MASK))
        grid, others = self.state.coordinates, other.coordinates
        if grid is not None and others is not None:
            others = pad(others, (0, 0, 0, 1), value=NOWHERE)
            alike = [(_gathered(others, at) == grid).all(-1) for at in (first, second)]
            same &= alike[0] & (~self.inserted | alike[1])
        return (self.lengths == other.lengths) & (same | ~self.kept).all(1)

    @property
    def in_place(self) -> State:
        """The state after the step, if no row moves."""
        return State(self.written, self.state.lengths, self.state.coordinates)

    def moved(self, length: int) -> State:
        """The state after the step; length: of its longest row."""
        first = torch.where(self.kept, self.start, length)
        second = torch.where(self.inserted, self.start + 1, length)
        rows, coordinates = len(self.state), self.state.coordinates
        ids = self.written.new_full((rows, length + 1), PAD).scatter_(1, first, self.written)
        ids = ids.scatter_(1, second, MASK)[:, :length]
        if coordinates is None:
            return State(ids, self.lengths)
        axes = coordinates.shape[-1]
        grid = coordinates.new_full((rows, length + 1, axes), NOWHERE)
        for target in (first, second):
            grid.scatter_(1, target[..., None].expand(-1, -1, axes), coordinates)
        return State(ids, self.lengths, grid[:, :length])


def _gathered(
    grid: Int[Tensor, "batch wide axes"], at: Int[Tensor, "batch length"]
) -> Int[Tensor, "batch length axes"]:
    return grid.gather(1, at[..., None].expand(-1, -1, grid.shape[-1]))
