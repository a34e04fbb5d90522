"""State: a padded batch of token sequences, with optional integer coordinates for every position."""

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.vocab import MASK, PAD

NOWHERE = -1


@dataclass(frozen=True)
class Sequence:
    """One sequence without padding: its token ids, and optionally the coordinates of every position.

    A coordinate is NOWHERE where a position has none. A list of integers may be given as ids and becomes a tensor.
    Raises ValueError for ids that are not a row of integers, or a number of coordinates that does not fit.
    """

    ids: Int[Tensor, "length"]
    coordinates: Int[Tensor, "length axes"] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "ids", _as_ids(self.ids))
        if self.coordinates is not None and len(self.coordinates) != len(self.ids):
            raise ValueError(f"{len(self.ids)} tokens need as many coordinates, got {len(self.coordinates)}")

    def __len__(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device | str) -> "Sequence":
        return Sequence(self.ids.to(device), None if self.coordinates is None else self.coordinates.to(device))


@dataclass(frozen=True)
class LastStep:
    """What the last step did to each row of a state. All of it is on the CPU.

    edited: at how many positions something was written or inserted or disappeared; in a new row, its length.
    moved: whether something was inserted or disappeared; True for a new row.
    mark: an object that stands for this state. since: the mark of the state before the step.
    """

    edited: Int[Tensor, "batch"]
    moved: Bool[Tensor, "batch"]
    since: object
    mark: object


@dataclass(frozen=True)
class Known:
    """What is known of a state on the CPU, so that a model need not wait for a GPU to tell.

    full: every row is as long as the state, False if that is not known. alike: the coordinates of every row, None if
    they may differ.
    """

    full: bool = False
    alike: Int[Tensor, "length axes"] | None = None
    last: LastStep | None = None


@dataclass(frozen=True)
class State:
    """A batch of sequences, padded on the right to a common length.

    ids [batch, length] holds the tokens and PAD after them, lengths [batch] the number of tokens in each row, and
    coordinates [batch, length, axes] the coordinates of each position, NOWHERE (-1) where it has none. All are int64.
    known: what the sampler tells a model besides.
    """

    ids: Int[Tensor, "batch length"]
    lengths: Int[Tensor, "batch"]
    coordinates: Int[Tensor, "batch length axes"] | None = None
    known: Known | None = None

    @classmethod
    def stack(cls, sequences: Iterable[Sequence | Seq[int]]) -> "State":
        """Pad sequences, or lists of ids, into one batch.

        Raises ValueError if some have coordinates and others none, or if the numbers of axes differ.
        """
        rows = [one if isinstance(one, Sequence) else Sequence(_as_ids(one)) for one in sequences]
        if len({_axes(s) for s in rows}) > 1:
            raise ValueError("either every sequence has coordinates, equally many for a position, or none has")
        pad = torch.nn.utils.rnn.pad_sequence
        lengths = torch.tensor([len(s) for s in rows], dtype=torch.long)
        if not rows:
            return cls(torch.empty(0, 0, dtype=torch.long), lengths)
        ids = pad([s.ids for s in rows], batch_first=True, padding_value=PAD)
        if rows[0].coordinates is None:
            return cls(ids, lengths)
        grid = [s.coordinates for s in rows if s.coordinates is not None]
        return cls(ids, lengths, pad(grid, batch_first=True, padding_value=NOWHERE))

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def valid(self) -> Bool[Tensor, "batch length"]:
        """True at every position that is not padding."""
        return torch.arange(self.ids.shape[1], device=self.ids.device) < self.lengths[:, None]

    @cached_property
    def masked(self) -> Bool[Tensor, "batch length"]:
        """True at every MASK."""
        return self.ids == MASK

    @property
    def far(self) -> bool:
        """Whether to ask for a value means to wait for a GPU."""
        return self.ids.device.type != "cpu"

    @property
    def full(self) -> bool:
        """Whether every row is as long as the state."""
        return bool((self.lengths == self.ids.shape[1]).all()) if self.known is None else self.known.full

    @property
    def alike(self) -> bool:
        """Whether the coordinates of all rows agree."""
        grid = self.coordinates
        if grid is None or len(grid) == 1:
            return True
        return bool((grid == grid[:1]).all()) if self.known is None else self.known.alike is not None

    def sequence(self, row: int) -> Sequence:
        """One row without its padding."""
        length = int(self.lengths[row])
        grid = None if self.coordinates is None else self.coordinates[row, :length]
        return Sequence(self.ids[row, :length], grid)

    def map(self, function: Callable[[Tensor], Tensor]) -> "State":
        """The function applied to ids, lengths and coordinates."""
        grid = None if self.coordinates is None else function(self.coordinates)
        return State(function(self.ids), function(self.lengths), grid)

    def to(self, device: torch.device | str) -> "State":
        return self.map(lambda field: field.to(device))

    def __getitem__(self, rows: Int[Tensor, "rows"] | Bool[Tensor, "batch"] | slice) -> "State":
        """The chosen rows, in order, at the same padded length."""
        known = None if self.known is None else replace(self.known, last=None)
        return replace(self.map(lambda field: field[rows]), known=known)


def concatenate(first: State, second: State) -> State:
    """The rows of both, padded to the longer of the two. An empty first batch may differ in its coordinates."""
    if not len(first):
        return second
    if _axes(first) != _axes(second):
        raise ValueError("either both states have coordinates, equally many for a position, or neither has")
    first, second = _common_width(first, second)
    grid = None
    if first.coordinates is not None and second.coordinates is not None:
        grid = torch.cat((first.coordinates, second.coordinates))
    return State(torch.cat((first.ids, second.ids)), torch.cat((first.lengths, second.lengths)), grid)


def same_rows(first: State, second: State) -> Bool[Tensor, "batch"]:
    """True for every row that has the same tokens and coordinates in both states."""
    first, second = _common_width(first, second)
    same = (first.lengths == second.lengths) & (first.ids == second.ids).all(1)
    grid, other = first.coordinates, second.coordinates
    if grid is not other and grid is not None and other is not None:
        same &= (grid == other).flatten(1).all(1)
    return same


def trimmed(state: State) -> State:
    """The state without the columns in which every row is padding."""
    return narrowed(state, int(state.lengths.max()) if len(state) else 0)


def narrowed(state: State, width: int) -> State:
    """The first columns of the state; the others are padding in every row."""
    if width == state.ids.shape[1]:
        return state
    grid = None if state.coordinates is None else state.coordinates[:, :width]
    return State(state.ids[:, :width], state.lengths, grid)


def places(true: Bool[Tensor, "places"], num: int) -> Int[Tensor, "num"]:
    """The places that are True, at most `num`, and 0 for what is missing. To be told `num` spares a wait for a GPU."""
    here = torch.arange(len(true), device=true.device)
    slots = torch.where(true, true.cumsum(0) - 1, num)
    return here.new_zeros(num + 1).scatter(0, slots, here)[:num]


def choose_rows(rows: Bool[Tensor, "batch"], first: State, second: State) -> State:
    """Each row taken from `first` where `rows` is True, and from `second` where it is False."""
    first, second = _common_width(first, second)
    grid, other = first.coordinates, second.coordinates
    if grid is not other and grid is not None and other is not None:
        grid = torch.where(rows[:, None, None], grid, other)
    ids = torch.where(rows[:, None], first.ids, second.ids)
    return State(ids, torch.where(rows, first.lengths, second.lengths), grid)


def _as_ids(ids: object) -> Int[Tensor, "length"]:
    try:
        ids = torch.as_tensor(ids)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"the ids of a sequence are a list or tensor of integers, not {ids!r}") from None
    if ids.ndim != 1 or (len(ids) and (ids.is_floating_point() or ids.dtype == torch.bool)):
        raise ValueError(f"the ids of a sequence are one row of integers, not {ids.dtype} of shape {list(ids.shape)}")
    return ids.long()


def _axes(rows: Sequence | State) -> int | None:
    """The number of coordinates of a position, None if there are no coordinates."""
    return None if rows.coordinates is None else rows.coordinates.shape[-1]


def _common_width(*states: State) -> list[State]:
    width = max(state.ids.shape[1] for state in states)
    return [_widened(state, width) for state in states]


def _widened(state: State, width: int) -> State:
    missing = width - state.ids.shape[1]
    if not missing:
        return state
    ids = torch.nn.functional.pad(state.ids, (0, missing), value=PAD)
    grid = state.coordinates
    if grid is not None:
        grid = torch.nn.functional.pad(grid, (0, 0, 0, missing), value=NOWHERE)
    return State(ids, state.lengths, grid)
