"""Arrays on a state, and policies made of arrays: what they write and which control bits they set.

Letters: B batch, L length, V vocabulary, A atoms, R C rows and columns of the positions at which something is computed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, reduce
from operator import or_

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.model.encoder import in_blocks
from apmdm.prediction import Prediction, joined
from apmdm.state import State
from apmdm.theory.array import (
    Array,
    Atoms,
    Attend,
    Bits,
    Broadcast,
    Choose,
    Constant,
    Given,
    Lookup,
    Map,
    Place,
    Together,
    in_order,
)
from apmdm.vocab import MASK, PAD, Vocab

SURE = 40.0
FEW, TABLE = 8, 2**22
"""Numbers that are looked for one by one; most keys of a table that are held at once."""

Numbers = Int[Tensor, "B L"]
Some = Int[Tensor, "R C"]
Places = Int[Tensor, "_"]
"""Positions, counted through the rows of a state, or keys of a table."""
NO_PLACES = torch.empty(0, dtype=torch.long)
OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "and": torch.bitwise_and,
    "or": torch.bitwise_or,
    "xor": torch.bitwise_xor,
    "not": torch.bitwise_not,
    "add": torch.add,
    "sub": torch.sub,
    "eq": torch.eq,
    "lt": torch.lt,
    "shl": lambda a, b: a << b.clamp(max=40),
    "shr": lambda a, b: a >> b.clamp(max=40),
    "nonzero": lambda a: a != 0,
}


@dataclass(frozen=True)
class Policy:
    """What every position does, from arrays: an AP-MDM that the sampler runs in place of a model.

    content: for each atom of the vocabulary a bit, whether the token to write has it; none: it never has.
    controls: the bits remask, insert and delete; what is left out never happens.
    chances: (an atom or a control, a bit, how much is added to its logit where the bit is set): with any, the policy
    gives probabilities instead of decisions; without, what is decided is certain.
    begin: sequences start with a token at which every array is 0. block: attention stays within blocks of so many
    positions. awake: where this bit is 0 nothing happens, so there a policy that decides need not be evaluated.
    audit: evaluate everywhere, and check that maps are elementwise, that the first and the last position that an
    attention finds agree, and that nothing happens where `awake` is 0.
    """

    vocab: Vocab
    content: Mapping[str, Array]
    controls: Mapping[str, Array]
    chances: Sequence[tuple[str, Array, float]] = ()
    begin: bool = True
    block: int = 0
    awake: Array | None = None
    audit: bool = field(default=False, compare=False)

    @property
    def outputs(self) -> list[Array]:
        return [*self.content.values(), *self.controls.values(), *(bit for _, bit, _ in self.chances)]

    def __call__(self, state: State, given: Mapping[Array, Numbers] | None = None) -> Edits | Prediction:
        inside = in_blocks(state, self.block) if self.block else state
        size, parts = self._evaluator.rows, []
        for first in range(0, max(1, len(inside)), size):
            part = slice(first, first + size)
            some = inside if len(inside) <= size else inside[part]
            values = self._evaluator(some, given and {one: numbers[part] for one, numbers in given.items()})
            parts.append(self._probabilities(values) if self.chances else self._decisions(values, some))
        decided = joined(parts)
        if not self.block:
            return decided
        rows, length = state.ids.shape
        fields = [field for field in vars(decided).values() if field is not None]
        return type(decided)(*(field.reshape(rows, -1, *field.shape[2:])[:, :length] for field in fields))

    def _decisions(self, values: Mapping[Array, Numbers], state: State) -> Edits:
        code = torch.zeros_like(values[self.outputs[0]])
        for atom, bit in self.content.items():
            code |= values[bit] << self.vocab.atoms.index(atom)
        nothing = torch.zeros_like(code, dtype=torch.bool)
        bits = [
            values[self.controls[name]].bool() if name in self.controls else nothing
            for name in ("remask", "insert", "delete")
        ]
        edits = Edits(self.tokens(code), *bits)
        if self.awake is not None:
            edits = self._elsewhere_nothing(edits, values[self.awake].bool(), state)
        written = edits.content.view(-1)[_where(edits.unmasked(state) & state.valid)]
        if bool((written <= MASK).any()):
            raise ValueError("the policy writes something that is no token of its vocabulary")
        return edits

    def _elsewhere_nothing(self, edits: Edits, awake: Bool[Tensor, "B L"], state: State) -> Edits:
        """Edits of the positions that are awake, or in an audit of all, as edits of all."""
        if self.audit:
            happens = torch.where(state.masked, edits.delete | ~edits.remask, edits.remask) | edits.insert
            if bool((happens & state.valid & ~awake).any()):
                raise ValueError("something happens where the policy is not awake")
            return edits
        at = _where(awake)
        before = (torch.zeros_like(state.ids), state.masked.clone(), *(torch.zeros_like(awake) for _ in range(2)))
        for all_of_them, some in zip(before, vars(edits).values(), strict=True):
            all_of_them.view(-1)[at] = some[0]
        return Edits(*before)

    def tokens(self, code: Numbers) -> Numbers:
        """The token with these atoms, a bit for each in the order of the vocabulary; PAD if there is none."""
        codes, ids = self._codes
        place = torch.searchsorted(codes, code).clamp(max=len(codes) - 1)
        return torch.where(codes[place] == code, ids[place], PAD)

    @cached_property
    def _evaluator(self) -> "Evaluator":
        return Evaluator(self.outputs, self.vocab, begin=self.begin, awake=self.awake, audit=self.audit)

    @cached_property
    def _composition(self) -> Float[Tensor, "V A"]:
        return self.vocab.composition()

    @cached_property
    def _codes(self) -> tuple[Int[Tensor, "V"], Int[Tensor, "V"]]:
        """The atoms of each symbol as a number, ascending, and the ids of the symbols in that order."""
        weights = 2 ** torch.arange(len(self.vocab.atoms))
        codes, ids = (self._composition.long() * weights).sum(1).sort()
        return codes, ids

    def _probabilities(self, values: Mapping[Array, Numbers]) -> Prediction:
        logits = {name: SURE * (2 * values[bit] - 1).float() for name, bit in {**self.content, **self.controls}.items()}
        never = torch.full_like(next(iter(logits.values())), -SURE)
        for name, bit, amount in self.chances:
            logits[name] = logits.get(name, never) + amount * values[bit]
        scores = torch.stack([logits.get(atom, never) for atom in self.vocab.atoms], -1)
        content = scores @ self._composition.T
        content[..., [PAD, MASK]] = -torch.inf
        return Prediction(content, *(logits.get(name, never) for name in ("remask", "insert", "delete")))


@dataclass(frozen=True)
class _Positions:
    """Where arrays are computed: at all positions of a state, or at some of them, which then form a single row."""

    ids: Some
    row: Some
    column: Some

    @classmethod
    def of(cls, state: State, known: "_Positions | None" = None) -> "_Positions":
        """All of a state's; known: those of one of the same shape."""
        if known is not None:
            return cls(state.ids, known.row, known.column)
        rows, length = state.ids.shape
        return cls(
            state.ids, torch.arange(rows)[:, None].expand(rows, length), torch.arange(length).expand(rows, length)
        )

    def at(self, numbers: Places) -> "_Positions":
        """Some of all positions, by their numbers counted through the rows."""
        length = self.ids.shape[1]
        return _Positions(self.ids.flatten()[numbers][None], (numbers // length)[None], (numbers % length)[None])


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
        audit: bool = False,
    ) -> None:
        self.outputs = list(outputs) if awake is None or not audit else [awake, *outputs]
        first = [] if awake is None else [awake]
        self.order, self.begin, self.audit = list(in_order([*first, *outputs])), int(begin), audit
        self.awake = None if audit else awake
        attentions = [array for array in self.order if isinstance(array, Attend | Broadcast)]
        needed = [one for array in attentions for one in array.sources]
        needed += [array for array in self.order if isinstance(array, Given)]
        self.everywhere = set(self.order) if self.awake is None else set(in_order([*first, *needed]))
        self.each_time = {one for one in self.order if isinstance(one, Atoms | Given) or one not in self.everywhere}
        self.each_time |= set(first)
        self.rows = max(1, TABLE >> max(map(_key_bits, attentions), default=0))
        composition = vocab.composition().long()
        self.of_token = {
            array: _by_token(array, vocab, composition) for array in self.order if isinstance(array, Atoms)
        }
        self.known = _Known()

    def __call__(self, state: State, given: Mapping[Array, Numbers] | None = None) -> dict[Array, Tensor]:
        """The outputs, where they are computed, and `awake` everywhere.

        Raises ValueError if the state is too long for the bits of some place.
        """
        known, self.known = self.known, _Known()
        if self.audit or not known.as_long_as(state):
            known = _Known()
        look = _Look(self, known, state, given or {})
        for array in self.order:
            look.compute(array)
        self.known = known
        known.state = state
        result = dict(zip(self.outputs, look.seen_from(look.some, self.outputs), strict=True))
        return result if self.awake is None else result | {self.awake: known.values[self.awake]}


@dataclass
class _Table:
    """Of an attention: the last position that has a key, and the key that each position has; -1 for none.

    Positions are counted through the rows, and keys of different rows differ.
    """

    last: Int[Tensor, "keys"]
    key: Int[Tensor, "positions"]

    @classmethod
    def of(cls, key: Int[Tensor, "positions"], num_keys: int) -> "_Table":
        having = _where(key >= 0)
        return cls(torch.full((num_keys,), -1).scatter_reduce_(0, key[having], having, "amax"), key)

    def update(self, at: Places, key: Places) -> Places:
        """Gives these positions other keys; returns the keys whose last position changed."""
        old, self.key[at] = self.key[at], key
        if bool(((self.last[old] == at) & (old >= 0)).any()):
            before, self.last = self.last, _Table.of(self.key, len(self.last)).last
            return _where(before != self.last)
        at, key = at[key >= 0], key[key >= 0]
        before = self.last[key]
        self.last.scatter_reduce_(0, key, at, "amax")
        return key[self.last[key] != before]


@dataclass
class _Known:
    """What was computed for the last state: numbers, tables of attentions, what these were asked and found."""

    state: State | None = None
    positions: _Positions | None = None
    values: dict[Array, Tensor] = field(default_factory=dict)
    tables: dict[tuple[Array, ...], _Table] = field(default_factory=dict)
    asked: dict[Array, Some] = field(default_factory=dict)
    answers: dict[Array, Some] = field(default_factory=dict)

    def as_long_as(self, state: State) -> bool:
        last = self.state
        return last is not None and last.ids.shape == state.ids.shape and last.lengths.equal(state.lengths)


class _Look:
    """One evaluation, array by array.

    changed: of arrays with new numbers where those are, None for everywhere; moved: of tables the keys with another
    last position, None for all.
    """

    def __init__(self, evaluator: Evaluator, known: _Known, state: State, given: Mapping[Array, Numbers]) -> None:
        self.of, self.known, self.given = evaluator, known, given
        self.inside = state.valid.clone()
        self.inside[:, : evaluator.begin] = False
        self.everywhere = self.some = known.positions = _Positions.of(state, known.positions)
        self.changed: dict[Array, Places | None] = {}
        self.moved: dict[tuple[Array, ...], Places | None] = {}
        self.new_tokens = None if known.state is None else _where(known.state.ids.numpy() != state.ids.numpy())

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
            at = None if old is None else _where(found != old)
        elif len(at) and old is not None:
            found = self._numbers(array, self.everywhere.at(at))[0]
            differs = old.view(-1)[at] != found
            old.view(-1)[at] = found
            at = at[differs]
        if at is None or len(at):
            self.changed[array] = at
        if array is self.of.awake:
            self.some = self.everywhere.at(_where(self.known.values[array] > 0))

    def _is_as_before(self, array: Array) -> bool:
        known = array in self.known.values and array not in self.of.each_time
        return known and self.changed.keys().isdisjoint(array.inputs)

    def seen_from(self, here: _Positions, arrays: Sequence[Array]) -> list[Tensor]:
        away = self.of.everywhere if here is not self.everywhere else ()
        values = self.known.values
        return [values[one][here.row, here.column] if one in away else values[one] for one in arrays]

    def _numbers(self, array: Array, here: _Positions) -> Some:
        inputs = self.seen_from(here, array.inputs)
        match array:
            case Constant(value=value):
                found = torch.full_like(here.ids, value)
            case Atoms():
                found = self.of.of_token[array][here.ids]
            case Given():
                found = self.given[array][here.row, here.column]
            case Place():
                found = place(array, here.column)
            case Attend() | Broadcast():
                asked = _entries(array, inputs, here.row)
                answers = self.known.tables[array.found_by].last[asked]
                found = _read(answers, self.known.values[array.value])
                if here is self.everywhere:
                    self.known.asked[array], self.known.answers[array] = asked, answers
                elif array in self.of.everywhere:
                    self.known.asked[array][here.row, here.column] = asked
                    self.known.answers[array][here.row, here.column] = answers
            case _:
                found = elementwise(array, inputs)
        if self.of.audit:
            _audit(array, inputs, found, here.row, self.inside)
        return found.masked_fill(here.column < self.of.begin, 0)

    def _may_differ(self, array: Array) -> Places | None:
        """Where an array that is known may have other numbers now."""
        match array:
            case Atoms():
                return self.new_tokens
            case Given():
                return _where(self.given[array] != self.known.values[array])
            case Attend() | Broadcast():
                keys, values = self.moved[array.found_by], self._changes(array.value)
                if keys is None or values is None:
                    return None
                parts = [self._changes(array.query)] if isinstance(array, Attend) else []
                if len(keys):
                    parts.append(_where(_among(self.known.asked[array], keys)))
                if len(values):
                    parts.append(_where(_among(self.known.answers[array], values)))
                return _union(parts)
        return self._changes(*array.inputs)

    def _changes(self, *arrays: Array) -> Places | None:
        return _union([self.changed[one] for one in arrays if one in self.changed])

    def _find(self, array: Attend | Broadcast) -> Places | None:
        """Brings the table of an attention up to date; returns the keys with another last position, None for all."""
        arrays, table = array.found_by, self.known.tables.get(array.found_by)
        at = self._changes(*arrays)
        if table is None or at is None:
            self.known.tables[arrays] = _table(array, [self.known.values[one] for one in arrays], self.inside)
            return None
        if not len(at):
            return at
        here = self.everywhere.at(at)
        inside = self.inside[here.row, here.column]
        return table.update(at, _keys(array, self.seen_from(here, arrays), inside, here.row)[0])


def _where(bits: Bool[Tensor, "..."] | Bool[np.ndarray, "..."]) -> Places:
    return torch.from_numpy(np.flatnonzero(bits))


def _among(numbers: Some, chosen: Places) -> Bool[np.ndarray, "R C"]:
    """Which numbers are chosen; for a few isin takes ten times as long, and PyTorch everywhere twice to five times."""
    of, few = numbers.numpy(), chosen.numpy()
    return np.isin(of, few) if len(few) > FEW else reduce(or_, [of == one for one in few])


def _union(parts: Sequence[Places | None]) -> Places | None:
    """All of these places, None if one of the parts is None."""
    some: list[Places] = []
    for part in parts:
        if part is None:
            return None
        if len(part):
            some.append(part)
    return NO_PLACES if not some else some[0] if len(some) == 1 else torch.cat(some).unique()


def _by_token(array: Atoms, vocab: Vocab, composition: Int[Tensor, "V A"]) -> Int[Tensor, "V"]:
    columns = composition[:, [vocab.atoms.index(name) for name in array.names]]
    return (columns * 2 ** torch.arange(len(array.names))).sum(1)


def place(array: Place, position: Int[Tensor, "..."]) -> Int[Tensor, "..."]:
    """The numbers of a place at these positions; raises ValueError if they are too large for its bits."""
    beyond = position + (array.offset - array.start)
    number = beyond % array.size if array.part == "field" else 1 + beyond // array.size
    number = number.masked_fill(beyond < 0, 0)
    if bool((number >> array.bits).any()):
        raise ValueError(f"length {int(position.max()) + 1} is too long for places of {array.bits} bits")
    return number


def elementwise(array: Array, given: Sequence[Numbers]) -> Numbers:
    """What an array makes of the numbers of its inputs at the same position."""
    top = 2**array.bits - 1
    match array:
        case Bits(low=low):
            return given[0] >> low & top if low + array.bits < array.array.bits else given[0] >> low
        case Together(parts=parts):
            result, low = torch.zeros_like(given[0]), 0
            for part, numbers in zip(parts, given, strict=True):
                result |= numbers << low
                low += part.bits
            return result
        case Map(op=op):
            return OPERATIONS[op](*given).long() & top
        case Lookup(table=table):
            entries = torch.zeros(2**array.array.bits, dtype=torch.long)
            entries[list(table)] = torch.tensor(list(table.values()), dtype=torch.long)
            return entries[given[0]]
        case Choose():
            result = torch.zeros_like(given[0])
            for when, value in zip(given[::2], given[1::2], strict=True):
                result.addcmul_(when, value)
            return result
    raise TypeError(f"unknown array {array}")


def _key_bits(array: Attend | Broadcast) -> int:
    return array.key.bits if isinstance(array, Attend) else 0


def _table(array: Attend | Broadcast, found_by: Sequence[Numbers], inside: Bool[Tensor, "B L"]) -> _Table:
    rows = torch.arange(len(inside))[:, None].expand_as(inside)
    return _Table.of(_keys(array, found_by, inside, rows).flatten(), len(inside) << _key_bits(array))


def _keys(array: Attend | Broadcast, found_by: Sequence[Some], inside: Bool[Tensor, "R C"], row: Some) -> Some:
    where, *keys = found_by
    return _entries(array, keys, row).masked_fill(~(where.bool() & inside), -1)


def _entries(array: Attend | Broadcast, keys: Sequence[Some], row: Some) -> Some:
    """Keys or queries, the first of `keys`, as a table counts them; a broadcast has a single one in each row."""
    entry = row << _key_bits(array)
    return entry + keys[0] if isinstance(array, Attend) else entry


def _read(answers: Some, value: Numbers) -> Some:
    return value.flatten()[answers.clamp(min=0)].masked_fill_(answers < 0, 0)


def _audit(array: Array, given: Sequence[Numbers], found: Numbers, row: Numbers, inside: Bool[Tensor, "B L"]) -> None:
    """Raises ValueError if a map looks beyond its own position, if choices overlap or an attention is ambiguous."""
    turned = [numbers.flip(1) for numbers in given]
    if isinstance(array, Attend | Broadcast):
        if not array.rightmost:
            named = dict(zip(array.inputs, turned, strict=True))
            table = _table(array, [named[one] for one in array.found_by], inside.flip(1))
            other = _read(table.last[_entries(array, given, row)], named[array.value])
            if not torch.equal(other.masked_fill(~inside, 0), found.masked_fill(~inside, 0)):
                raise ValueError("the positions that an attention finds do not agree")
    elif given:
        if not torch.equal(elementwise(array, turned).flip(1), found):
            raise ValueError(f"{type(array).__name__} is not elementwise")
        if isinstance(array, Choose) and bool((sum(given[::2]) > inside.long()).masked_fill(~inside, False).any()):
            raise ValueError("two cases of a choice hold at once")
