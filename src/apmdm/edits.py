"""Edits: what one decoding step does at every position. `edits_between` infers them from two states."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.state import State
from apmdm.vocab import MASK, PAD, Vocab


@dataclass(frozen=True)
class Edits:
    """What happens at every position: y, r, e and d of the transition g (arXiv 2510.06190), each [batch, length].

    content is the token that is written, and is read only at a MASK that is neither remasked nor deleted. remask makes
    a token a MASK and lets a MASK wait. insert adds a MASK after the position. delete removes a MASK.
    """

    content: Int[Tensor, "batch length"]
    remask: Bool[Tensor, "batch length"]
    insert: Bool[Tensor, "batch length"]
    delete: Bool[Tensor, "batch length"]

    @classmethod
    def of(
        cls,
        content: Int[Tensor, "batch length"],
        remask: Bool[Tensor, "batch length"] | None = None,
        insert: Bool[Tensor, "batch length"] | None = None,
        delete: Bool[Tensor, "batch length"] | None = None,
    ) -> "Edits":
        """Edits in which the bits that are left out are False everywhere."""
        never = torch.zeros_like(content, dtype=torch.bool)
        return cls(content, *(never if bit is None else bit for bit in (remask, insert, delete)))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        return self.content, self.remask, self.insert, self.delete

    def map(self, function: Callable[[Tensor], Tensor]) -> "Edits":
        """The function applied to each of the four tensors."""
        return Edits(*map(function, self.tensors))

    def unmasked(self, state: State) -> Bool[Tensor, "batch length"]:
        """True where this step writes content."""
        return state.masked & ~self.remask & ~self.delete

    def to(self, device: torch.device | str) -> "Edits":
        return self.map(lambda field: field.to(device))

    def __getitem__(self, rows: Int[Tensor, "rows"] | Bool[Tensor, "batch"] | slice) -> "Edits":
        return self.map(lambda field: field[rows])


KEEP, DELETE, INSERT, BEYOND = range(4)


def edits_between(state: State, next_state: State, vocab: Vocab | None = None) -> Edits:
    """The edits with transition(state, edits) == next_state that insert and delete least, then change least.

    Raises ValueError where no edits lead from one to the other. The message names the row and shows its tokens, as
    symbols if a vocabulary is given.
    """
    if len(state) != len(next_state):
        raise ValueError(f"both states need the same number of rows, got {len(state)} and {len(next_state)}")
    if (state.coordinates is None) != (next_state.coordinates is None):
        raise ValueError("either both states have coordinates or neither has")
    before, after = state.ids, next_state.ids
    if before.shape == after.shape and bool((state.lengths == next_state.lengths).all()):
        in_place = (before == after) | state.masked | next_state.masked
        if state.coordinates is not None and next_state.coordinates is not None:
            in_place &= (state.coordinates == next_state.coordinates).all(-1)
        if bool((in_place | ~state.valid).all()):
            return _aligned(state, after, torch.full_like(before, KEEP))
    choices, possible = _cheapest_alignment(state, next_state)
    if not bool(possible.all()):
        row = int((~possible).nonzero()[0])
        raise ValueError(
            f"row {row}: no edits lead from {_shown(state, row, vocab)} to {_shown(next_state, row, vocab)}; "
            "a token may only become MASK, only a MASK may become a token or disappear, and one MASK may be inserted "
            "after each position"
        )
    width = (choices == KEEP) + 2 * (choices == INSERT)
    start = width.cumsum(1) - width
    return _aligned(state, torch.nn.functional.pad(after, (0, 1), value=PAD).gather(1, start), choices)


def _aligned(state: State, became: Int[Tensor, "batch length"], choices: Int[Tensor, "batch length"]) -> Edits:
    kept = state.valid & (choices != DELETE)
    remask = kept & (became == MASK)
    content = torch.where(kept & state.masked & ~remask, became, PAD)
    return Edits(content, remask, choices == INSERT, choices == DELETE)


def _cheapest_alignment(state: State, next_state: State) -> tuple[Int[Tensor, "batch length"], Bool[Tensor, "batch"]]:
    """What happens to every position: KEEP, DELETE, INSERT (it stays and a MASK is inserted after it) or BEYOND.

    The second result is True for the rows in which this leads to the next state.

    This is dynamic programming over all rows at once. cost[:, j] is the least cost of turning the positions so far into
    the first j positions of the next state.
    """
    legal, changed, insertable = _compatibility(state, next_state)
    rows, n, m = legal.shape
    structural = n + m + 1
    impossible = structural * structural * 4
    cost = torch.full((rows, m + 1), impossible, device=legal.device)
    cost[:, 0] = 0
    moves = torch.empty(n, rows, m + 1, dtype=torch.int8, device=legal.device)
    for i in range(n):
        options = torch.full((4, rows, m + 1), impossible, device=legal.device)
        options[KEEP, :, 1:] = torch.where(legal[:, i], cost[:, :-1] + changed[:, i], impossible)
        options[DELETE] = torch.where(state.masked[:, i, None], cost + structural, impossible)
        options[INSERT, :, 2:] = torch.where(insertable[:, i, 1:], options[KEEP, :, 1:-1] + structural, impossible)
        beyond = (i >= state.lengths)[:, None]
        options[:BEYOND] = options[:BEYOND].masked_fill(beyond, impossible)
        options[BEYOND] = torch.where(beyond, cost, impossible)
        cost, moves[i] = options.min(0)
    final = cost.gather(1, next_state.lengths[:, None])[:, 0]
    return _backtrack(moves, next_state.lengths), final < impossible


def _shown(state: State, row: int, vocab: Vocab | None) -> str:
    ids = state.sequence(row).ids.tolist()
    return str(ids) if vocab is None else " ".join(vocab.decode(ids)) or "nothing"


def _compatibility(state: State, next_state: State) -> tuple[Tensor, Tensor, Tensor]:
    """Three tensors [batch, n, m]: position i may become j, becoming j changes it, j may be inserted after i."""
    before, after = state.ids[:, :, None], next_state.ids[:, None, :]
    same_place = next_state.valid[:, None, :]
    if state.coordinates is not None and next_state.coordinates is not None:
        same_place = same_place & (state.coordinates[:, :, None] == next_state.coordinates[:, None]).all(-1)
    legal = ((before == MASK) | (after == MASK) | (before == after)) & same_place
    return legal, (before != after).long(), ((after == MASK) & same_place).expand_as(legal)


def _backtrack(
    moves: Int[Tensor, "length batch next_positions"], j: Int[Tensor, "batch"]
) -> Int[Tensor, "batch length"]:
    taken = moves.new_empty(moves.shape[:2])
    used = torch.tensor([1, 0, 2, 0], device=moves.device)
    for i in reversed(range(len(moves))):
        taken[i] = moves[i].gather(1, j[:, None])[:, 0]
        j = (j - used[taken[i].long()]).clamp(min=0)
    return taken.T.long()


def one_step(state: State, next_state: State) -> Bool[Tensor, "batch"]:
    """True for the rows where some edits lead from one state to the other."""
    _, possible = _cheapest_alignment(state, next_state)
    return possible
