"""Any-process masked diffusion: generation that can unmask, remask, insert and delete."""

import json
from dataclasses import replace
from enum import StrEnum
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any

import typer

from apmdm.allocator import keep_freed_memory

UsageError: Any = typer.BadParameter.__bases__[0]  # Typer has no public name for it
MAX_SEED = 2**32 - 1

app = typer.Typer(add_completion=False, rich_markup_mode=None, help=__doc__)
solve = typer.Typer(rich_markup_mode=None, help="Solve problems with a trained model.")
app.add_typer(solve, name="solve")
generate = typer.Typer(rich_markup_mode=None, help="Draw new sequences from a trained model.")
app.add_typer(generate, name="generate")
theory = typer.Typer(rich_markup_mode=None, help="Run the theorems: machine programs as MDM, AP-MDM and left to right.")
app.add_typer(theory, name="theory")


class Device(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


class Task(StrEnum):
    sudoku = "sudoku"
    parity = "parity"
    dyck = "dyck"
    dyck_repair = "dyck-repair"
    brackets = "brackets"
    graph = "graph"


class Compared(StrEnum):
    dyck = "dyck"
    graph = "graph"
    parity = "parity"
    sudoku = "sudoku"
    words = "words"


class Simulation(StrEnum):
    pram = "pram"
    mdm = "mdm"
    ap_mdm = "ap-mdm"
    sparse = "sparse"
    arm = "arm"


class Certifiable(StrEnum):
    parity = "parity"
    dyck = "dyck"


DeviceOption = Annotated[Device, typer.Option(help="Where the model runs; auto takes a GPU if there is one.")]
SeedOption = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")]
WeightsOption = Annotated[str, typer.Option(help="A shipped name or a folder; the task's own if left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def show_version(wanted: bool) -> bool:
    if wanted:
        try:
            typer.echo(version("apmdm"))
        except PackageNotFoundError:
            typer.echo("unknown: apmdm runs from its sources and is not installed")
        raise typer.Exit
    return wanted


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    keep_freed_memory()


@solve.command("sudoku")
def solve_sudoku(
    source: Annotated[
        str | None,
        typer.Argument(
            metavar="[PUZZLE|FILE|-]",
            help="81 or 256 characters with . or 0 for an empty cell, a file with one puzzle a line, or - for standard "
            "input; the puzzles of the demo if left out.",
        ),
    ] = None,
    as_json: JsonOption = False,
    trace: Annotated[Path | None, typer.Option(help="Write every step of one puzzle's run as JSON.")] = None,
    watch: Annotated[bool, typer.Option(help="Show the grid while it is solved, in a terminal.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Save one JSON object a line in a file as puzzles are solved.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file of --out where it was cut.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Solve the first so many puzzles only.")] = None,
    weights: WeightsOption | None = None,
    device: DeviceOption = Device.auto,
) -> None:
    """Solve Sudoku puzzles; exit code 0 only if every one was solved and verified."""
    from apmdm.cli import read
    from apmdm.cli import solve as run

    problems = read.lines(run.DEMO) if source is None else read.problems(source, run.looks_like_sudoku, run.PUZZLE)
    problems = replace(problems, limit=limit)
    place = read.device(device)
    weights = run.sudoku_weights(problems) if weights is None else weights
    if out is not None:
        if as_json or watch or trace:
            raise ValueError("--out saves every result in a file; it does not go with --json, --watch or --trace")
        finish(run.solve_sudoku_into(read.writable(out), problems, weights, place, resume))
    if resume:
        raise ValueError("--resume goes on with the file of --out; give --out as well")
    trace = trace and read.writable(trace)
    finish(run.solve_sudoku(problems, weights, place, as_json=as_json, watch=watch, trace=trace))


@solve.command("parity")
def solve_parity(
    source: Annotated[str, typer.Argument(metavar="BITS|FILE|-", help="A string of 0 and 1, or a file of them.")],
    as_json: JsonOption = False,
    weights: WeightsOption = "parity",
    device: DeviceOption = Device.auto,
) -> None:
    """Tell the parity of strings of bits of any length."""
    from apmdm.cli import read
    from apmdm.cli import solve as run

    problems = read.problems(source, lambda text: set(text) <= {"0", "1"}, "a string of 0 and 1")
    finish(run.solve_parity(problems, weights, read.device(device), as_json=as_json))


@solve.command("dyck")
def solve_dyck(
    source: Annotated[
        str, typer.Argument(metavar="WORD|FILE|-", help="Letters a A b B ... and brackets ()[]{}, or a file of words.")
    ],
    as_json: JsonOption = False,
    weights: WeightsOption = "dyck-repair",
    device: DeviceOption = Device.auto,
) -> None:
    """Edit broken words into ones that cancel: replace, insert and delete letters or brackets."""
    from apmdm.cli import read
    from apmdm.cli.repair import solve_dyck
    from apmdm.tasks.dyck.process import LETTERS

    problems = read.problems(source, lambda text: set(text) <= set(LETTERS), "a word of letters and brackets")
    finish(solve_dyck(problems, weights, read.device(device), as_json))


@solve.command("graph")
def solve_graph(
    file: Annotated[Path, typer.Argument(help="GraphML (.graphml, .xml), node-link JSON (.json), else an edge list.")],
    source: Annotated[str, typer.Option(help="Name of the node to start from.")],
    target: Annotated[str, typer.Option(help="Name of the node to be cut off.")],
    undirected: Annotated[bool, typer.Option("--undirected", help="Edges lead both ways.")] = False,
    as_json: JsonOption = False,
    out: Annotated[Path | None, typer.Option(help="Save the graph without the cut, in the format of its name.")] = None,
    trace: Annotated[Path | None, typer.Option(help="Write every step of the run as JSON.")] = None,
    weights: WeightsOption = "graph",
    device: DeviceOption = Device.auto,
) -> None:
    """Delete the fewest edges that cut the target off; exit code 0 only if the cut was verified."""
    from apmdm.cli import read
    from apmdm.cli.graph import solve_graph
    from apmdm.tasks.graph import files

    named, place = files.read(file, source, target, undirected), read.device(device)
    out, trace = out and read.writable(out), trace and read.writable(trace)
    finish(solve_graph(named, weights, place, as_json=as_json, out=out, trace=trace))


@generate.command("dyck")
def generate_dyck(
    k: Annotated[
        int | None, typer.Option(min=1, max=8, help="Letters, each with an inverse: a A, b B, ...; 2 if left out.")
    ] = None,
    brackets: Annotated[bool, typer.Option("--brackets", help="Words over ()[]{} instead, opened first.")] = False,
    length: Annotated[int, typer.Option(min=0, help="Exact length of every word, an even number.")] = 64,
    num: Annotated[int, typer.Option(min=1, help="How many words.")] = 10,
    as_json: JsonOption = False,
    weights: WeightsOption = "dyck",
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
) -> None:
    """Words of two-sided Dyck-k: letters that cancel with their inverses, in either order, down to nothing."""
    from apmdm.cli import read
    from apmdm.cli.generate import generate_dyck

    if brackets and k is not None:
        raise ValueError("--k is a number of letters; --brackets has letters of its own, so give one of the two")
    language = "brackets" if brackets else f"k{k or 2}"
    finish(generate_dyck(language, length, num, weights, read.device(device), seed, as_json))


@theory.command("list")
def theory_list() -> None:
    """The programs that come with the library."""
    from apmdm.cli.theory import list_programs

    list_programs()


@theory.command("run")
def theory_run(
    program: Annotated[str, typer.Argument(metavar="PROGRAM|FILE.asm", help="A name of the list, or a file.")],
    n: Annotated[int | None, typer.Option(help="Size of the random input; 8 if left out.")] = None,
    form: Annotated[Simulation, typer.Option("--as", help="What runs it.")] = Simulation.ap_mdm,
    compiled: Annotated[bool, typer.Option("--compiled", help="As weights of the encoder.")] = False,
    memory: Annotated[Path | None, typer.Option(help="Words of the memory, for a program of your own.")] = None,
    processors: Annotated[int | None, typer.Option(min=1, help="For a program of your own; 1 if left out.")] = None,
    as_json: JsonOption = False,
    trace: Annotated[Path | None, typer.Option(help="Write every step as JSON.")] = None,
    save: Annotated[Path | None, typer.Option(help="With --compiled: a folder for the weights.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Run a program in one form; exit code 0 only if the result is that of the interpreter, or of a search."""
    from apmdm.cli import read
    from apmdm.cli.theory import POLICIES, Wanted, problem_of, refuse_stray, run, run_policy

    if save is not None and not compiled:
        raise ValueError("--save is for the weights of --compiled")
    refuse_stray(program, n, memory, processors)
    n = 8 if n is None else n
    problem = None if program in POLICIES else problem_of(program, n, seed, memory, processors or 1)
    files = trace and read.writable(trace), save and read.folder_without_weights(save)
    wanted = Wanted(form.value, compiled, as_json, *files)
    finish(run_policy(program, n, seed, wanted) if problem is None else run(*problem, program, wanted))


@theory.command("mascot")
def theory_mascot(
    n: Annotated[int, typer.Option(help="Vertices of the random graph.")] = 3,
    as_json: JsonOption = False,
    seed: SeedOption = 0,
) -> None:
    """One question about a graph: theorems, compiled weights and the trained model side by side; 0 if all agree."""
    from apmdm.cli.mascot import mascot

    finish(mascot(n, seed, as_json))


@theory.command("table")
def theory_table(
    program: Annotated[str, typer.Argument(help="A machine program of the list, or tqbf.")] = "prefix_sum",
    largest: Annotated[int, typer.Option(help="Sizes are powers of two up to this one; of tqbf, even numbers.")] = 16,
    plot: Annotated[Path | None, typer.Option(help="Draw the table into this file.")] = None,
) -> None:
    """Steps and context of each form as the input grows, with fitted exponents."""
    from apmdm.cli import read
    from apmdm.cli.theory import table

    finish(table(program, largest, plot and read.writable(plot)))


@app.command("certify")
def certify(
    task: Annotated[Certifiable, typer.Argument(help="What is proved, for sequences of every length.")],
    weights: WeightsOption | None = None,
    k: Annotated[
        int | None, typer.Option(min=1, max=8, help="Letters of the Dyck language; 1 to 4, and brackets, if left out.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Prove that a model is exact, from finitely many evaluations; exit code 1 if the proof fails."""
    from apmdm.cli.certify import certify_dyck, certify_parity

    name = task if weights is None else weights
    if task == Certifiable.dyck:
        finish(certify_dyck(name, ["k1", "k2", "k3", "k4", "brackets"] if k is None else [f"k{k}"], as_json))
    if k is not None:
        raise ValueError("--k is the number of letters of a Dyck language; parity has none")
    finish(certify_parity(name, as_json))


@app.command("eval")
def evaluate(
    task: Annotated[Task, typer.Argument(help="What is measured.")],
    data: Annotated[
        Path | None, typer.Option(help="A file with one problem a line, for sudoku and parity; fresh ones if left out.")
    ] = None,
    num: Annotated[int | None, typer.Option(min=1, help="Fresh Sudoku puzzles; 1,000 if left out.")] = None,
    weights: WeightsOption | None = None,
    as_json: JsonOption = False,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 1,
) -> None:
    """Measure a model by free-running rollouts; every answer is verified."""
    from apmdm.cli import evaluate, read
    from apmdm.cli.graph import evaluate_graph
    from apmdm.cli.repair import evaluate_brackets, evaluate_repair

    if num is not None and (task != Task.sudoku or data is not None):
        raise ValueError("--num is the number of fresh Sudoku puzzles; it goes with eval sudoku without --data")
    measures = {
        "sudoku": partial(evaluate.evaluate_sudoku, num=num),
        "parity": evaluate.evaluate_parity,
        "dyck": evaluate.evaluate_dyck,
        "dyck-repair": evaluate_repair,
        "brackets": evaluate_brackets,
        "graph": evaluate_graph,
    }
    own = Task.dyck_repair if task == Task.brackets else task
    results = measures[task](data, own if weights is None else weights, read.device(device), seed)
    if as_json:
        typer.echo(json.dumps(results))
    else:
        for name, value in results.items():
            inner = value.items() if isinstance(value, dict) else ()
            text = ", ".join(f"{key} {number}" for key, number in inner) or value
            typer.echo(f"{name.replace('_', ' ')}: {text}")


@app.command("train")
def train(
    recipe: Annotated[str, typer.Argument(help="A recipe; an unknown name lists them all.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder of checkpoints and weights; runs/RECIPE if left out.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="WEIGHTS", help="Start from a shipped name or a folder.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the checkpoint in the folder.")] = False,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="PATH=VALUE", help="Change a setting, such as training.steps=100."),
    ] = None,
    device: DeviceOption = Device.auto,
    seed: Annotated[
        int | None, typer.Option(min=0, max=MAX_SEED, help="Seed of weights and data; the recipe's own if left out.")
    ] = None,
) -> None:
    """Train a recipe, from nothing or from weights; Ctrl-C stops it with a checkpoint."""
    from apmdm.cli import read
    from apmdm.cli.train import choose, run

    choice = choose(recipe, settings or [], seed)
    finish(run(choice, out or Path("runs") / recipe, read.device(device), resume, start))


@app.command("compare")
def compare(
    task: Annotated[Compared, typer.Argument(help="What the paradigms are compared on.")],
    budget: Annotated[
        int | None, typer.Option(min=1, help="Training tokens of every paradigm; the task's own if left out.")
    ] = None,
    data: Annotated[Path | None, typer.Option(help="For words: a file with one sequence a line.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of weights, measurements and plot; runs/compare/TASK if left out.")
    ] = None,
    as_json: JsonOption = False,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
) -> None:
    """Train ARM, Masked ARM, MDM, AO-MDM and AP-MDM alike and measure them on the same problems.

    What is trained or measured already is not done again, so an interrupted comparison goes on when it is called again.
    """
    from apmdm.cli import read
    from apmdm.cli.compare import compare

    if (data is None) == (task == Compared.words):
        raise ValueError("--data is the file that compare words learns from; the other tasks make their own problems")
    settings: dict[str, Any] = {"seed": seed} | ({"tokens": budget} if budget else {})
    settings |= {"sequences": sorted(set(read.lines(data)))} if data else {}
    finish(compare(task, settings, out or Path("runs/compare") / task, read.device(device), as_json))


@app.command("info")
def info(
    weights: Annotated[str, typer.Argument(metavar="WEIGHTS", help="A shipped name or a folder.")],
    as_json: JsonOption = False,
) -> None:
    """Describe weights and how they were made."""
    from apmdm.cli.train import info

    info(weights, as_json)


def finish(success: bool) -> None:
    raise typer.Exit(0 if success else 1)
