"""A small array language for policies that a Transformer of constant depth can be: no loops, no counters, no state.

An array is a number of a few bits at every position. It comes from the atoms of the position's own token, from the
position itself, from other arrays at the same position (elementwise), or by attention from the position whose key
equals the query. All arrays are 0 at the begin token, so that "not found" can be read there. Knows no program and no
weights; `evaluate.py` runs arrays on a state, `compile.py` turns them into weights.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Literal

Op = Literal["and", "or", "xor", "not", "add", "sub", "eq", "lt", "shl", "shr", "nonzero"]


@dataclass(frozen=True, eq=False)
class Array:
    """Base of all arrays; bits: the width of its numbers. Slices select bits, lowest first, as [low:high]."""

    bits: int

    @property
    def inputs(self) -> tuple["Array", ...]:
        """The arrays that this one is computed from."""
        return ()

    def __and__(self, other: "Value") -> "Array":
        return _map("and", self, other)

    def __or__(self, other: "Value") -> "Array":
        return _map("or", self, other)

    def __xor__(self, other: "Value") -> "Array":
        return _map("xor", self, other)

    def __invert__(self) -> "Array":
        return Map(self.bits, "not", (self,))

    def __add__(self, other: "Value") -> "Array":
        return _map("add", self, other)

    def __sub__(self, other: "Value") -> "Array":
        return _map("sub", self, other)

    def __lshift__(self, other: "Value") -> "Array":
        return _map("shl", self, other)

    def __rshift__(self, other: "Value") -> "Array":
        return _map("shr", self, other)

    def equals(self, other: "Value") -> "Array":
        return _map("eq", self, other, 1)

    def below(self, other: "Value") -> "Array":
        return _map("lt", self, other, 1)

    def nonzero(self) -> "Array":
        return Map(1, "nonzero", (self,))

    def __getitem__(self, part: slice) -> "Array":
        low, high, _ = part.indices(self.bits)
        return Bits(high - low, self, low)

    def widened(self, bits: int) -> "Array":
        """The same numbers with more bits."""
        return self if bits == self.bits else together(self, Constant(bits - self.bits, 0))


Value = Array | int


@dataclass(frozen=True, eq=False)
class Constant(Array):
    """The same number at every position but the begin token."""

    value: int


ALWAYS = Constant(1, 1)


@dataclass(frozen=True, eq=False)
class Given(Array):
    """Numbers that the caller of an evaluation provides; weights have none."""


@dataclass(frozen=True, eq=False)
class Atoms(Array):
    """Which of these atoms the position's own token has, a bit for each."""

    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Place(Array):
    """Where position p + offset lies if from `start` on there are cells of `size` positions.

    part "cell": 0 before `start`, then 1, 2, ... for the cells; part "field": the place within the cell.
    """

    size: int
    start: int
    offset: int
    part: Literal["cell", "field"]


@dataclass(frozen=True, eq=False)
class Bits(Array):
    """`bits` bits of an array, from bit `low` on."""

    array: Array
    low: int

    @property
    def inputs(self) -> tuple[Array, ...]:
        return (self.array,)


@dataclass(frozen=True, eq=False)
class Together(Array):
    """Several arrays side by side as one number, the first in the lowest bits."""

    parts: tuple[Array, ...]

    @property
    def inputs(self) -> tuple[Array, ...]:
        return self.parts


@dataclass(frozen=True, eq=False)
class Map(Array):
    """An elementwise operation modulo 2^bits; comparisons give one bit."""

    op: Op
    arguments: tuple[Array, ...]

    @property
    def inputs(self) -> tuple[Array, ...]:
        return self.arguments


@dataclass(frozen=True, eq=False)
class Lookup(Array):
    """The number that a table has for the array's number, 0 if it has none; the table has numbers below `entries`."""

    array: Array
    table: Mapping[int, int]
    entries: int

    @property
    def inputs(self) -> tuple[Array, ...]:
        return (self.array,)


@dataclass(frozen=True, eq=False)
class Choose(Array):
    """The value of the case whose bit is set, 0 if none is; at most one may be."""

    cases: tuple[tuple[Array, Array], ...]

    @property
    def inputs(self) -> tuple[Array, ...]:
        return tuple(array for case in self.cases for array in case)


@dataclass(frozen=True, eq=False)
class Attend(Array):
    """The value at a position where `where` holds and the key equals my query; 0 if there is none.

    Of several such positions the rightmost counts, or, unless `rightmost`, they must agree.
    """

    query: Array
    key: Array
    value: Array
    where: Array
    rightmost: bool

    @property
    def inputs(self) -> tuple[Array, ...]:
        return (self.query, *self.sources)

    @property
    def sources(self) -> tuple[Array, ...]:
        """What is read at the position that is attended to, not at the own one."""
        return (self.key, self.value, self.where)

    @property
    def found_by(self) -> tuple[Array, ...]:
        return (self.where, self.key)


@dataclass(frozen=True, eq=False)
class Broadcast(Array):
    """The value at a position where `where` holds, the same for everybody; 0 if there is none; rightmost as above."""

    value: Array
    where: Array
    rightmost: bool

    @property
    def inputs(self) -> tuple[Array, ...]:
        return self.sources

    @property
    def sources(self) -> tuple[Array, ...]:
        return (self.value, self.where)

    @property
    def found_by(self) -> tuple[Array, ...]:
        return (self.where,)


def atoms(*names: str) -> Array:
    return Atoms(len(names), names)


def together(*parts: Array) -> Array:
    return Together(sum(part.bits for part in parts), parts)


def cell(bits: int, size: int = 1, start: int = 1, offset: int = 0) -> Array:
    """Number of the cell of position p + offset; compiling and evaluating check that it fits the bits."""
    return Place(bits, size, start, offset, "cell")


def field(size: int, start: int = 1) -> Array:
    return Place((size - 1).bit_length(), size, start, 0, "field")


def choose(*cases: tuple[Array, Value]) -> Array:
    bits = max(value.bits for _, value in cases if isinstance(value, Array))
    return Choose(
        bits, tuple((when, value if isinstance(value, Array) else Constant(bits, value)) for when, value in cases)
    )


def select(condition: Array, yes: Array, no: Array) -> Array:
    return choose((condition, yes), (~condition, no))


def attend(query: Array, key: Array, value: Array, where: Array, rightmost: bool = False) -> Array:
    return Attend(value.bits, query, key, value, where, rightmost)


def broadcast(value: Array, where: Array, rightmost: bool = False) -> Array:
    return Broadcast(value.bits, choose((where, value)), where, rightmost)


def anywhere(where: Array) -> Array:
    """1 at every position if `where` holds at some position."""
    return broadcast(where, where)


def unpack(array: Array, *widths: int) -> list[Array]:
    """The arrays of these widths that lie side by side in one."""
    starts = [sum(widths[:number]) for number in range(len(widths))]
    return [array[low : low + width] for low, width in zip(starts, widths, strict=True)]


def _map(op: Op, first: Array, second: Value, bits: int | None = None) -> Array:
    if not isinstance(second, Array):
        second = Constant(max(first.bits, second.bit_length()), second)
    if first.bits != second.bits:
        raise ValueError(f"{op} of {first.bits} and {second.bits} bits")
    return Map(first.bits if bits is None else bits, op, (first, second))


def in_order(outputs: Sequence[Array]) -> Iterator[Array]:
    """The outputs and all that they are computed from, each once, inputs first."""
    seen: set[Array] = set()
    waiting = [(array, False) for array in reversed(outputs)]
    while waiting:
        array, ready = waiting.pop()
        if ready:
            yield array
        elif array not in seen:
            seen.add(array)
            waiting.append((array, True))
            waiting += [(before, False) for before in array.inputs]


def substituted(outputs: Sequence[Array], replacement: Callable[[Array], Array | None]) -> list[Array]:
    """The outputs as they are computed when some arrays are replaced by others."""
    new: dict[Array, Array] = {}

    def renewed(part: Any) -> Any:
        if isinstance(part, tuple):
            return tuple(map(renewed, part))
        return new[part] if isinstance(part, Array) else part

    for array in in_order(outputs):
        other = replacement(array)
        parts = {field.name: renewed(getattr(array, field.name)) for field in fields(array)}
        new[array] = other or (replace(array, **parts) if array.inputs else array)
    return [new[output] for output in outputs]


def attention_depth(outputs: Sequence[Array]) -> int:
    """The number of attentions on the longest way to an output."""
    depth: dict[Array, int] = {}
    for array in in_order(outputs):
        before = max((depth[one] for one in array.inputs), default=0)
        depth[array] = before + isinstance(array, Attend | Broadcast)
    return max(depth.values(), default=0)
