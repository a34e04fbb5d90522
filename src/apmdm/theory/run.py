"""`apmdm theory`: machine programs and other policies run in each form, and what each form costs as inputs grow."""

import json
from dataclasses import dataclass
from pathlib import Path
from random import Random

import typer

from apmdm import weights
from apmdm.model.encoder import Encoder
from apmdm.sampler import Run
from apmdm.theory.policies import POLICIES, formula_in_place, formula_write_once, hard
from apmdm.theory.pram import Job, Mode, assemble
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
    """What `theory run` is asked for besides the program and its input."""

    form: Form
    compiled: bool
    as_json: bool
    trace: Path | None
    save: Path | None

    def tell(self, name: str, record: dict[str, object], run: Run | None, vocab: Vocab | None, model: object) -> None:
        """Print what came of a run, and write its trace and its weights."""
        record = {"program": name, "as": self.form, "compiled": self.compiled} | record
        if self.as_json:
            typer.echo(json.dumps(record))
        else:
            for key, value in record.items():
                typer.echo(f"{key}: {' '.join(map(str, value)) if isinstance(value, tuple) else value}")
        about = {"task": f"theory/{name}", "as": self.form}
        if self.trace is not None and run is not None and vocab is not None:
            self.trace.write_text(Trace(vocab, run.steps, tuple(run.final.ids.tolist()), None, about).to_json())
        if self.save is not None and isinstance(model, Encoder):
            model.save_pretrained(self.save)
            weights.write_manifest(self.save, about | {"recipe": "set by hand: apmdm theory run --compiled"})


def refuse_stray(name: str, n: int | None, memory: Path | None, processors: int | None) -> None:
    """Options that would be ignored."""
    own = name.endswith(".asm")
    if own and n is not None:
        raise ValueError("--n is for a program of the library; yours runs on the words of --memory")
    for option, given in (("--memory", memory), ("--processors", processors)):
        if given is not None and not own:
            raise ValueError(f"{option} is for a program of your own, a file that ends in .asm; see --n and --seed")


def problem_of(name: str, n: int, seed: int, memory: Path | None, processors: int) -> tuple[ProgramProblem, Mode]:
    """A program of the library on a random input of size n, or a file's on the words of another file."""
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
    program = assemble(_text(Path(name), "the text of a program"))
    words = _text(memory, "the words of the memory").split()
    if not all(word.isdecimal() for word in words):
        raise ValueError(f"{memory} has something that is no number; give the words of the memory, from word 0 on")
    numbers = [int(word) for word in words]
    bits = max(2 * len(words), processors, len(program.instructions) + 1, *numbers).bit_length()
    bits = max(bits, *(x.i.bit_length() for x in program.instructions))
    return ProgramProblem(Job(program, tuple(numbers), processors, bits), lambda memory: True), "common-CRCW"


def _text(path: Path, what: str) -> str:
    if not path.is_file():
        raise ValueError(f"there is no file {path}; give {what}")
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file") from None


def run_program(problem: ProgramProblem, mode: Mode, name: str, wanted: Request) -> bool:
    """Run a program in one form; True if it agrees with the interpreter and the answer is right."""
    if wanted.form == "pram" and (wanted.compiled or wanted.trace):
        raise ValueError("--as pram is the reference interpreter: it has no weights and no trace")
    reference = simulate(problem.job, "pram", mode)
    outcome = simulate(problem.job, wanted.form, mode, weights=wanted.compiled, record=wanted.trace is not None)
    same = (outcome.registers, outcome.memory) == (reference.registers, reference.memory)
    record = {
        "verified": same and problem.holds(outcome.memory),
        "steps": outcome.steps,
        "context": outcome.context,
        "T": reference.steps,
        "P": problem.job.processors,
        "S": len(problem.job.memory),
        "bits": problem.job.bits,
        "memory": outcome.memory,
    }
    wanted.tell(name, record, outcome.run, outcome.vocab, outcome.weights)
    return bool(record["verified"])


def run_policy(name: str, n: int, seed: int, wanted: Request) -> bool:
    """Run a policy that is no machine program; True if what it ended in is right."""
    listed = POLICIES[name]
    if wanted.form not in listed.forms:
        raise ValueError(f"{name} runs as {' or '.join(listed.forms)}, not as {wanted.form}")
    if not 1 <= n <= listed.largest:
        raise ValueError(f"{name} takes n from 1 to {listed.largest:,}, not {n}")
    instance = listed.forms[wanted.form](n, seed)
    model = instance.weights() if wanted.compiled else None
    run = instance.run(model or instance.policy, write_once=wanted.form == "mdm", record=wanted.trace is not None)
    record = {"verified": instance.holds(run), "steps": run.time, "context": run.space}
    wanted.tell(name, record | {"answer": instance.read(run.final)}, run, instance.policy.vocab, model)
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
        for form, make in (("ap-mdm", formula_in_place), ("mdm", formula_write_once)):
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
