"""One machine run in each of its forms, all by the library's sampler: as PRAM, MDM, AP-MDM and left to right.

Every form ends in an outcome with the same fields, so that results can be compared and costs set side by side.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Literal, get_args

from apmdm.model.encoder import Encoder
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.theory import in_place, replay, sparse, write_once
from apmdm.theory.compile import MAX_POSITIONS, compile_policy
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.pram import Job, Mode, Program, Result, execute
from apmdm.theory.words import vocabulary
from apmdm.vocab import Vocab

Form = Literal["pram", "mdm", "ap-mdm", "sparse", "arm"]
FORMS: tuple[Form, ...] = get_args(Form)
TOKENS, LONG = 2**19, 2**16
"""Most tokens of a batch; most positions of a run left to right in a batch, above which what is written is cached."""


@dataclass(frozen=True)
class Simulated:
    """What a form ended in, its decoding steps and context; not of the interpreter: its run, symbols and weights."""

    form: Form
    registers: tuple[tuple[int, ...], ...]
    memory: tuple[int, ...]
    steps: int
    context: int
    run: Run | None = None
    vocab: Vocab | None = None
    weights: Encoder | None = None


@dataclass(frozen=True)
class Start:
    """A policy with the sequence that it starts from, and how many positions it must know."""

    policy: ArrayPolicy
    sequence: Sequence
    positions: int


def start(job: Job, form: Form, time: int) -> Start:
    """Of a form of a job. time: its machine steps, for which an MDM and an ARM are given their masks in advance."""
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


def compiled(form: Form, begun: Start) -> Encoder:
    """Weights that do what the form's policy does; raises ValueError if there are too many positions."""
    if begun.positions > MAX_POSITIONS:
        raise ValueError(
            f"compiled weights are for at most {MAX_POSITIONS:,} positions, {form} needs {begun.positions:,}; "
            "take a smaller n"
        )
    return compile_policy(begun.policy, begun.positions)


def simulate(
    job: Job, form: Form, mode: Mode = "common-CRCW", *, weights: bool = False, record: bool = False
) -> Simulated:
    """Run a job in one form. Raises ValueError if it breaks its memory model, or a theorem that holds for the form."""
    return simulate_all([job], form, mode, weights=weights, record=record)[0]


def simulate_all(
    jobs: Seq[Job], form: Form, mode: Mode = "common-CRCW", *, weights: bool = False, record: bool = False
) -> list[Simulated]:
    """Run jobs in one form; those with the same program and symbols, and lengths alike, share a policy and a batch."""
    references = [execute(job, mode) for job in jobs]
    if form == "pram":
        return [_of_interpreter(job, reference) for job, reference in zip(jobs, references, strict=True)]
    begun = [start(job, form, reference.time) for job, reference in zip(jobs, references, strict=True)]
    alike: dict[tuple[Program, Vocab, int], list[int]] = {}
    for number, (job, one) in enumerate(zip(jobs, begun, strict=True)):
        alike.setdefault((job.program, one.policy.vocab, one.positions.bit_length()), []).append(number)
    outcomes: dict[int, Simulated] = {}
    for numbers in alike.values():
        largest = max((begun[number] for number in numbers), key=lambda one: one.positions)
        encoder = compiled(form, largest) if weights else None
        for run in _runs(form, largest, [begun[number].sequence for number in numbers], encoder, record):
            if run.stop != "fixed point":
                raise ValueError(f"{form} stopped by its {run.stop} after {run.time} steps")
            number = numbers[run.index]
            if form == "mdm":
                write_once.assert_theorem_2(begun[number].sequence, run)
            registers, memory = read(jobs[number], form, references[number].time, begun[number], run.final)
            costs = run.time, run.space
            outcomes[number] = Simulated(form, registers, memory, *costs, run, largest.policy.vocab, encoder)
    return [outcomes[number] for number in range(len(jobs))]


def _runs(form: Form, largest: Start, sequences: Seq[Sequence], encoder: Encoder | None, record: bool) -> Iterator[Run]:
    model: Predictor = encoder or largest.policy
    if form == "mdm":
        model = write_once.WriteOnce(model)
    if form == "arm":
        if largest.positions > LONG and not encoder and not record:
            for index, sequence in enumerate(sequences):
                yield replace(replay.left_to_right(largest.policy, sequence), index=index)
            return
        model = replay.LeftToRight(model)
    rows, most = max(1, TOKENS // largest.positions), largest.positions
    yield from rollouts(model, sequences, batch_size=rows, max_steps=10**7, max_length=most, record=record)


def _of_interpreter(job: Job, result: Result) -> Simulated:
    size = len(job.memory) + job.processors * (job.program.num_registers + 1)
    return Simulated("pram", result.registers, result.memory, result.time, size)


def read(
    job: Job, form: Form, time: int, begun: Start, final: Sequence
) -> tuple[tuple[tuple[int, ...], ...], tuple[int, ...]]:
    """Registers and memory that a form's final state holds."""
    if form in ("ap-mdm", "sparse"):
        return in_place.decode(job, final)
    if form == "arm":
        first = write_once.encode(job, time)
        final = replay.decode(first, final, vocabulary(job.bits), begun.positions.bit_length())
    return write_once.decode(job, final)
