"""One step of the machine, in arrays: what an instruction does with the registers and the word it reads.

Shared by all simulations. They differ in where registers and memory lie, not in what is computed.
"""

from dataclasses import dataclass

from apmdm.theory.array import Array, Lookup, choose, unpack
from apmdm.theory.pram import ALU, OPERATIONS, Program
from apmdm.theory.words import REGISTER_BITS

DECODED = [op for op in OPERATIONS if op not in ("HALT", "NOP")]
"""Operations with a bit of their own among those that the program's table gives; NOP only goes on."""
CAPACITY = 128
"""Most instructions of a program, whatever the words: weights have room for so many."""


@dataclass(frozen=True)
class Decoded:
    """An instruction: whether the processor goes on, a bit for each operation, register numbers and the immediate."""

    goes_on: Array
    ops: dict[str, Array]
    d: Array
    a: Array
    b: Array
    i: Array

    @property
    def writes(self) -> Array:
        """It writes a register."""
        return self.ops["writes"]

    @classmethod
    def of(cls, program: Program, pc: Array) -> "Decoded":
        """The program is a table from program counters to instructions: the only thing that depends on it."""
        bits = pc.bits
        if len(program.instructions) > CAPACITY:
            raise ValueError(f"a program has at most {CAPACITY} instructions, not {len(program.instructions)}")
        widths = [1, 1, *[1] * len(DECODED), *[REGISTER_BITS] * 3, bits]
        table = {}
        for line, given in enumerate(program.instructions):
            writes = given.op in ALU or given.op in ("LI", "LD")
            flags = [given.op != "HALT", writes, *(given.op == op for op in DECODED)]
            numbers = [*map(int, flags), given.d, given.a, given.b, given.i]
            table[line] = sum(number << sum(widths[:place]) for place, number in enumerate(numbers))
        goes_on, writes, *rest = unpack(Lookup(sum(widths), pc, table, min(2**bits, CAPACITY)), *widths)
        ops = {"writes": writes} | dict(zip(DECODED, rest, strict=False))
        return cls(goes_on, ops, *rest[len(DECODED) :])


def result(instruction: Decoded, a: Array, b: Array, loaded: Array) -> Array:
    """What goes into register d."""
    ops, less = instruction.ops, a.below(b)
    first = (ops["MIN"] & less) | (ops["MAX"] & ~less)
    second = (ops["MIN"] & ~less) | (ops["MAX"] & less)
    return choose(
        (ops["ADD"], a + b),
        (ops["SUB"], a - b),
        (ops["AND"], a & b),
        (ops["OR"], a | b),
        (ops["XOR"], a ^ b),
        (ops["SHL"], a << b),
        (ops["SHR"], a >> b),
        (ops["LT"], a.below(b).widened(a.bits)),
        (ops["EQ"], a.equals(b).widened(a.bits)),
        (first, a),
        (second, b),
        (ops["LI"], instruction.i),
        (ops["LD"], loaded),
    )


def next_counter(instruction: Decoded, pc: Array, a: Array) -> Array:
    jumps = instruction.ops["JMP"] | (instruction.ops["JZ"] & ~a.nonzero())
    return choose((jumps, instruction.i), (instruction.goes_on & ~jumps, pc + 1))
