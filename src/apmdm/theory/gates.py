"""Elementwise arrays as sums of threshold units over bits: what one MLP of a Transformer can compute exactly.

A bit of the result is a sum of coefficients times units, a unit is 1 where a sum of weights times bits is at least a
threshold. Every operation of the array language has depth one in this form. Knows neither dimensions nor weights.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apmdm.theory.array import Array, Choose, Lookup, Map

Wire = int | bool
"""The number of a bit that is computed elsewhere, ~number for its opposite, or a constant bit."""


@dataclass(frozen=True)
class Unit:
    """1 where the sum of weight times wire is at least `least`."""

    weights: tuple[tuple[int, int], ...]
    least: int

    @classmethod
    def of(cls, terms: Iterable[tuple[Wire, int]], least: int) -> "Unit":
        weights: Counter[int] = Counter()
        for wire, weight in terms:
            if isinstance(wire, bool):
                least -= weight * wire
            elif wire < 0:
                least -= weight
                weights[~wire] -= weight
            else:
                weights[wire] += weight
        return cls(tuple(sorted((wire, weight) for wire, weight in weights.items() if weight)), least)

    @property
    def slack(self) -> int:
        """Less than this below the threshold by which a guard must keep the unit at 0: at least 1."""
        return max(1, sum(weight for _, weight in self.weights if weight > 0) - self.least + 1)

    def guarded(self, when: Wire) -> "Unit":
        """0 wherever `when` is 0."""
        return Unit.of([*self.weights, (when, self.slack)], self.least + self.slack)


Sum = list[tuple[int, Unit]]
"""Coefficients and units of one bit."""


def of(array: Map | Lookup, inputs: Sequence[Sequence[Wire]]) -> list[Sum]:
    """The bits of an elementwise operation, from the wires of its inputs, lowest bits first."""
    if isinstance(array, Lookup):
        entries = [(array.table.get(entry, 0), _matches(inputs[0], entry)) for entry in range(array.entries)]
        return [
            [(value >> bit & 1, Unit.of(terms, least)) for value, (terms, least) in entries]
            for bit in range(array.bits)
        ]
    a, b = inputs[0], inputs[-1]
    match array.op:
        case "and" | "or":
            least = len(inputs) if array.op == "and" else 1
            return [[(1, Unit.of([(x, 1) for x in bits], least))] for bits in zip(*inputs, strict=True)]
        case "xor":
            both = [[(x, 1), (y, 1)] for x, y in zip(a, b, strict=True)]
            return [[(1, Unit.of(terms, 1)), (-1, Unit.of(terms, 2))] for terms in both]
        case "nonzero":
            return [[(1, Unit.of([(x, 1) for x in a], 1))]]
        case "eq":
            difference = _number(a) + _number(b, -1)
            return [[(1, Unit.of(difference, 0)), (-1, Unit.of(difference, 1))]]
        case "lt":
            return [[(1, Unit.of(_number(b) + _number(a, -1), 1))]]
        case "add":
            return [_bit_of(_number(a[: i + 1]) + _number(b[: i + 1]), i, 0) for i in range(len(a))]
        case "sub":
            return [_bit_of(_number(a[: i + 1]) + _number(b[: i + 1], -1), i, 2 ** (i + 1)) for i in range(len(a))]
        case "shl":
            return [[_shifted(a[i - by], b, by) for by in range(i + 1)] for i in range(len(a))]
        case "shr":
            return [[_shifted(a[i + by], b, by) for by in range(len(a) - i)] for i in range(len(a))]
        case "not":
            raise ValueError("not has no units")


def chosen(cases: Sequence[tuple[Wire, Sequence[Sum]]]) -> list[Sum]:
    """The bits of the value whose condition holds: every unit of a value guarded by its condition."""
    bits: list[Sum] = [[] for _ in range(max(len(value) for _, value in cases))]
    for when, value in cases:
        for total, terms in zip(bits, value, strict=True):
            total += [(coefficient, unit.guarded(when)) for coefficient, unit in terms]
    return bits


def same(wires: Sequence[Wire]) -> list[Sum]:
    """Bits that are computed already."""
    return [[(1, Unit.of([(wire, 1)], 1))] for wire in wires]


def inlined(array: Array) -> bool:
    """Whether a choice takes this value in as it is computed, and need not wait for it."""
    return isinstance(array, Map) and array.op != "not"


def inputs_of(array: Array) -> list[Array]:
    """What an elementwise array waits for: a chain of "and" or of "or" is one unit, a choice takes maps in."""
    if isinstance(array, Choose):
        return [
            one for when, value in array.cases for one in (when, *(inputs_of(value) if inlined(value) else [value]))
        ]
    if isinstance(array, Map) and array.op in ("and", "or"):
        chains = (isinstance(one, Map) and one.op == array.op for one in array.inputs)
        return [
            one
            for given, chain in zip(array.inputs, chains, strict=True)
            for one in (inputs_of(given) if chain else [given])
        ]
    return list(array.inputs)


def _number(wires: Sequence[Wire], sign: int = 1) -> list[tuple[Wire, int]]:
    return [(wire, sign * 2**place) for place, wire in enumerate(wires)]


def _bit_of(terms: list[tuple[Wire, int]], bit: int, more: int) -> Sum:
    """Bit `bit` of the sum of the terms and `more`, which lies from 0 to below 2^(bit + 2)."""
    return [(sign, Unit.of(terms, times * 2**bit - more)) for sign, times in ((1, 1), (-1, 2), (1, 3))]


def _matches(wires: Sequence[Wire], number: int) -> tuple[list[tuple[Wire, int]], int]:
    """Terms that reach their threshold only where the wires are this number."""
    terms = [(wire, 1 if number >> place & 1 else -1) for place, wire in enumerate(wires)]
    return terms, number.bit_count()


def _shifted(bit: Wire, amount: Sequence[Wire], by: int) -> tuple[int, Unit]:
    terms, least = _matches(amount, by)
    if by >> len(amount):
        return 0, Unit.of(terms, least)
    return 1, Unit.of([*terms, (bit, 1)], least + 1)
