"""Quantified Boolean formulas decided by search (theorem 4, PSPACE): in constant context, and as a write-once twin.

The assignment is the whole state of a depth-first search. With b the value of the clauses under it, the pivot is the
deepest variable that is 0 and either existential while b is 0, or universal while b is 1; it becomes 1 and all deeper
ones 0. Without a pivot b is the answer. One decoding step for every leaf that the search visits.

In place: [BEGIN] ([quantifier][variable][slot][slot])* ([CLAUSE] literal literal literal)* [END][answer = MASK].
Write-once: [BEGIN] clauses [END][number of variables], one token a variable, and again for each leaf.
All cells have as many tokens as the longest clause needs, at least 4; a shorter one repeats its first token at the end.
"""

from dataclasses import dataclass
from functools import cache
from random import Random

import torch

from apmdm.state import Sequence
from apmdm.theory.array import (
    ALWAYS,
    Array,
    Constant,
    anywhere,
    atoms,
    attend,
    broadcast,
    cell,
    choose,
    field,
    together,
    unpack,
)
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.words import own_mask, own_word, powers, symbol
from apmdm.vocab import JOINT, MASK_SYMBOL, Vocab

CELL, MAX_VARIABLES, MAX_NODES, MAX_TOKENS = 4, 500, 200_000, 2**22
"""Least tokens of a cell; most variables, and nodes, of the recursive search; most tokens of a start."""
QUANTIFIERS = {"E": "EXISTS", "A": "FORALL"}


@dataclass(frozen=True)
class Formula:
    """Quantified variables and clauses: true if all clauses hold; an empty clause never does.

    quantifiers: a string of E and A, outermost first, for the variables 1 to n.
    clauses: each of any number of literals, i or -i for variable i, which may come twice and beside their opposites.
    """

    quantifiers: str
    clauses: tuple[tuple[int, ...], ...]

    def __post_init__(self) -> None:
        known = range(1, len(self.quantifiers) + 1)
        if not set(self.quantifiers) <= set("EA") or any(
            abs(x) not in known for clause in self.clauses for x in clause
        ):
            raise ValueError(
                "a formula has quantifiers E and A, and literals of its variables 1 to n or their negatives"
            )

    @property
    def prefix(self) -> str:
        """The quantifiers of the search, which needs a variable: an existential one if the formula has none."""
        return self.quantifiers or "E"


def random_formula(random: Random, variables: int, clauses: int) -> Formula:
    literals = [sign * i for i in range(1, variables + 1) for sign in (1, -1)]
    chosen = tuple((random.choice(literals), random.choice(literals), random.choice(literals)) for _ in range(clauses))
    return Formula("".join(random.choice("EA") for _ in range(variables)), chosen)


def search(formula: Formula) -> tuple[bool, int]:
    """The truth of a formula, by recursion, and the leaves that a depth-first search visits.

    Below a node where the clauses are decided already the leaves are counted, not visited. Raises ValueError if the
    formula is too large for that.
    """
    prefix, nodes = formula.prefix, 0
    if len(prefix) > MAX_VARIABLES:
        raise ValueError(f"formulas have at most {MAX_VARIABLES} variables here, not {len(prefix):,}")
    ending, false_keeps, true_keeps = _clause_sets(formula)

    def value(depth: int, unsatisfied: int) -> tuple[bool, int]:
        nonlocal nodes
        nodes += 1
        if nodes > MAX_NODES:
            raise ValueError(
                f"the search of this formula has more than {MAX_NODES:,} nodes: it is too large to verify; at most "
                f"{MAX_VARIABLES} variables and {MAX_NODES:,} nodes are allowed"
            )
        if not unsatisfied:
            return True, 2 ** prefix.count("A", depth)
        if unsatisfied & ending[depth]:
            return False, 2 ** prefix.count("E", depth)
        first, leaves = value(depth + 1, unsatisfied & false_keeps[depth])
        if first == (prefix[depth] == "E"):
            return first, leaves
        second, more = value(depth + 1, unsatisfied & true_keeps[depth])
        return second, leaves + more

    return value(0, 2 ** len(formula.clauses) - 1)


def _clause_sets(formula: Formula) -> tuple[list[int], list[int], list[int]]:
    """Sets of clauses, as the bits of one number each, which makes a node of the search a few operations.

    First by depth: the clauses that have no variable further down. Then by variable: those that stay unsatisfied
    where it is false, and where it is true.
    """
    ending = [bytearray(len(formula.clauses) // 8 + 1) for _ in range(len(formula.prefix) + 1)]
    without = {sign: [bytearray(b"\xff" * len(ending[0])) for _ in formula.prefix] for sign in (-1, 1)}
    for number, clause in enumerate(formula.clauses):
        byte, bit = number // 8, 1 << number % 8
        ending[max(map(abs, clause), default=0)][byte] |= bit
        for literal in clause:
            without[1 if literal > 0 else -1][abs(literal) - 1][byte] &= ~bit
    numbers = [[int.from_bytes(bits, "little") for bits in sets] for sets in (ending, without[-1], without[1])]
    return numbers[0], numbers[1], numbers[2]


@cache
def vocabulary(bits: int) -> Vocab:
    """For up to 2^bits variables."""
    indices = [JOINT.join([*symbol(index).split(JOINT)[1:]]) for index in range(2**bits)]

    def with_index(*kind: str) -> list[str]:
        return [JOINT.join(filter(None, (*kind, index))) for index in indices]

    literals = with_index("POS") + with_index("NEG")
    logged = [name for q in QUANTIFIERS.values() for name in with_index("LOG", q) + with_index("LOG", q, "T")]
    fixed = ("BEGIN", "EXISTS", "FORALL", "CLAUSE", "END", "ANSWER", "ANSWER@T")
    return Vocab.of(*fixed, literals, logged, map(symbol, range(2**bits)))


def width(formula: Formula) -> int:
    """Bits for the numbers of its variables."""
    return len(formula.prefix).bit_length()


def cell_size(formula: Formula) -> int:
    """Tokens of a cell."""
    return max(CELL, *(1 + len(clause) for clause in formula.clauses), 0)


def encode(formula: Formula, bits: int) -> Sequence:
    size, symbols = cell_size(formula), ["BEGIN"]
    for index, quantifier in enumerate(formula.prefix):
        symbols += _cell([QUANTIFIERS[quantifier], symbol(index), symbol(0), MASK_SYMBOL], size)
    symbols += [*_clauses(formula), "END", MASK_SYMBOL]
    return Sequence(torch.tensor(vocabulary(bits).encode(symbols)))


def encode_write_once(formula: Formula, bits: int, leaves: int) -> Sequence:
    """With MASK for the leaves that the search will visit."""
    variables = len(formula.prefix)
    if variables * leaves > MAX_TOKENS:
        raise ValueError(
            f"written once, {leaves:,} leaves of {variables} variables need {variables * leaves:,} tokens, and at most "
            f"{MAX_TOKENS:,} fit: in place (--as ap-mdm) the context stays small"
        )
    symbols = ["BEGIN", *_clauses(formula), "END", symbol(variables)]
    symbols += [_indexed(f"LOG@{QUANTIFIERS[q]}", index) for index, q in enumerate(formula.prefix)]
    symbols += [MASK_SYMBOL] * (variables * leaves)
    return Sequence(torch.tensor(vocabulary(bits).encode(symbols)))


def _clauses(formula: Formula) -> list[str]:
    symbols, size = [], cell_size(formula)
    for clause in formula.clauses:
        symbols += _cell(["CLAUSE", *(_indexed("POS" if x > 0 else "NEG", abs(x) - 1) for x in clause)], size)
    return symbols


def _cell(symbols: list[str], size: int) -> list[str]:
    return symbols + symbols[:1] * (size - len(symbols))


def _indexed(kind: str, index: int) -> str:
    return JOINT.join([kind, *symbol(index).split(JOINT)[1:]])


def decode(final: Sequence, bits: int) -> bool | None:
    """The answer in a final state of either form; None if there is none."""
    last = vocabulary(bits).decode(final.ids.tolist())[-1]
    return {symbol(0): False, "ANSWER": False, symbol(1): True, "ANSWER@T": True}.get(last)


def policy(bits: int, positions: int, size: int = CELL) -> ArrayPolicy:
    """In place, for up to 2^bits variables and cells of so many tokens."""
    place, part = cell((positions // size + 1).bit_length(), size), field(size)
    key = together(place, part)

    def at(number: int, value: Array) -> Array:
        return attend(together(place, Constant(part.bits, number)), key, value, ALWAYS)

    exists, forall, end = unpack(at(0, atoms("EXISTS", "FORALL", "END")), 1, 1, 1)
    index, true = at(1, own_word(bits)), at(2, atoms("1")) | at(3, atoms("1"))
    variable = part.equals(0) & (exists | forall)
    holds = _clauses_hold(place, attend(own_word(bits), index, true, variable))
    pivot, found = _pivot(variable & ~true, exists, forall, holds, index)
    is_pivot = index.equals(pivot)
    change = found & (is_pivot | (pivot.below(index) & true))
    slot = (part.equals(2) | part.equals(3)) & (exists | forall)
    bit = choose((end, holds), (~end, is_pivot))
    waits = (slot & (own_mask() ^ change)) | (end & own_mask() & found)
    return ArrayPolicy(vocabulary(bits), {"0": ALWAYS, "1": bit}, {"remask": waits})


def write_once_policy(bits: int, positions: int, size: int = CELL) -> ArrayPolicy:
    """The twin whose context holds every assignment that the search went through."""
    place, position = cell((positions // size + 1).bit_length(), size), cell(positions.bit_length())
    log, exists, forall, true = (atoms(name) for name in ("LOG", "EXISTS", "FORALL", "T"))
    index, number = own_word(bits), broadcast(own_word(bits), atoms("0"))
    latest = attend(index, index, together(true, position), log, rightmost=True)
    holds = _clauses_hold(place, latest[0:1])
    current = log & latest[1 : position.bits + 1].equals(position)
    pivot, found = _pivot(current & ~true, exists, forall, holds, index)
    before = attend(
        position - number.widened(position.bits), position, together(log, exists, forall, true, index), ALWAYS
    )
    was_log, was_exists, was_forall, was_true, was_index = unpack(before, 1, 1, 1, 1, bits)
    new = was_index.equals(pivot) | (was_index.below(pivot) & was_true)
    content = {"LOG": found, "ANSWER": ~found, "EXISTS": found & was_exists, "FORALL": found & was_forall}
    content["T"] = choose((found, new), (~found, holds))
    content |= {name: found & was_index[bit : bit + 1] for bit, name in enumerate(powers(bits))}
    awake = own_mask() & was_log
    return ArrayPolicy(vocabulary(bits), content, {"remask": own_mask() & ~was_log}, awake=awake)


def _clauses_hold(place: Array, value: Array) -> Array:
    """Whether each clause has a literal that is true, given at every literal the value of its variable."""
    true_literal = (atoms("POS") & value) | (atoms("NEG") & ~value)
    satisfied = attend(place, place, true_literal, true_literal)
    return ~anywhere(atoms("CLAUSE") & ~satisfied)


def _pivot(zero: Array, exists: Array, forall: Array, holds: Array, index: Array) -> tuple[Array, Array]:
    """The index of the deepest variable to advance, and whether there is one."""
    candidate = zero & ((exists & ~holds) | (forall & holds))
    deepest, found = unpack(broadcast(together(index, candidate), candidate, rightmost=True), index.bits, 1)
    return deepest, found
