"""Arrays on a state, and policies made of arrays: what they write and which control bits they set.

Letters: B batch, L length, V vocabulary, A atoms, R C rows and columns of the positions at which something is computed.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

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
TABLE = 2**22
"""Most entries of a table from keys to positions that are held at once."""

Numbers = Int[Tensor, "B L"]
Some = Int[Tensor, "R C"]
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
            values = self._evaluator(inside[part], given and {one: numbers[part] for one, numbers in given.items()})
            parts.append(self._probabilities(values) if self.chances else self._decisions(values, inside[part]))
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
        if bool((edits.unmasked(state) & state.valid & (edits.content <= MASK)).any()):
            raise ValueError("the policy writes something that is no token of its vocabulary")
        return edits

    def _elsewhere_nothing(self, edits: Edits, awake: Bool[Tensor, "B L"], state: State) -> Edits:
        """Edits of the positions that are awake, or in an audit of all, as edits of all."""
        if self.audit:
            happens = torch.where(state.masked, edits.delete | ~edits.remask, edits.remask) | edits.insert
            if bool((happens & state.valid & ~awake).any()):
                raise ValueError("something happens where the policy is not awake")
            return edits
        nothing = torch.zeros_like(awake)
        before = (torch.zeros_like(state.ids), state.masked, nothing, nothing)
        return Edits(*(old.masked_scatter(awake, new) for old, new in zip(before, vars(edits).values(), strict=True)))

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
    def of(cls, state: State) -> "_Positions":
        rows, length = state.ids.shape
        return cls(
            state.ids, torch.arange(rows)[:, None].expand(rows, length), torch.arange(length).expand(rows, length)
        )

    def where(self, chosen: Bool[Tensor, "R C"]) -> "_Positions":
        row, column = chosen.nonzero().T
        return _Positions(self.ids[row, column][None], row[None], column[None])


class Evaluator:
    """The numbers of arrays at every position of a state.

    With `awake` only what is attended to is computed everywhere, all else where that bit is set. What is computed from
    the same numbers as for the last state, of the same lengths, is taken from there.
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
        self.order, self.begin, self.audit = list(in_order([*first, *outputs])), begin, audit
        self.awake = None if audit else awake
        attentions = [array for array in self.order if isinstance(array, Attend | Broadcast)]
        needed = [one for array in attentions for one in array.sources]
        needed += [array for array in self.order if isinstance(array, Given)]
        self.everywhere = set(self.order) if self.awake is None else set(in_order([*first, *needed]))
        self.rows = max(1, TABLE >> max(map(_key_bits, attentions), default=0))
        self.lengths: list[int] = []
        self.kept: Values = {}
        composition = vocab.composition().long()
        self.of_token = {
            array: _by_token(array, vocab, composition) for array in self.order if isinstance(array, Atoms)
        }

    def __call__(self, state: State, given: Mapping[Array, Numbers] | None = None) -> dict[Array, Tensor]:
        """The outputs, where they are computed, and `awake` everywhere.

        Raises ValueError if the state is too long for the bits of some place.
        """
        lengths = [state.ids.shape[1], *state.lengths.tolist()]
        if lengths != self.lengths or self.audit:
            self.lengths, self.kept = lengths, {}
        inside = state.valid
        inside[:, : int(self.begin)] = False
        values: Values = {}
        given = given or {}
        changed: set[Array] = set()
        everywhere = some = _Positions.of(state)

        def seen_from(here: _Positions, arrays: Sequence[Array]) -> list[Tensor]:
            away = self.everywhere if here is not everywhere else ()
            return [values[one][here.row, here.column] if one in away else values[one] for one in arrays]

        def table(array: Attend | Broadcast) -> Tensor:
            if array.found_by not in values:
                old = self.kept.get(array.found_by) if changed.isdisjoint(array.found_by) else None
                arrays = [values[one] for one in array.found_by]
                values[array.found_by] = _table(array, arrays, inside) if old is None else old
            return values[array.found_by]

        for array in self.order:
            here, old = (everywhere, self.kept.pop(array, None)) if array in self.everywhere else (some, None)
            if old is not None and not isinstance(array, Atoms | Given) and changed.isdisjoint(array.inputs):
                found = old
            else:
                inputs = seen_from(here, array.inputs)
                match array:
                    case Constant(value=value):
                        found = torch.full_like(here.ids, value)
                    case Atoms():
                        found = self.of_token[array][here.ids]
                    case Given():
                        found = given[array].clone()
                    case Place():
                        found = place(array, here.column)
                    case Attend() | Broadcast():
                        found = _found(array, table(array), inputs, values[array.value], here.row)
                    case _:
                        found = elementwise(array, inputs)
                if self.audit:
                    _audit(array, inputs, found, here.row, inside)
                if here is everywhere:
                    found[:, : int(self.begin)] = 0
                if old is None or not torch.equal(old, found):
                    changed.add(array)
            values[array] = found
            if array is self.awake:
                some = everywhere.where(found.bool())
        self.kept = values
        result = dict(zip(self.outputs, seen_from(some, self.outputs), strict=True))
        return result if self.awake is None else result | {self.awake: values[self.awake]}


Values = dict[Array | tuple[Array, ...], Tensor]
"""Numbers of arrays, and for the arrays that an attention finds its position by, the table of _table."""


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


def _table(array: Attend | Broadcast, found_by: Sequence[Numbers], inside: Bool[Tensor, "B L"]) -> Int[Tensor, "keys"]:
    """For each row and key the last position that fits, counted through all rows, or -1; a broadcast has one key."""
    where, *keys = found_by
    bits, fits = _key_bits(array), where.bool() & inside
    key = torch.arange(len(where))[:, None] << bits
    key = (key + keys[0] if keys else key.expand_as(where))[fits]
    table = torch.full((len(where) << bits,), -1)
    return table.scatter_reduce_(0, key, fits.flatten().nonzero()[:, 0], "amax")


def _found(
    array: Attend | Broadcast, table: Int[Tensor, "keys"], inputs: Sequence[Tensor], value: Numbers, row: Some
) -> Some:
    """What queries in these rows find; the first of the inputs is an Attend's query."""
    entry = row << _key_bits(array)
    position = table[entry + inputs[0] if isinstance(array, Attend) else entry]
    return value.flatten()[position.clamp(min=0)].masked_fill_(position < 0, 0)


def _audit(array: Array, given: Sequence[Numbers], found: Numbers, row: Numbers, inside: Bool[Tensor, "B L"]) -> None:
    """Raises ValueError if a map looks beyond its own position, if choices overlap or an attention is ambiguous."""
    turned = [numbers.flip(1) for numbers in given]
    if isinstance(array, Attend | Broadcast):
        if not array.rightmost:
            named = dict(zip(array.inputs, turned, strict=True))
            table = _table(array, [named[one] for one in array.found_by], inside.flip(1))
            other = _found(array, table, given, named[array.value], row)
            if not torch.equal(other.masked_fill(~inside, 0), found.masked_fill(~inside, 0)):
                raise ValueError("the positions that an attention finds do not agree")
    elif given:
        if not torch.equal(elementwise(array, turned).flip(1), found):
            raise ValueError(f"{type(array).__name__} is not elementwise")
        if isinstance(array, Choose) and bool((sum(given[::2]) > inside.long()).masked_fill(~inside, False).any()):
            raise ValueError("two cases of a choice hold at once")
