"""`apmdm theory`: machine programs run in each form, and what each form costs as inputs grow."""

import json
from pathlib import Path
from random import Random

import typer

from apmdm.cli import read
from apmdm.theory.pram import Job, Mode, assemble
from apmdm.theory.programs import ENTRIES, Problem, about
from apmdm.theory.simulate import Form, Outcome, simulate
from apmdm.trace import Trace

ROW = "{:<22} {:>4} {:<7} {:>8} {:>10}  {}"


def list_programs() -> None:
    for name, entry in ENTRIES.items():
        typer.echo(f"{name:<22} {entry.time:<12} {about(name)}")


def problem_of(name: str, n: int, seed: int, memory: Path | None, processors: int) -> tuple[Problem, Mode]:
    """A program of the library on a random input of size n, or a file's on the words of another file."""
    if name in ENTRIES:
        entry = ENTRIES[name]
        if memory is not None:
            raise ValueError(f"--memory is for a program of your own; {name} draws its input, see --n and --seed")
        if not 1 <= n <= entry.largest:
            raise ValueError(f"{name} takes n from 1 to {entry.largest}, not {n}")
        return entry.problem(Random(seed), n), entry.mode
    if not name.endswith(".asm"):
        raise ValueError(f"unknown program {name!r}; there are {', '.join(ENTRIES)}, or give a file that ends in .asm")
    if memory is None:
        raise ValueError("a program of your own needs --memory FILE with the words at the start")
    program = assemble("\n".join(_text(Path(name)).splitlines()))
    words = " ".join(read.lines(memory)).split()
    if not all(word.isdecimal() for word in words):
        raise ValueError(f"{memory} has something that is no number; give the words of the memory, from word 0 on")
    numbers = [int(word) for word in words]
    bits = max(2 * len(words), processors, len(program.instructions) + 1, *numbers).bit_length()
    bits = max(bits, *(x.i.bit_length() for x in program.instructions))
    return Problem(Job(program, tuple(numbers), processors, bits), lambda memory: True), "common-CRCW"


def _text(path: Path) -> str:
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give the text of a program")
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file") from None


def run(
    problem: Problem, mode: Mode, name: str, form: Form, *, weights: bool, as_json: bool, trace: Path | None
) -> bool:
    """Print what came of one form; True if it agrees with the interpreter and the answer is right."""
    if form == "pram" and (weights or trace):
        raise ValueError("--as pram is the reference interpreter: it has no weights and no trace")
    reference = simulate(problem.job, "pram", mode)
    outcome = simulate(problem.job, form, mode, weights=weights, record=trace is not None)
    same = (outcome.registers, outcome.memory) == (reference.registers, reference.memory)
    holds = same and problem.holds(outcome.memory)
    record = {
        "program": name,
        "as": form,
        "compiled": weights,
        "verified": holds,
        "steps": outcome.steps,
        "context": outcome.context,
        "T": reference.steps,
        "P": problem.job.processors,
        "S": len(problem.job.memory),
        "bits": problem.job.bits,
        "memory": outcome.memory,
    }
    if as_json:
        typer.echo(json.dumps(record))
    else:
        for key, value in record.items():
            typer.echo(f"{key}: {' '.join(map(str, value)) if isinstance(value, tuple) else value}")
    if trace is not None:
        trace.write_text(_trace(outcome, name).to_json())
    return holds


def _trace(outcome: Outcome, name: str) -> Trace:
    assert outcome.run is not None
    assert outcome.vocab is not None
    about = {"task": f"theory/{name}", "as": outcome.form}
    return Trace(outcome.vocab, outcome.run.steps, tuple(outcome.run.final.ids.tolist()), None, about)


def table(name: str, largest: int, plot: Path | None) -> bool:
    """Steps and context of the forms for growing n, with the exponents of least squares on logarithms."""
    if name not in ENTRIES:
        raise ValueError(f"unknown program {name!r}; there are {', '.join(ENTRIES)}")
    entry, sizes = ENTRIES[name], [2**power for power in range(1, 11) if 2**power <= largest]
    if len(sizes) < 2 or largest > entry.largest:
        raise ValueError(f"a table of {name} goes to some n from 4 to {entry.largest}, not {largest}")
    forms: tuple[Form, ...] = ("pram", "mdm", "ap-mdm")
    good = True
    found: dict[Form, list[Outcome]] = {form: [] for form in forms}
    typer.echo(ROW.format("program", "n", "as", "steps", "context", "T, P T and S"))
    for n in sizes:
        problem = entry.problem(Random(0), n)
        for form in forms:
            outcome = simulate(problem.job, form, entry.mode)
            time, job = found["pram"][-1].steps if found["pram"] and form != "pram" else outcome.steps, problem.job
            good &= problem.holds(outcome.memory)
            found[form].append(outcome)
            costs = f"{time} {job.processors * time} {len(job.memory)}"
            typer.echo(ROW.format(name, n, form, outcome.steps, outcome.context, costs))
    for form in forms:
        steps = exponent(sizes, [outcome.steps for outcome in found[form]])
        context = exponent(sizes, [outcome.context for outcome in found[form]])
        typer.echo(f"{form}: steps grow as n^{steps:.2f}, context as n^{context:.2f}")
    if plot is not None:
        draw(name, sizes, found, plot)
    return good


def exponent(sizes: list[int], values: list[int]) -> float:
    import numpy as np

    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


def draw(name: str, sizes: list[int], found: dict[Form, list[Outcome]], path: Path) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    for axes, what in zip(figure.subplots(1, 2), ("steps", "context"), strict=True):
        for form, outcomes in found.items():
            axes.loglog(sizes, [getattr(outcome, what) for outcome in outcomes], "o-", base=2, label=form)
        axes.set(title=f"{name}: {what}", xlabel="n")
        axes.legend()
    figure.savefig(path)
