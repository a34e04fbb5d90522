"""The transition g of any-process generation. Training, sampler, traces and theory all use this one."""

import torch

from apmdm.edits import Edits
from apmdm.state import NOWHERE, State, trimmed
from apmdm.vocab import MASK, PAD


def transition(state: State, edits: Edits) -> State:
    """Apply one step to every position of every row at once (arXiv 2510.06190, the any-process transition).

    A MASK with delete disappears. Any other position with remask becomes, or stays, a MASK. A MASK with neither takes
    its content, and a token with neither stays. After each position that has not disappeared, insert adds one MASK with
    the same coordinates. Edits on padding are ignored.
    """
    kept = state.valid & ~(state.masked & edits.delete)
    inserted = kept & edits.insert
    written = torch.where(state.masked, edits.content, state.ids)
    written = torch.where(edits.remask & state.valid, MASK, written)
    if torch.equal(kept & ~inserted, state.valid):
        return trimmed(State(written, state.lengths, state.coordinates))

    width = kept.long() + inserted
    lengths = width.sum(1)
    start = width.cumsum(1) - width
    length = int(lengths.max()) if len(lengths) else 0
    first = torch.where(kept, start, length)
    second = torch.where(inserted, start + 1, length)

    ids = state.ids.new_full((len(state), length + 1), PAD).scatter_(1, first, written)
    ids = ids.scatter_(1, second, MASK)[:, :length]
    if state.coordinates is None:
        return State(ids, lengths)
    axes = state.coordinates.shape[-1]
    grid = state.coordinates.new_full((len(state), length + 1, axes), NOWHERE)
    for target in (first, second):
        grid.scatter_(1, target[..., None].expand(-1, -1, axes), state.coordinates)
    return State(ids, lengths, grid[:, :length])
