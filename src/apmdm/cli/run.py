"""`apmdm run` and `apmdm solve`: problems in, one line or one JSON object each out."""

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Seq
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from apmdm import outputs, processes, terminal
from apmdm.base_task import BaseTask
from apmdm.cli import films, read, results, view
from apmdm.cli.options import Device, DeviceOption, JsonOption, WeightsOption, finish
from apmdm.solution import Solution
from apmdm.trained import Model
from apmdm.training.progress import at_intervals, duration


def run(
    task: BaseTask,
    given: str | None = None,
    as_json: JsonOption = False,
    trace: Annotated[Path | None, typer.Option(help="Write every step of one problem's run as JSON.")] = None,
    watch: Annotated[bool, typer.Option("--watch", help="Show each state in a terminal as it comes.")] = False,
    shown: Annotated[bool, typer.Option("--view", help="Show one problem's run in a browser, step by step.")] = False,
    teacher: Annotated[bool, typer.Option("--teacher", help="With --view: the teacher's run beside it.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Save one JSON object a line in a file as problems are solved.")
    ] = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the file of --out where it was cut.")] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Solve the first so many problems only.")] = None,
    weights: WeightsOption = None,
    device: DeviceOption = Device.auto,
) -> None:
    """Answer problems with a trained model; exit code 0 only if every answer was verified, or nothing could tell.

    What cannot be read is told with its line, and the other problems are answered; the exit code is then 1.
    """
    if out is not None and (as_json or watch or trace or shown):
        raise ValueError("--out saves every result in a file; it does not go with --json, --watch, --trace or --view")
    if teacher and not shown:
        raise ValueError("--teacher shows the teacher's run beside the model's; give --view as well")
    if resume and out is None:
        raise ValueError("--resume goes on with the file of --out; give --out as well")
    found = read.source(task, given, limit)
    model, place = read.model(found.task, weights, device, found)
    problems = found.problems(model.task)
    for path in (trace, out):
        if path is not None:
            outputs.writable(path)
    survey = read.survey(problems, model.task)
    number = survey.number
    if (trace is not None or shown) and number > 1:
        wanted = "--view shows" if trace is None else "--trace writes"
        raise ValueError(f"{wanted} the run of one problem, there are {number}; add --limit 1")
    kept: list[Solution] = []
    keep = kept.append if trace is not None or shown else None
    if watch and processes.number() > 1:
        raise ValueError("--watch shows one run after the other; start it without accelerate launch and torchrun")
    if out is None:
        success = _shown(model, problems, number, place, as_json=as_json, watch=watch, keep=keep)
    else:
        with results.only_writer_of(out, resume) if processes.rank() == 0 else nullcontext():
            success = _into(out, model, problems, number, place, resume)
    survey.end()
    for solution in kept:
        recorded = films.recorded(model, solution, place)
        if trace is not None:
            trace.write_text(recorded.to_json())
        if shown:
            beside = [films.of_teacher(model.task, solution.problem)] if teacher else []
            films.show([films.of_run(recorded, model.task), *beside])
    finish(success and not survey.refused)


def _shown(
    model: Model,
    problems: Iterable[Any],
    number: int,
    device: str,
    *,
    as_json: bool,
    watch: bool,
    keep: Callable[[Solution], None] | None,
) -> bool:
    """Print what came of each problem, and give it to `keep`; True if every one was solved and verified."""
    task, console = model.task, Console()
    record = as_json or watch or keep is not None or bool(task.header)
    can_draw = sys.stdout.isatty() and not console.is_dumb_terminal and not as_json
    if watch and can_draw:
        solutions = view.watched(task, model.encoder, problems, console, device)
    else:
        solutions = _solved(model, problems, record=record, device=device)
    if task.header and not as_json:
        typer.echo(task.header)
    num_good, num_solved, began = 0, 0, time.perf_counter()
    for solution in solutions if not task.ordered and processes.number() == 1 else _in_order(solutions):
        seconds = time.perf_counter() - began
        if as_json:
            typer.echo(json.dumps(_record(task, solution) | {"seconds": round(seconds, 3)}, default=str))
        else:
            typer.echo(task.row(solution, seconds))
        num_solved += solution.solved
        num_good += solution.solved or solution.status == "unverified"
        if keep is not None:
            keep(solution)
        task.deliver(solution)
    if task.header and not as_json:
        typer.echo(f"{num_solved} of {number} solved and verified")
    return num_good == number


def _solved(model: Model, problems: Iterable[Any], **options: Any) -> Iterator[Solution]:
    """Solutions as they are found, of all processes in the first one."""
    share = processes.share()
    own: dict[str, Any] = {"share": share} if share.number > 1 else {}
    return processes.together(model.task.solve(model.encoder, problems, **options, **own), share)


def in_order(model: Model, problems: Iterable[Any], **options: Any) -> Iterator[Solution]:
    """The solutions of problems, which several processes may share."""
    return _in_order(_solved(model, problems, **options))


def _in_order(solutions: Iterator[Solution]) -> Iterator[Solution]:
    """Each as soon as all before it are there."""
    waiting: dict[int, Solution] = {}
    wanted = 0
    for solution in solutions:
        waiting[solution.run.index] = solution
        while wanted in waiting:
            yield waiting.pop(wanted)
            wanted += 1


@dataclass(frozen=True)
class Left:
    """Problems that are not done yet. numbers: their numbers among all problems."""

    problems: Iterable[Any]
    numbers: Seq[int]

    def __iter__(self) -> Iterator[Any]:
        numbers = iter(self.numbers)
        wanted = next(numbers, None)
        for index, problem in enumerate(self.problems):
            if index == wanted:
                yield problem
                wanted = next(numbers, None)


def _into(out: Path, model: Model, problems: Iterable[Any], number: int, device: str, resume: bool) -> bool:
    """Save what came of each problem, one JSON object a line, as runs end; True if every one was solved."""
    task = model.task
    told = map(task.told, problems)
    saved = results.taken_up(out, told, number) if resume else results.begun(out, number)
    left = Left(problems, [index for index, done in enumerate(saved.done) if not done])
    processes.wait_for_all()  # before the file is written on

    counts = MofNCompleteColumn(), TextColumn("{task.fields[solved]} solved")
    columns = BarColumn(), *counts, TimeElapsedColumn(), TimeRemainingColumn()
    console = terminal.stderr()

    def line(seconds: float) -> None:
        if not console.is_terminal:
            done = f"{int(progress.tasks[0].completed)} of {number} after {duration(seconds)}"
            console.print(f"{done}, {saved.solved} solved", soft_wrap=True, highlight=False)

    with Progress(*columns, console=console) as progress, at_intervals(line):
        bar = progress.add_task("solving", total=number, completed=sum(saved.done), solved=saved.solved)
        for solution in _solved(model, left, device=device):
            saved.append(_record(task, solution) | {"index": left.numbers[solution.run.index]})
            progress.update(bar, advance=1, solved=saved.solved)
    typer.echo(f"{saved.solved} of {number} solved and verified")
    return not saved.failed


def _record(task: BaseTask, solution: Solution) -> dict[str, Any]:
    verified = None if solution.status == "unverified" else solution.solved
    return {"index": solution.run.index} | task.record(solution) | {"verified": verified} | solution.cost()
