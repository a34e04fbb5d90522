"""Tokens of the simulated machine: words, and the kinds of what a word is stored in.

A word is one token, the product of the atom `0` and of the powers of two that it is the sum of: 5 is `0@1@4`. The kind
of a register is the product of REG and the bits of its number. Knows no layout of a sequence.
"""

from functools import cache

from apmdm.theory.array import Array, Constant, atoms, together
from apmdm.theory.pram import MAX_REGISTERS
from apmdm.vocab import JOINT, MASK_SYMBOL, Vocab

REGISTER_BITS = (MAX_REGISTERS - 1).bit_length()
KIND = ("r1", "r2", "r4", "r8", "REG", "PC", "MEM")
"""Atoms of a kind, the register's number first."""
KIND_BITS = len(KIND)
REG, PC, MEM = (2 ** KIND.index(name) for name in ("REG", "PC", "MEM"))
REGISTERS = [
    JOINT.join(["REG", *(KIND[bit] for bit in range(4) if number >> bit & 1)]) for number in range(MAX_REGISTERS)
]


def powers(bits: int) -> tuple[str, ...]:
    return tuple(str(2**bit) for bit in range(bits))


def symbol(word: int) -> str:
    return JOINT.join(["0", *(str(2**bit) for bit in range(word.bit_length()) if word >> bit & 1)])


@cache
def vocabulary(bits: int) -> Vocab:
    """BEGIN, the kinds, and all words of so many bits."""
    return Vocab.of("BEGIN", "MEM", "PC", REGISTERS, map(symbol, range(2**bits)))


def number(text: str) -> int | None:
    """The word that a symbol stands for; None for other symbols."""
    parts = text.split(JOINT)
    return sum(map(int, parts)) if parts[0] == "0" else None


def own_word(bits: int) -> Array:
    """The word that the position holds, 0 if it holds none."""
    return atoms(*powers(bits))


def own_kind() -> Array:
    return atoms(*KIND)


def own_mask() -> Array:
    return atoms(MASK_SYMBOL)


def register(number: Array) -> Array:
    """The kind of a register from its number."""
    return together(number, Constant(KIND_BITS - REGISTER_BITS, REG >> REGISTER_BITS))


def word_atoms(when: Array, word: Array) -> dict[str, Array]:
    """The bits of the atoms with which a word is written where `when` holds; `word` is 0 elsewhere."""
    return {"0": when} | {name: word[bit : bit + 1] for bit, name in enumerate(powers(word.bits))}
