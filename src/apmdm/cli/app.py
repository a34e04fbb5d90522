"""Any-process masked diffusion: generation that can unmask, remask, insert and delete."""

from pathlib import Path
from typing import Annotated, Any

import typer

import apmdm
from apmdm.cli.group import verb
from apmdm.cli.options import JsonOption
from apmdm.cli.theory import theory
from apmdm.memory import keep_freed_memory

UsageError: Any = typer.BadParameter.__bases__[0]  # Typer has no public name for it

app = typer.Typer(rich_markup_mode=None, help=__doc__)
verb(app, "run", "Answer problems with a trained model.")
verb(app, "solve", "The same as run.")
verb(app, "generate", "Draw new sequences from a trained model.")
verb(app, "check", "Look for mistakes in a task before anyone trains on it.")
verb(app, "train", "Train a model, from nothing or from weights; Ctrl-C stops it with a checkpoint.")
verb(app, "eval", "Measure a model by free-running rollouts; every answer is verified.")
verb(app, "audit", "Tell where a model goes wrong, and why.")
verb(app, "certify", "Prove that a model is exact, from finitely many evaluations; exit code 1 if the proof fails.")
verb(app, "compare", "Train ARM, Masked ARM, MDM, AO-MDM and AP-MDM alike and measure them on the same problems.")
app.add_typer(theory, name="theory")


def show_version(wanted: bool) -> bool:
    if wanted:
        typer.echo(apmdm.__version__)
        raise typer.Exit
    return wanted


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    keep_freed_memory()


@app.command("info")
def info(
    weights: Annotated[str, typer.Argument(metavar="WEIGHTS", help="A shipped name or a folder.")],
    as_json: JsonOption = False,
) -> None:
    """Describe weights and how they were made."""
    from apmdm.cli.info import info

    info(weights, as_json)


@app.command("repair")
def repair(
    file: Annotated[Path, typer.Argument(metavar="FILE|-", help="Broken text; in .jsonl and .ndjson, one a line.")],
    language: Annotated[str | None, typer.Option(help="See docs/repair.md; otherwise told by the ending.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Change the file itself.")] = False,
    diff: Annotated[bool, typer.Option("--diff", help="Print what changes; so it is in a terminal anyway.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print text, probability, edits and alternatives.")] = False,
    num: Annotated[int, typer.Option(min=1, max=20, help="Most repairs to weigh and to tell.")] = 5,
    min_probability: Annotated[float, typer.Option(min=0, max=1, help="Refuse what is less probable.")] = 0.5,
) -> None:
    """Repair broken JSON or Python; exit code 0 if it is valid now or was, 1 if no repair is probable enough."""
    from apmdm.cli.options import finish
    from apmdm.cli.repair import run

    finish(run(file, language, in_place, diff, as_json, num, min_probability))


@app.command("view")
def view(
    traces: Annotated[list[Path], typer.Argument(metavar="TRACE.json [OTHER.json]", help="Runs that --trace wrote.")],
    out: Annotated[
        Path | None, typer.Option(help="Write a page that works offline (.html), or a moving picture (.svg).")
    ] = None,
    task: Annotated[
        str | None, typer.Option(metavar="TASK", help="What draws the states; needed for a task of your own only.")
    ] = None,
) -> None:
    """Watch a recorded run in a browser, or two beside each other, step by step."""
    from apmdm.cli.films import view

    view(traces, out, task)


@app.command("serve")
def serve(
    named: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK[=WEIGHTS]]...", help="Tasks to offer besides those with shipped weights."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; any free one if left out.")] = 0,
    opened: Annotated[bool, typer.Option("--open/--no-open", help="Open the page in a browser.")] = True,
    seconds: Annotated[int, typer.Option(min=1, help="Longest time of a run.")] = 60,
) -> None:
    """Type problems into a page in the browser of this machine, and watch a model solve them."""
    from apmdm.cli.films import serve

    serve(named or [], port, opened, seconds)
