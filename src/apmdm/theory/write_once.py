"""A PRAM as a write-once MDM (theorem 1): every step of the machine is one decoding step, the context holds the run.

[BEGIN][P] then records of five tokens [processor][counter][kind][index][value]: a record for each word of memory that
is not 0, one for each of the P processors that sets its r0, and MASK for everything to come, P records a step. A record
says where its processor goes on and what it has written; a step without a write notes the counter. Nothing is ever
rewritten, so a read takes the rightmost record of its kind and index. Context: 2 + 5 (words + P (T + 1)).
"""

from dataclasses import dataclass

import torch

from apmdm.edits import Edits
from apmdm.policy import Greedy
from apmdm.sampler import Predictor, Run
from apmdm.state import Sequence, State
from apmdm.theory.array import ALWAYS, Array, Constant, atoms, attend, broadcast, cell, choose, field, together
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.pram import Job, Program
from apmdm.theory.step import Decoded, next_counter, result
from apmdm.theory.words import (
    KIND,
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
from apmdm.vocab import MASK, MASK_SYMBOL

HEADER, RECORD = 2, 5
PROCESSOR, COUNTER, KIND_FIELD, INDEX, VALUE = range(RECORD)


def context(job: Job, time: int) -> int:
    """Tokens for a run of so many steps."""
    return HEADER + RECORD * (sum(map(bool, job.memory)) + job.processors * (time + 1))


def encode(job: Job, time: int) -> Sequence:
    """The start, with MASK for `time` steps: the padding that an MDM must be given in advance."""
    symbols = ["BEGIN", symbol(job.processors)]
    records = [(0, "MEM", address, word) for address, word in enumerate(job.memory) if word]
    records += [(pid, REGISTERS[0], pid, pid) for pid in range(job.processors)]
    for pid, kind, index, value in records:
        symbols += [symbol(pid), symbol(0), kind, symbol(index), symbol(value)]
    symbols += [MASK_SYMBOL] * (context(job, time) - len(symbols))
    return Sequence(torch.tensor(vocabulary(job.bits).encode(symbols)))


def decode(job: Job, final: Sequence) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Registers (those of each processor) and memory words as the log of a final state leaves them: it is scanned.

    Raises ValueError if some processor has not halted, because the start had too few MASKs.
    """
    symbols = vocabulary(job.bits).decode(final.ids.tolist())[HEADER:]
    words: dict[tuple[str, int], int] = {}
    counters: dict[int, int] = {}
    for pid, counter, kind, index, value in zip(*(symbols[start::RECORD] for start in range(RECORD)), strict=True):
        if kind != MASK_SYMBOL:
            words[kind, number(index) or 0] = number(value) or 0
            counters[number(pid) or 0] = number(counter) or 0
    for pid, counter in counters.items():
        if job.program.at(counter).op != "HALT":
            raise ValueError(
                f"the MASKs of the start were too few: processor {pid} is at instruction {counter}, not at a HALT"
            )
    registers = [
        tuple(words.get((REGISTERS[j], pid), 0) for j in range(job.program.num_registers))
        for pid in range(job.processors)
    ]
    return tuple(registers), tuple(words.get(("MEM", address), 0) for address in range(len(job.memory)))


def policy(program: Program, bits: int, positions: int) -> ArrayPolicy:
    """For words of so many bits and sequences of at most so many positions."""
    width = max(bits, (positions // RECORD + 1).bit_length())
    record, part = cell(width, RECORD, HEADER), field(RECORD, HEADER)
    key = together(record, part)

    def at(record: Array, number: int, value: Array) -> Array:
        return attend(together(record, Constant(part.bits, number)), key, value, ALWAYS)

    processors = broadcast(own_word(bits), record.equals(0))
    before = record - processors.widened(width)
    was_written = at(before, COUNTER, together(own_word(bits), atoms("0")))
    pc, written = was_written[:bits], was_written[bits : bits + 1]
    pid = at(before, PROCESSOR, own_word(bits))
    instruction = Decoded.of(program, pc)
    kind, index, value = (
        at(record, number, own)
        for number, own in ((KIND_FIELD, own_kind()), (INDEX, own_word(bits)), (VALUE, own_word(bits)))
    )

    def last(wanted: Array, where: Array) -> Array:
        return attend(together(wanted, where), together(kind, index), value, part.equals(PROCESSOR), rightmost=True)

    a, b = last(register(instruction.a), pid), last(register(instruction.b), pid)
    new = result(instruction, a, b, last(Constant(KIND_BITS, MEM), a))
    counter, stores = next_counter(instruction, pc, a), instruction.ops["ST"]
    nothing = ~(stores | instruction.writes)
    is_at = [part.equals(number) for number in range(RECORD)]
    word = choose(
        (is_at[PROCESSOR], pid),
        (is_at[COUNTER], counter),
        (is_at[INDEX], choose((stores, a), (~stores, pid))),
        (is_at[VALUE], choose((stores, b), (instruction.writes, new), (nothing, counter))),
    )
    names = choose(
        (is_at[KIND_FIELD] & stores, Constant(KIND_BITS, MEM)),
        (is_at[KIND_FIELD] & nothing, Constant(KIND_BITS, PC)),
        (is_at[KIND_FIELD] & instruction.writes, register(instruction.d)),
    )
    content = word_atoms(~is_at[KIND_FIELD], word) | {name: names[bit : bit + 1] for bit, name in enumerate(KIND)}
    remask = own_mask() & ~(written & instruction.goes_on)
    return ArrayPolicy(vocabulary(bits), content, {"remask": remask}, awake=own_mask() & written)


@dataclass(frozen=True)
class WriteOnce:
    """A policy that is checked to be an MDM: it unmasks, and does nothing else."""

    policy: Predictor

    def __call__(self, state: State) -> Edits:
        edits = self.policy(state)
        if not isinstance(edits, Edits):
            edits = Greedy()(edits, state)
        if ((edits.insert | edits.delete | (edits.remask & ~state.masked)) & state.valid).numpy().any():
            raise ValueError("an MDM only unmasks: it does not remask, insert or delete")
        return edits


def assert_theorem_2(start: Sequence, run: Run) -> None:
    """A write-once run of context S keeps its length and ends within its masks: so it looks at S^3 pairs at most."""
    masks, size = int((start.ids == MASK).sum()), len(start)
    if run.space != size:
        raise ValueError(f"against theorem 2: the context grew from {size} to {run.space}")
    if run.time > masks:
        raise ValueError(f"against theorem 2: {run.time} steps, though there were {masks} masks only")
