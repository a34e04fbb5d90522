"""`apmdm theory`: its commands; what they do is in apmdm.theory."""

from contextlib import ExitStack
from dataclasses import replace
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from apmdm.cli.options import JsonOption, SeedOption, finish
from apmdm.theory.pram import MAX_STEPS

theory = typer.Typer(rich_markup_mode=None, help="Run the theorems: machine programs as MDM, AP-MDM and left to right.")


class Simulation(StrEnum):
    pram = "pram"
    mdm = "mdm"
    ap_mdm = "ap-mdm"
    sparse = "sparse"
    arm = "arm"


@theory.command("list")
def theory_list() -> None:
    """The programs that come with the library."""
    from apmdm.theory.run import list_programs

    list_programs()


@theory.command("run")
def theory_run(
    program: Annotated[str, typer.Argument(metavar="PROGRAM|FILE.asm", help="A name of the list, or a file.")],
    n: Annotated[int | None, typer.Option(help="Size of the random input; 8 if left out.")] = None,
    form: Annotated[Simulation, typer.Option("--as", help="What runs it.")] = Simulation.ap_mdm,
    compiled: Annotated[bool, typer.Option("--compiled", help="As weights of the encoder.")] = False,
    weights: Annotated[Path | None, typer.Option(help="As weights that --save wrote, for inputs up to theirs.")] = None,
    memory: Annotated[Path | None, typer.Option(help="Words of the memory, for a program of your own.")] = None,
    processors: Annotated[int | None, typer.Option(min=1, help="For a program of your own; 1 if left out.")] = None,
    bits: Annotated[
        int | None, typer.Option(min=1, help="Bits of a word; as few as the input needs if left out.")
    ] = None,
    formula: Annotated[Path | None, typer.Option(help="For tqbf: decide the formula of this QDIMACS file.")] = None,
    max_steps: Annotated[int, typer.Option(min=1, help="Most steps of the machine.")] = MAX_STEPS,
    minutes: Annotated[float, typer.Option(min=0, help="Refuse a run that would take longer.")] = 10,
    as_json: JsonOption = False,
    trace: Annotated[Path | None, typer.Option(help="Write every step as JSON.")] = None,
    shown: Annotated[bool, typer.Option("--view", help="Show the run in a browser, step by step.")] = False,
    save: Annotated[Path | None, typer.Option(help="With --compiled: a folder for the weights.")] = None,
    seed: SeedOption = 0,
) -> None:
    """Run a program in one form; exit code 0 only if the result is verified.

    Verified: registers and memory equal those of an interpreter of the machine. For programs of the library the answer
    is found by other means as well, for a formula by recursion. For a program of your own equality is all that is
    checked, and a sum that does not fit into a word is refused.
    """
    from apmdm import outputs
    from apmdm.theory.policies import POLICIES
    from apmdm.theory.run import Request, problem_of, refuse_stray, run_policy, run_program

    if save is not None and not compiled:
        raise ValueError("--save is for the weights of --compiled")
    if weights is not None and compiled:
        raise ValueError("--weights are compiled already; give one of --weights and --compiled")
    inputs = {"--n": n, "--memory": memory, "--processors": processors, "--bits": bits, "--formula": formula}
    refuse_stray(program, inputs | {"--weights": weights})
    n = 8 if n is None else n
    problem = None if program in POLICIES else problem_of(program, n, seed, memory, processors or 1, bits)
    files = trace and outputs.writable(trace), save and outputs.unused_folder(save)
    wanted = Request(form.value, compiled, as_json, *files, weights, max_steps, minutes)
    with ExitStack() as ends:
        if shown and trace is None:
            folder = Path(ends.enter_context(TemporaryDirectory()))
            wanted = replace(wanted, trace=folder / f"{Path(program).stem}.json")
        with wanted.estimate.awaited():
            verified = (
                run_policy(program, n, seed, formula, wanted)
                if problem is None
                else run_program(*problem, program, wanted)
            )
        if shown and wanted.trace is not None:
            from apmdm.cli.films import view

            view([wanted.trace], None, None)
    finish(verified)


@theory.command("mascot")
def theory_mascot(
    n: Annotated[int, typer.Option(help="Vertices of the random graph.")] = 3,
    as_json: JsonOption = False,
    seed: SeedOption = 0,
) -> None:
    """One question about a graph: theorems, compiled weights and the trained model side by side; 0 if all agree."""
    from apmdm.theory.mascot import mascot

    finish(mascot(n, seed, as_json))


@theory.command("table")
def theory_table(
    program: Annotated[str, typer.Argument(help="A machine program of the list, or tqbf.")] = "prefix_sum",
    largest: Annotated[int, typer.Option(help="Sizes are powers of two up to this one; of tqbf, even numbers.")] = 16,
    plot: Annotated[Path | None, typer.Option(help="Draw the table into this file.")] = None,
) -> None:
    """Steps and context of each form as the input grows, with fitted exponents."""
    from apmdm import outputs
    from apmdm.theory.run import table

    finish(table(program, largest, plot and outputs.writable(plot)))
