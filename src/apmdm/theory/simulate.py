"""One machine run in each of its forms, all by the library's sampler: as PRAM, MDM, AP-MDM and left to right.

Every form ends in an outcome with the same fields, so that results can be compared and costs set side by side.
"""

from dataclasses import dataclass
from typing import Literal, get_args

from apmdm.sampler import Model, Run, generate
from apmdm.state import Sequence
from apmdm.theory import in_place, replay, sparse, write_once
from apmdm.theory.compile import MAX_POSITIONS, compile_policy
from apmdm.theory.evaluate import Policy
from apmdm.theory.pram import Job, Mode, execute
from apmdm.vocab import Vocab

Form = Literal["pram", "mdm", "ap-mdm", "sparse", "arm"]
FORMS: tuple[Form, ...] = get_args(Form)
MAX_COMPILED_BITS = 10
"""Widest words for which compiled weights were found to be exact in float32."""


@dataclass(frozen=True)
class Outcome:
    """What a form ended in, its decoding steps, its context, and, but for the interpreter, its run and vocabulary."""

    form: Form
    registers: tuple[tuple[int, ...], ...]
    memory: tuple[int, ...]
    steps: int
    context: int
    run: Run | None = None
    vocab: Vocab | None = None


@dataclass(frozen=True)
class Start:
    """A policy with the sequence that it starts from, and how many positions it must know."""

    policy: Policy
    sequence: Sequence
    positions: int


def start(job: Job, form: Form, time: int) -> Start:
    """Of a form of a job that takes so many machine steps: an MDM is given its masks in advance."""
    program, bits = job.program, job.bits
    if form == "ap-mdm":
        sequence = in_place.encode(job)
        return Start(in_place.policy(program, bits, len(sequence)), sequence, len(sequence))
    if form == "sparse":
        cells = len(job.memory) + job.processors * (job.program.num_registers + 1)
        positions = 4 * cells + 8 * job.processors * 4
        return Start(sparse.policy(program, bits, positions), sparse.encode(job), positions)
    sequence = write_once.encode(job, time)
    if form == "mdm":
        return Start(write_once.policy(program, bits, len(sequence)), sequence, len(sequence))
    width = (3 + 2 * len(sequence) + time).bit_length()
    policy = write_once.policy(program, bits, 2**width - 1)
    return Start(replay.replayed(policy, width), replay.encode(sequence, policy.vocab, width, time), 2**width - 1)


def compiled(job: Job, form: Form, begun: Start, positions: int | None = None) -> Model:
    """Weights that do what the form's policy does; raises ValueError if float32 would not carry them."""
    if job.bits > MAX_COMPILED_BITS:
        raise ValueError(f"compiled weights are for words of at most {MAX_COMPILED_BITS} bits, this needs {job.bits}")
    if begun.positions > MAX_POSITIONS:
        raise ValueError(
            f"compiled weights are for at most {MAX_POSITIONS:,} positions, {form} needs {begun.positions:,}; "
            "take a smaller n"
        )
    return compile_policy(begun.policy, positions or begun.positions)


def simulate(
    job: Job, form: Form, mode: Mode = "common-CRCW", *, weights: bool = False, record: bool = False
) -> Outcome:
    """Run a job in one form. Raises ValueError if it breaks its memory model, or a theorem that holds for the form."""
    reference = execute(job, mode)
    if form == "pram":
        size = len(job.memory) + job.processors * (job.program.num_registers + 1)
        return Outcome(form, reference.registers, reference.memory, reference.time, size)
    begun = start(job, form, reference.time)
    model = compiled(job, form, begun) if weights else begun.policy
    if form == "mdm" and not weights:
        model = write_once.WriteOnce(begun.policy)
    run = next(generate(model, [begun.sequence], max_steps=10**7, record=record))
    if form == "mdm":
        write_once.assert_theorem_2(begun.sequence, run)
    registers, memory = read(job, form, reference.time, begun, run.final)
    return Outcome(form, registers, memory, run.time, run.space, run, begun.policy.vocab)


def read(
    job: Job, form: Form, time: int, begun: Start, final: Sequence
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Registers and memory that a form's final state holds."""
    if form in ("ap-mdm", "sparse"):
        return in_place.decode(job, final)
    if form == "arm":
        first = write_once.encode(job, time)
        final = replay.decode(first, final, write_once.vocabulary(job.bits), begun.positions.bit_length())
    return write_once.decode(job, final)
