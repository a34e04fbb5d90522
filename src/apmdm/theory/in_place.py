"""A PRAM as an AP-MDM in place (theorem 4): every step of the machine is one decoding step, the context never grows.

[BEGIN] then cells of four tokens [kind][index][slot][slot]: the memory, then for each processor its program counter and
its registers. One slot holds the value, the other is MASK. A cell changes by unmasking the one and remasking the other
in the same step. Context: 1 + 4 (S + P (R + 1)) for S words of memory, P processors and R registers.
"""

from dataclasses import dataclass

import torch

from apmdm.state import Sequence
from apmdm.theory.array import ALWAYS, Array, Constant, attend, cell, choose, field, together
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.pram import Job, Program
from apmdm.theory.step import Decoded, next_counter, result
from apmdm.theory.words import (
    KIND_BITS,
    MEM,
    PC,
    REGISTERS,
    number,
    own_kind,
    own_mask,
    own_word,
    register,
    symbol,
    vocabulary,
    word_atoms,
)
from apmdm.vocab import MASK_SYMBOL

CELL = 4
SPARE = MASK_SYMBOL


def context(memory: int, processors: int, registers: int) -> int:
    """Tokens that hold so many words of memory, and a counter and registers for each processor."""
    return 1 + CELL * (memory + processors * (registers + 1))


def encode(job: Job) -> Sequence:
    cells = [("MEM", address, word) for address, word in enumerate(job.memory)]
    return sequence_of(job, cells)


def sequence_of(job: Job, memory: list[tuple[str, int, int]]) -> Sequence:
    """The start: these cells of memory, then all counters and registers."""
    cells = list(memory)
    for pid in range(job.processors):
        cells.append(("PC", pid, 0))
        cells += [(REGISTERS[j], pid, pid if j == 0 else 0) for j in range(job.program.num_registers)]
    symbols = ["BEGIN"]
    for kind, index, value in cells:
        symbols += [kind, symbol(index), symbol(value), SPARE]
    return Sequence(torch.tensor(vocabulary(job.bits).encode(symbols)))


def decode(job: Job, final: Sequence) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Registers and memory of a final state; raises ValueError if it is none."""
    symbols = vocabulary(job.bits).decode(final.ids.tolist())[1:]
    words: dict[tuple[str, int], int] = {}
    for kind, index, *slots in zip(*(symbols[start::CELL] for start in range(CELL)), strict=True):
        values = [number(slot) for slot in slots if slot != SPARE]
        if len(values) != 1 or None in values:
            raise ValueError(f"the cell {kind} {index} holds {slots}: one slot is a word, the other MASK")
        words[kind, number(index) or 0] = values[0] or 0
    registers = [
        tuple(words[REGISTERS[j], pid] for j in range(job.program.num_registers)) for pid in range(job.processors)
    ]
    return tuple(registers), tuple(words.get(("MEM", address), 0) for address in range(len(job.memory)))


@dataclass(frozen=True)
class Cell:
    """What a position knows of the cell that it belongs to; head: true at one position of each cell."""

    kind: Array
    index: Array
    value: Array
    head: Array

    @property
    def is_memory(self) -> Array:
        return self.kind[MEM.bit_length() - 1 : KIND_BITS]

    @property
    def is_counter(self) -> Array:
        return self.kind[PC.bit_length() - 1 : PC.bit_length()]

    def find(self, kind: Array, index: Array, *more: Array) -> Array:
        """The value of the cell of this kind and index, and whatever else it knows."""
        key = together(self.kind, self.index)
        return attend(together(kind, index), key, together(self.value, *more), self.head)


@dataclass(frozen=True)
class Update:
    """What a machine step does to the position's cell: whether it changes, and its new value, 0 if not."""

    change: Array
    value: Array
    instruction: Decoded
    address: Array
    word: Array
    present: Array
    """For a processor's cells: the address that it stores to or loads from, register b, whether the word has a cell."""


def update(program: Program, own: Cell) -> Update:
    """One machine step for every cell at once."""
    bits = own.index.bits
    pc = own.find(Constant(KIND_BITS, PC), own.index)
    instruction = Decoded.of(program, pc)
    a = own.find(register(instruction.a), own.index)
    b = own.find(register(instruction.b), own.index)
    found = own.find(Constant(KIND_BITS, MEM), a, own.is_memory)
    loaded, present = found[:bits], found[bits : bits + 1]
    stores = own.is_counter & instruction.ops["ST"]
    stored = attend(own.index, a, together(b, stores), stores & own.head)
    takes = own.kind.equals(register(instruction.d)) & instruction.writes
    counts = own.is_counter & instruction.goes_on
    kept = own.is_memory & stored[bits : bits + 1]
    value = choose(
        (takes, result(instruction, a, b, loaded)), (counts, next_counter(instruction, pc, a)), (kept, stored[:bits])
    )
    return Update(takes | counts | kept, value, instruction, a, b, present)


def policy(program: Program, bits: int, positions: int) -> ArrayPolicy:
    """For words of so many bits and sequences of at most so many positions."""
    place, part = cell((positions // CELL + 1).bit_length(), CELL), field(CELL)
    key = together(place, part)

    def at(number: int, value: Array) -> Array:
        return attend(together(place, Constant(2, number)), key, value, ALWAYS)

    own = Cell(at(0, own_kind()), at(1, own_word(bits)), at(2, own_word(bits)) | at(3, own_word(bits)), part.equals(0))
    step = update(program, own)
    slot = part[1:2]
    return ArrayPolicy(
        vocabulary(bits), word_atoms(step.change, step.value), {"remask": slot & (own_mask() ^ step.change)}
    )
