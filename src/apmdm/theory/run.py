"""`apmdm theory`: machine programs and other policies run in each form, and what each form costs as inputs grow."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from random import Random

import typer

from apmdm.lines import read_text
from apmdm.policy import Greedy
from apmdm.sampler import Run
from apmdm.theory import qdimacs, saved
from apmdm.theory.estimate import Estimate
from apmdm.theory.policies import FORMULA_FORMS, POLICIES, hard
from apmdm.theory.pram import MAX_BITS, Job, Mode, Result, assemble, execute
from apmdm.theory.programs import ENTRIES, ProgramProblem, about
from apmdm.theory.simulate import Form, simulate, simulate_all
from apmdm.trace import Trace
from apmdm.vocab import Vocab

ROW = "{:<22} {:>4} {:<7} {:>8} {:>10}  {}"
FORMULAS = "tqbf"
Costs = dict[str, list[tuple[int, int]]]
"""For each form steps and context, one pair for each size."""


def list_programs() -> None:
    for name, entry in ENTRIES.items():
        typer.echo(f"{name:<22} {entry.time:<12} {about(name)}")
    for name, listed in POLICIES.items():
        typer.echo(f"{name:<22} {' '.join(listed.forms):<12} {listed.about}")


@dataclass(frozen=True)
class Request:
    """What `theory run` is asked for besides the program and its input.

    max_steps: of the interpreter. minutes: a run that would take longer is refused.
    """

    form: Form
    compiled: bool
    as_json: bool
    trace: Path | None
    save: Path | None
    weights: Path | None
    max_steps: int
    minutes: float

    @cached_property
    def estimate(self) -> Estimate:
        return Estimate(60 * self.minutes, lambda line: typer.echo(line, err=True))

    def tell(self, name: str, record: dict[str, object], run: Run | None, vocab: Vocab | None) -> None:
        """Print what came of a run, and write its trace."""
        record = {"program": name, "as": self.form, "compiled": self.compiled or self.weights is not None} | record
        if self.as_json:
            typer.echo(json.dumps(record))
        else:
            for key, value in record.items():
                typer.echo(f"{key}: {' '.join(map(str, value)) if isinstance(value, tuple) else value}")
        if self.trace is not None and run is not None and vocab is not None:
            about = {"task": f"theory/{name}", "as": self.form}
            self.trace.write_text(Trace(vocab, run.steps, tuple(run.final.ids.tolist()), None, about).to_json())


def refuse_stray(name: str, given: Mapping[str, object]) -> None:
    """Options that would be ignored. given: those of the command line, None for those left out."""
    own, policy = name.endswith(".asm"), name in POLICIES
    if own and given["--n"] is not None:
        raise ValueError("--n is for a program of the library; yours runs on the words of --memory")
    if name == FORMULAS and given["--n"] is not None and given["--formula"] is not None:
        raise ValueError("--n is for random formulas; leave it out with --formula")
    for option, belongs, whose in (
        ("--memory", own, "a program of your own, a file that ends in .asm; see --n and --seed"),
        ("--processors", own, "a program of your own, a file that ends in .asm; see --n and --seed"),
        ("--bits", not policy, "machine programs"),
        ("--weights", not policy, "machine programs; those of a policy are models of a task, as their README says"),
        ("--formula", name == FORMULAS, FORMULAS),
    ):
        if given[option] is not None and not belongs:
            raise ValueError(f"{option} is for {whose}")


def problem_of(
    name: str, n: int, seed: int, memory: Path | None, processors: int, bits: int | None = None
) -> tuple[ProgramProblem, Mode]:
    """A program of the library on a random input of size n, or a file's on the words of another file.

    bits: of a word, if not as few as the input asks for.
    """
    problem, mode = _problem_of(name, n, seed, memory, processors)
    return replace(problem, job=replace(problem.job, bits=bits or problem.job.bits)), mode


def _problem_of(name: str, n: int, seed: int, memory: Path | None, processors: int) -> tuple[ProgramProblem, Mode]:
    if name in ENTRIES:
        entry = ENTRIES[name]
        if not 1 <= n <= entry.largest:
            raise ValueError(f"{name} takes n from 1 to {entry.largest}, not {n}")
        return entry.problem(Random(seed), n), entry.mode
    if not name.endswith(".asm"):
        raise ValueError(
            f"unknown program {name!r}; there are {', '.join([*ENTRIES, *POLICIES])}, or give a file that ends in .asm"
        )
    if memory is None:
        raise ValueError("a program of your own needs --memory FILE with the words at the start")
    text = read_text(Path(name), "the text of a program")
    return own_problem(text, read_text(memory, "the words of the memory"), processors, str(memory))


def own_problem(text: str, memory: str, processors: int, told: str) -> tuple[ProgramProblem, Mode]:
    """The program of this text on the words of a memory. told: what a message calls the memory."""
    program, words = assemble(text), memory.split()
    if not all(word.isdecimal() for word in words):
        raise ValueError(f"{told} has something that is no number; give the words of the memory, from word 0 on")
    numbers = [int(word) for word in words]
    bits = max(2 * len(words), processors, len(program.instructions) + 1, *numbers).bit_length()
    bits = max(bits, *(x.i.bit_length() for x in program.instructions))
    return ProgramProblem(Job(program, tuple(numbers), processors, bits), lambda memory: True), "common-CRCW"


def run_program(problem: ProgramProblem, mode: Mode, name: str, wanted: Request) -> bool:
    """Run a program in one form; True if it agrees with the interpreter and, in the library, the answer is right.

    Raises ValueError if a number of a program of one's own is too large for its words.
    """
    if wanted.form == "pram" and (wanted.compiled or wanted.trace or wanted.weights):
        raise ValueError("--as pram is the reference interpreter: it has no weights and no trace")
    about = {"task": f"theory/{name}", "as": wanted.form, "program": saved.digest(problem.job.program)}
    weights = wanted.compiled
    if wanted.weights is not None:
        weights, bits = saved.load(wanted.weights, about)
        if bits < problem.job.bits:
            raise ValueError(
                f"the weights at {wanted.weights} have words of {bits} bits, and {problem.job.bits} are needed"
            )
        problem = replace(problem, job=replace(problem.job, bits=bits))
    job = problem.job
    reference = execute(job, mode, wanted.max_steps)
    if name not in ENTRIES:
        _tell_wrapping(reference, job.bits)
    outcome = simulate(
        job,
        wanted.form,
        mode,
        weights=weights,
        record=wanted.trace is not None,
        max_steps=wanted.max_steps,
        estimate=wanted.estimate,
    )
    same = (outcome.registers, outcome.memory) == (reference.registers, reference.memory)
    verified = same and problem.holds(outcome.memory)
    record: dict[str, object] = {
        "verified": verified,
        "steps": outcome.steps,
        "context": outcome.context,
        "T": reference.time,
        "P": job.processors,
        "S": len(job.memory),
        "bits": job.bits,
        "memory": outcome.memory,
    }
    wanted.tell(name, record, outcome.run, outcome.vocab)
    if wanted.save is not None and outcome.weights is not None:
        about |= {"bits": job.bits, "positions": outcome.weights.shape.absolute}
        saved.save(outcome.weights, wanted.save, about, Greedy())
    return verified


def _tell_wrapping(result: Result, bits: int) -> None:
    """Raises ValueError for a number that was too large; tells of one below 0, which programs use on purpose."""
    if result.overflow:
        raise ValueError(
            f"{result.overflow} does not fit into a word of {bits} bits; give wider words by --bits, {MAX_BITS} at most"
        )
    if result.below:
        typer.echo(f"note: {result.below} is below 0, so it was taken modulo 2^{bits}", err=True)


def run_policy(name: str, n: int, seed: int, formula: Path | None, wanted: Request) -> bool:
    """Run a policy that is no machine program; True if what it ended in is right.

    formula: a file in QDIMACS to decide instead of a random formula.
    """
    listed = POLICIES[name]
    if wanted.form not in listed.forms:
        raise ValueError(f"{name} runs as {' or '.join(listed.forms)}, not as {wanted.form}")
    if not 1 <= n <= listed.largest:
        raise ValueError(f"{name} takes n from 1 to {listed.largest:,}, not {n}")
    if formula is None:
        instance = listed.forms[wanted.form](n, seed)
    else:
        instance = FORMULA_FORMS[wanted.form](qdimacs.parse(read_text(formula, "a formula in QDIMACS")))
    model, recorded = instance.weights() if wanted.compiled else None, wanted.trace is not None
    run = instance.run(
        model or instance.policy, write_once=wanted.form == "mdm", record=recorded, estimate=wanted.estimate
    )
    record = {"verified": instance.holds(run), "steps": run.time, "context": run.space}
    wanted.tell(name, record | {"answer": instance.read(run.final)}, run, instance.policy.vocab)
    if wanted.save is not None and model is not None:
        about = {"task": f"theory/{name}", "as": wanted.form, "positions": instance.positions}
        saved.save(model, wanted.save, about, instance.decoding, listed.task)
    return instance.holds(run)


def table(name: str, largest: int, plot: Path | None) -> bool:
    """Steps and context of the forms for growing n, with fitted growth: powers of n, or of 2 for formulas."""
    if name == FORMULAS:
        if not 4 <= largest <= POLICIES[name].largest:
            raise ValueError(f"a table of {name} goes to some n from 4 to {POLICIES[name].largest}, not {largest}")
        sizes, measure = list(range(2, largest + 1, 2)), _formulas
    elif name in ENTRIES:
        sizes, measure = [2**power for power in range(1, 11) if 2**power <= largest], _programs
        if len(sizes) < 2 or largest > ENTRIES[name].largest:
            raise ValueError(f"a table of {name} goes to some n from 4 to {ENTRIES[name].largest}, not {largest}")
    else:
        raise ValueError(f"unknown program {name!r}; there are {', '.join(ENTRIES)}, {FORMULAS}")
    if plot is not None and plot.suffix not in (".png", ".svg", ".pdf"):
        raise ValueError(f"a plot is a file that ends in .png, .svg or .pdf, not {plot.name}")
    typer.echo(ROW.format("program", "n", "as", "steps", "context", "leaves" if name == FORMULAS else "T, P T and S"))
    good, costs = measure(name, sizes)
    for form, pairs in costs.items():
        steps, context = (growth(sizes, values, name == FORMULAS) for values in zip(*pairs, strict=True))
        if name in ENTRIES and "log" in ENTRIES[name].time:
            added = (pairs[-1][0] - pairs[0][0]) / (len(sizes) - 1)
            steps = f"{ENTRIES[name].time}: {added:.1f} more for each doubling"
        typer.echo(f"{form}: steps grow as {steps}, context as {context}")
    if plot is not None:
        draw(name, sizes, costs, plot)
    return good


def _programs(name: str, sizes: list[int]) -> tuple[bool, Costs]:
    entry = ENTRIES[name]
    problems = [entry.problem(Random(0), n) for n in sizes]
    jobs = [problem.job for problem in problems]
    forms: tuple[Form, ...] = ("pram", "mdm", "ap-mdm")
    outcomes = {form: simulate_all(jobs, form, entry.mode) for form in forms}
    for number, (n, job) in enumerate(zip(sizes, jobs, strict=True)):
        time = outcomes["pram"][number].steps
        for form in forms:
            outcome = outcomes[form][number]
            theirs = f"{time} {job.processors * time} {len(job.memory)}"
            typer.echo(ROW.format(name, n, form, outcome.steps, outcome.context, theirs))
    good = all(p.holds(o.memory) for found in outcomes.values() for p, o in zip(problems, found, strict=True))
    return good, {form: [(one.steps, one.context) for one in found] for form, found in outcomes.items()}


def _formulas(name: str, sizes: list[int]) -> tuple[bool, Costs]:
    good, costs = True, {"ap-mdm": [], "mdm": []}
    for n in sizes:
        for form, make in FORMULA_FORMS.items():
            instance = make(hard(n))
            run = instance.run(instance.policy, write_once=form == "mdm")
            good &= instance.holds(run)
            costs[form].append((run.time, run.space))
            typer.echo(ROW.format(name, n, form, run.time, run.space, 2**n))
    return good, costs


def growth(sizes: list[int], values: tuple[int, ...], exponential: bool) -> str:
    """By least squares on logarithms."""
    import numpy as np

    if exponential:
        return f"2^({np.polyfit(sizes, np.log2(values), 1)[0]:.2f} n)"
    return f"n^{np.polyfit(np.log(sizes), np.log(values), 1)[0]:.2f}"


def draw(name: str, sizes: list[int], costs: Costs, path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    for number, (axes, what) in enumerate(zip(figure.subplots(1, 2), ("steps", "context"), strict=True)):
        for form, pairs in costs.items():
            line = axes.semilogy if name == FORMULAS else axes.loglog
            line(sizes, [pair[number] for pair in pairs], "o-", base=2, label=form)
        axes.set(title=f"{name}: {what}", xlabel="n")
        axes.legend()
    figure.savefig(path, dpi=80)
