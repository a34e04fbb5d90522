"""One machine run in each of its forms, all by the library's sampler: as PRAM, MDM, AP-MDM and left to right.

Every form ends in an outcome with the same fields, so that results can be compared and costs set side by side.
"""

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from apmdm.model.encoder import Encoder
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.theory import in_place, replay, sparse, write_once
from apmdm.theory.compile import MAX_POSITIONS, compile_policy
from apmdm.theory.estimate import Estimate
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.pram import MAX_STEPS, Job, Mode, Program, Result, execute
from apmdm.theory.words import vocabulary
from apmdm.vocab import Vocab

Form = Literal["pram", "mdm", "ap-mdm", "sparse", "arm"]
FORMS: tuple[Form, ...] = get_args(Form)
TOKENS, LONG, MAX_TOKENS = 2**19, 2**16, 2**22
"""Most tokens of a batch; most positions of a run left to right in a batch, above which what is written is cached; most
tokens of a start."""


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


def most_steps(job: Job, form: Form, time: int) -> int:
    """Most decoding steps of a form of a job that takes so many machine steps."""
    written = write_once.RECORD * job.processors * time
    return {"sparse": 5 * time + 2, "arm": 2 * written + time}.get(form, time)


def start(job: Job, form: Form, time: int, positions: int = 0) -> Start:
    """Of a form of a job, for at least so many positions. Raises ValueError if it has too many tokens.

    time: its machine steps, for which an MDM and an ARM are given their masks in advance.
    """
    program, bits = job.program, job.bits
    if form == "ap-mdm":
        sequence = in_place.encode(job)
        return Start(in_place.policy(program, bits, len(sequence)), sequence, len(sequence))
    if form == "sparse":
        cells = len(job.memory) + job.processors * (job.program.num_registers + 1)
        positions = 4 * cells + 8 * job.processors * 4
        return Start(sparse.policy(program, bits, positions), sparse.encode(job), positions)
    tokens = write_once.context(job, time) * (1 if form == "mdm" else 2)
    if tokens > MAX_TOKENS:
        raise ValueError(
            f"{form} needs a context of {tokens:,} tokens for {time:,} steps of {job.processors:,} processors, and at "
            f"most {MAX_TOKENS:,} fit; in place (ap-mdm) the context stays small"
        )
    sequence = write_once.encode(job, time)
    if form == "mdm":
        return Start(write_once.policy(program, bits, len(sequence)), sequence, len(sequence))
    width = max(3 + 2 * len(sequence) + time, positions).bit_length()
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


def simulate(job: Job, form: Form, mode: Mode = "common-CRCW", **options: Any) -> Simulated:
    """Run one job in one form, with the options of `simulate_all`."""
    return simulate_all([job], form, mode, **options)[0]


def simulate_all(
    jobs: Seq[Job],
    form: Form,
    mode: Mode = "common-CRCW",
    *,
    weights: bool | Encoder = False,
    record: bool = False,
    max_steps: int = MAX_STEPS,
    estimate: Estimate | None = None,
) -> list[Simulated]:
    """Run jobs in one form; those with the same program and symbols, and lengths alike, share a policy and a batch.

    weights: whether to compile the form's policy, or an encoder that it was compiled to, for as many positions or more.
    max_steps: of the machine. estimate: is asked before each step, and may refuse the run.
    Raises ValueError if a job breaks its memory model, or a theorem that holds for the form.
    """
    references = [execute(job, mode, max_steps) for job in jobs]
    if form == "pram":
        return [_of_interpreter(job, reference) for job, reference in zip(jobs, references, strict=True)]
    most = max(most_steps(job, form, result.time) for job, result in zip(jobs, references, strict=True))
    if estimate is not None:
        estimate.expect(most)
    room = weights.shape.absolute if isinstance(weights, Encoder) else 0
    begun = [start(job, form, reference.time, room) for job, reference in zip(jobs, references, strict=True)]
    if room and (needed := max(one.positions for one in begun)) > room:
        raise ValueError(
            f"these weights are for at most {room:,} positions, and {needed:,} are needed; take a smaller n"
        )
    alike: dict[tuple[Program, Vocab, int], list[int]] = {}
    for number, (job, one) in enumerate(zip(jobs, begun, strict=True)):
        alike.setdefault((job.program, one.policy.vocab, one.positions.bit_length()), []).append(number)
    outcomes: dict[int, Simulated] = {}
    for numbers in alike.values():
        largest = max((begun[number] for number in numbers), key=lambda one: one.positions)
        encoder = weights if isinstance(weights, Encoder) else compiled(form, largest) if weights else None
        options = {"max_steps": most + 1, "record": record, "on_step": estimate}
        for run in _runs(form, largest, [begun[number].sequence for number in numbers], encoder, **options):
            if run.stop != "fixed point":
                raise ValueError(f"{form} stopped by its {run.stop} after {run.time} steps")
            number = numbers[run.index]
            if form == "mdm":
                write_once.assert_theorem_2(begun[number].sequence, run)
            registers, memory = read(jobs[number], form, references[number].time, begun[number], run.final)
            costs = run.time, run.space
            outcomes[number] = Simulated(form, registers, memory, *costs, run, largest.policy.vocab, encoder)
    return [outcomes[number] for number in range(len(jobs))]


def _runs(
    form: Form, largest: Start, sequences: Seq[Sequence], encoder: Encoder | None, **options: Any
) -> Iterator[Run]:
    model: Predictor = encoder or largest.policy
    if form == "mdm":
        model = write_once.WriteOnce(model)
    if form == "arm":
        if largest.positions > LONG and not encoder and not options["record"]:
            for index, sequence in enumerate(sequences):
                run = replay.left_to_right(largest.policy, sequence, on_step=options["on_step"])
                yield replace(run, index=index)
            return
        model = replay.LeftToRight(model)
    rows, most = max(1, TOKENS // largest.positions), largest.positions
    yield from rollouts(model, sequences, batch_size=rows, max_length=most, **options)


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
