"""Arrays on a state after another one: the numbers of `evaluate`, but only what may differ is computed anew.

Letters: N positions, all M of a state counted through its rows or some of them, V vocabulary.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import numpy as np
from jaxtyping import Int
from torch import Tensor

from apmdm.state import State
from apmdm.theory.array import Array, Atoms, Attend, Broadcast, Constant, Given, Place, in_order
from apmdm.theory.evaluate import Flags, Numbers, elementwise, of_tokens, place
from apmdm.vocab import Vocab

FEW, TABLE = 8, 2**22
"""Numbers that are looked for one by one; most keys of a table that are held at once."""

Places = Int[np.ndarray, "_"]
"""Positions, counted through the rows of a state, or keys of a table."""
NO_PLACES = np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class _Positions:
    """Where arrays are computed: at all positions of a state, or at some of them, with these numbers."""

    ids: Numbers
    row: Numbers
    column: Numbers
    after_begin: Flags
    inside: Flags
    numbers: Places | None = None

    @classmethod
    def of(cls, state: State, begin: int) -> "_Positions":
        """All of a state's."""
        row, column = (axis.reshape(-1) for axis in np.indices(state.ids.shape))
        after_begin = column >= begin
        inside = state.valid.numpy().reshape(-1) & after_begin
        return cls(state.ids.numpy().reshape(-1).copy(), row, column, after_begin, inside)

    def take(self, state: State) -> Places:
        """Takes over the tokens of a state of the same lengths; returns where they are new."""
        ids = state.ids.numpy().reshape(-1)
        at = np.flatnonzero(self.ids != ids)
        self.ids[at] = ids[at]
        return at

    def at(self, numbers: Places) -> "_Positions":
        ids, row, column = self.ids[numbers], self.row[numbers], self.column[numbers]
        return _Positions(ids, row, column, self.after_begin[numbers], self.inside[numbers], numbers)


class Evaluator:
    """The numbers of arrays at every position of a state.

    With `awake` only what is attended to is computed everywhere, all else where that bit is set. After a state of the
    same lengths only what may differ from there is computed, in place: results hold until the next call.
    """

    def __init__(
        self,
        outputs: Sequence[Array],
        vocab: Vocab,
        *,
        begin: bool = True,
        awake: Array | None = None,
    ) -> None:
        self.outputs, self.awake, self.begin = list(outputs), awake, int(begin)
        first = [] if awake is None else [awake]
        self.order = list(in_order([*first, *outputs]))
        attentions = [array for array in self.order if isinstance(array, Attend | Broadcast)]
        needed = [one for array in attentions for one in array.sources]
        needed += [array for array in self.order if isinstance(array, Given)]
        self.everywhere = set(self.order) if self.awake is None else set(in_order([*first, *needed]))
        self.each_time = {one for one in self.order if isinstance(one, Atoms | Given) or one not in self.everywhere}
        self.each_time |= set(first)
        self.rows = max(1, TABLE >> max(map(_key_bits, attentions), default=0))
        self.of_token = {array: of_tokens(array, vocab) for array in self.order if isinstance(array, Atoms)}
        self.known = _Known()

    def __call__(self, state: State, given: Mapping[Array, Numbers] | None = None) -> dict[Array, np.ndarray]:
        """The outputs, where they are computed: `computed_at`; positions are counted through the rows.

        Raises ValueError if the state is too long for the bits of some place.
        """
        known, self.known = self.known, _Known()
        if not known.as_long_as(state):
            known = _Known()
        look = _Look(self, known, state, given or {})
        for array in self.order:
            look.compute(array)
        self.known = known
        return dict(zip(self.outputs, look.seen_from(look.some, self.outputs), strict=True))

    @property
    def computed_at(self) -> Places | None:
        """Where the outputs of the last call are computed, None for everywhere."""
        return self.known.awake


@dataclass
class _Table:
    """Of an attention: the last position that has a key, and the key that each position has; -1 for none.

    Keys of different rows differ.
    """

    last: Int[np.ndarray, "keys"]
    key: Int[np.ndarray, "positions"]

    @classmethod
    def of(cls, key: Int[np.ndarray, "positions"], num_keys: int) -> "_Table":
        having, last = np.flatnonzero(key >= 0), np.full(num_keys, -1)
        np.maximum.at(last, key[having], having)
        return cls(last, key)

    def update(self, at: Places, key: Places) -> Places:
        """Gives these positions other keys; returns the keys whose last position changed."""
        old, self.key[at] = self.key[at], key
        if ((self.last[old] == at) & (old >= 0)).any():
            before, self.last = self.last, _Table.of(self.key, len(self.last)).last
            return np.flatnonzero(before != self.last)
        at, key = at[key >= 0], key[key >= 0]
        before = self.last[key]
        np.maximum.at(self.last, key, at)
        return key[self.last[key] != before]


@dataclass
class _Known:
    """What was computed for the last state: numbers, tables of attentions, what these were asked and found."""

    lengths: Int[Tensor, "batch"] | None = None
    positions: _Positions | None = None
    awake: Places | None = None
    values: dict[Array, Numbers] = field(default_factory=dict)
    tables: dict[tuple[Array, ...], _Table] = field(default_factory=dict)
    asked: dict[Array, Numbers] = field(default_factory=dict)
    answers: dict[Array, Numbers] = field(default_factory=dict)

    def as_long_as(self, state: State) -> bool:
        if self.lengths is None or self.positions is None:
            return False
        return len(self.positions.ids) == state.ids.numel() and self.lengths.equal(state.lengths)


class _Look:
    """One evaluation, array by array.

    changed: of arrays with new numbers where those are, None for everywhere; moved: of tables the keys with another
    last position, None for all.
    """

    def __init__(self, evaluator: Evaluator, known: _Known, state: State, given: Mapping[Array, Numbers]) -> None:
        self.of, self.known, self.given = evaluator, known, given
        self.new_tokens = known.positions.take(state) if known.positions else None
        self.everywhere = self.some = known.positions or _Positions.of(state, evaluator.begin)
        known.positions, known.lengths = self.everywhere, state.lengths
        self.changed: dict[Array, Places | None] = {}
        self.moved: dict[tuple[Array, ...], Places | None] = {}

    def compute(self, array: Array) -> None:
        if self._is_as_before(array):
            return
        if isinstance(array, Attend | Broadcast) and array.found_by not in self.moved:
            self.moved[array.found_by] = self._find(array)
        if array not in self.of.everywhere:
            self.known.values[array] = self._numbers(array, self.some)
            return
        old = self.known.values.get(array)
        at = None if old is None else self._may_differ(array)
        if at is None:
            found = self.known.values[array] = self._numbers(array, self.everywhere)
            at = None if old is None else np.flatnonzero(found != old)
        elif len(at) and old is not None:
            found = self._numbers(array, self.everywhere.at(at))
            differs = old[at] != found
            old[at] = found
            at = at[differs]
        if at is None or len(at):
            self.changed[array] = at
        if array is self.of.awake:
            self.known.awake = _where_set(self.known.values[array], self.known.awake, at)
            self.some = self.everywhere.at(self.known.awake)

    def _is_as_before(self, array: Array) -> bool:
        known = array in self.known.values and array not in self.of.each_time
        return known and self.changed.keys().isdisjoint(array.inputs)

    def seen_from(self, here: _Positions, arrays: Sequence[Array]) -> list[Numbers]:
        values, at = self.known.values, here.numbers
        if at is None:
            return [values[one] for one in arrays]
        return [values[one][at] if one in self.of.everywhere else values[one] for one in arrays]

    def _numbers(self, array: Array, here: _Positions) -> Numbers:
        inputs = self.seen_from(here, array.inputs)
        match array:
            case Constant(value=value):
                found = np.full(len(here.ids), value)
            case Atoms():
                found = self.of.of_token[array][here.ids]
            case Given():
                found = self.given[array] if here.numbers is None else self.given[array][here.numbers]
            case Place():
                found = place(array, here.column)
            case Attend() | Broadcast():
                found = self._attended(array, inputs, here)
            case _:
                found = elementwise(array, inputs)
        return found * here.after_begin

    def _attended(self, array: Attend | Broadcast, inputs: Sequence[Numbers], here: _Positions) -> Numbers:
        asked = _entries(array, inputs, here.row)
        answers = self.known.tables[array.found_by].last[asked]
        if here.numbers is None:
            self.known.asked[array], self.known.answers[array] = asked.astype(np.int32), answers.astype(np.int32)
        elif array in self.of.everywhere:
            self.known.asked[array][here.numbers], self.known.answers[array][here.numbers] = asked, answers
        return _read(answers, self.known.values[array.value])

    def _may_differ(self, array: Array) -> Places | None:
        """Where an array that is known may have other numbers now."""
        match array:
            case Atoms():
                return self.new_tokens
            case Given():
                return np.flatnonzero(self.given[array] != self.known.values[array])
            case Attend() | Broadcast():
                keys, values = self.moved[array.found_by], self._changes(array.value)
                if keys is None or values is None:
                    return None
                parts = [self._changes(array.query)] if isinstance(array, Attend) else []
                for numbers, chosen in ((self.known.asked, keys), (self.known.answers, values)):
                    if len(chosen):
                        parts.append(_where_among(numbers[array], chosen))
                return _union(parts)
        return self._changes(*array.inputs)

    def _changes(self, *arrays: Array) -> Places | None:
        return _union([self.changed[one] for one in arrays if one in self.changed])

    def _find(self, array: Attend | Broadcast) -> Places | None:
        """Brings the table of an attention up to date; returns the keys with another last position, None for all."""
        arrays, table = array.found_by, self.known.tables.get(array.found_by)
        at = self._changes(*arrays)
        if table is None or at is None:
            values = [self.known.values[one] for one in arrays]
            self.known.tables[arrays] = _table(array, values, self.everywhere.inside, self.everywhere.row)
            return None
        if not len(at):
            return at
        here = self.everywhere.at(at)
        return table.update(at, _keys(array, self.seen_from(here, arrays), here.inside, here.row))


def _where_set(numbers: Numbers, before: Places | None, changed: Places | None) -> Places:
    """Where numbers are not 0, given where they were not before a change at these places."""
    if before is None or changed is None:
        return np.flatnonzero(numbers > 0)
    perhaps = np.union1d(before, changed)
    return perhaps[numbers[perhaps] > 0]


def _where_among(numbers: Numbers, chosen: Places) -> Places:
    """Where one of the chosen numbers is; for a few np.isin takes four to ten times as long as comparing them."""
    among = np.isin(numbers, chosen) if len(chosen) > FEW else reduce(or_, [numbers == one for one in chosen])
    return np.flatnonzero(among)


def _union(parts: Sequence[Places | None]) -> Places | None:
    """All of these places, None if one of the parts is None."""
    some: list[Places] = []
    for part in parts:
        if part is None:
            return None
        if len(part):
            some.append(part)
    return NO_PLACES if not some else some[0] if len(some) == 1 else np.unique(np.concatenate(some))


def _key_bits(array: Attend | Broadcast) -> int:
    return array.key.bits if isinstance(array, Attend) else 0


def _table(array: Attend | Broadcast, found_by: Sequence[Numbers], inside: Flags, row: Numbers) -> _Table:
    return _Table.of(_keys(array, found_by, inside, row), (1 + int(row.max(initial=-1))) << _key_bits(array))


def _keys(array: Attend | Broadcast, found_by: Sequence[Numbers], inside: Flags, row: Numbers) -> Numbers:
    where, *keys = found_by
    return np.where((where > 0) & inside, _entries(array, keys, row), -1)


def _entries(array: Attend | Broadcast, keys: Sequence[Numbers], row: Numbers) -> Numbers:
    """Keys or queries, the first of `keys`, as a table counts them; a broadcast has a single one in each row."""
    entry = row << _key_bits(array)
    return entry + keys[0] if isinstance(array, Attend) else entry


def _read(answers: Numbers, value: Int[np.ndarray, "M"]) -> Numbers:
    return np.where(answers < 0, 0, value[answers])
