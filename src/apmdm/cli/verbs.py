"""What each verb does with a task, whatever task it is."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from apmdm import outputs, processes, registry, weights
from apmdm.base_task import BaseTask
from apmdm.cli import films, read
from apmdm.cli.options import MAX_SEED, Device, DeviceOption, JsonOption, SeedOption, WeightsOption, finish, on_task
from apmdm.cli.run import in_order, run
from apmdm.fit import Fitting, recipe_of
from apmdm.trained import load
from apmdm.training.progress import share_done, still_there


def command(verb: str, name: str) -> Callable[..., None]:
    """The function of a verb on the task of this name, with the task's own options among its parameters."""
    verb = {"solve": "run"}.get(verb, verb)
    in_folder = (Path(name) / weights.CONFIG).is_file()
    task = load(name).task if in_folder else registry.find(name)
    if verb in task.redirected:
        task = registry.find(task.redirected[verb])
    changes: dict[str, Any] = {"weights": {"default": name}} if in_folder else {}
    if verb == "run":
        changes["given"] = {"annotation": Annotated[str | None, _argument(task)]}
        if task.demo is None:
            changes["given"] = {"annotation": Annotated[str, _argument(task)], "default": read.MISSING}
    return on_task(VERBS[verb], task, task.options(verb), **changes)


def _argument(task: BaseTask) -> Any:
    form = task.problem_form[0].upper() + task.problem_form[1:]
    rest = "." if task.whole_files else ", or a file with one a line, or - for standard input."
    demo = "" if task.demo is None else " Those of the demo if left out."
    return typer.Argument(metavar="FILE" if task.whole_files else "PROBLEM|FILE|-", help=form + rest + demo)


def generate(
    task: BaseTask,
    num: Annotated[int, typer.Option(min=1, help="How many.")] = 10,
    as_json: JsonOption = False,
    trace: Annotated[Path | None, typer.Option(help="Write every step of the first one's run as JSON.")] = None,
    shown: Annotated[bool, typer.Option("--view", help="Show how the first one grew, in a browser.")] = False,
    weights: WeightsOption = None,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
) -> None:
    """Draw answers from a model, each verified."""
    problem = task.prompted()
    task.encode(problem)
    model, place = read.model(task, weights, device)
    read.survey([problem], model.task)
    all_right, keep, first = True, shown or trace is not None, None
    if trace is not None:
        outputs.writable(trace)
    for solution in in_order(model, [problem] * num, seed=seed, record=keep, device=place):
        all_right &= solution.solved
        first = first or solution
        record = model.task.record(solution) | {"verified": solution.solved} | solution.cost()
        typer.echo(json.dumps(record) if as_json else model.task.row(solution, 0.0))
    if first is not None and keep:
        recorded = films.recorded(model, first, place)
        if trace is not None:
            trace.write_text(recorded.to_json())
        if shown:
            films.show([films.of_run(recorded, model.task)])
    finish(all_right)


def evaluate(
    task: BaseTask,
    data: Annotated[
        Path | None,
        typer.Option(
            help="A file of problems, with answers if there is no teacher; fresh or held-out ones if left out."
        ),
    ] = None,
    num: Annotated[int | None, typer.Option(min=1, help="Fresh problems; the task's own number if left out.")] = None,
    weights: WeightsOption = None,
    as_json: JsonOption = False,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 1,
) -> None:
    """Measure a model by free-running rollouts; every answer is verified."""
    if num is not None and data is not None:
        raise ValueError("--num is a number of fresh problems; it does not go with --data")
    if data is not None and task.whole_files:
        raise ValueError(f"eval {task.name} draws its problems itself; leave --data out, and use run for a file")
    found = None if data is None else read.measured(task, data)
    model, place = read.model(task if found is None else found.task, weights, device, found)
    problems = None if found is None else found.problems(model.task)
    survey = None if problems is None else read.survey(problems, model.task)

    given, share = None if problems is None else list(problems), processes.share()
    with share_done(f"eval {task.name}") as progress:
        how: dict[str, Any] = {"seed": seed, "device": place, "progress": progress, "share": share}
        figures = model.task.evaluate(model.encoder, given, num=num, **how)
    if share.rank > 0:
        return
    if as_json:
        typer.echo(json.dumps(figures))
    else:
        tell(figures)
    if survey is not None:
        survey.end()
        finish(not survey.refused)


def tell(found: dict[str, Any]) -> None:
    """Figures that there are, one a line; those of a set in one line."""
    for name, value in found.items():
        if value is None:
            continue
        inner = value.items() if isinstance(value, dict) else ()
        text = ", ".join(f"{key} {number}" for key, number in inner) or value
        typer.echo(f"{name.replace('_', ' ')}: {text}")


def certify(task: BaseTask, weights: WeightsOption = None, as_json: JsonOption = False) -> None:
    """Prove that a model is exact, from finitely many evaluations; exit code 1 if the proof fails."""
    model, _ = read.model(task, weights, Device.cpu)
    holds = True
    for proof in model.task.certify(model.encoder):
        holds &= proof.holds
        typer.echo(json.dumps(proof.record()) if as_json else proof.text())
    finish(holds)


def train(
    task: BaseTask,
    out: Annotated[Path | None, typer.Option(help="Folder of checkpoints and weights; runs/TASK if left out.")] = None,
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
    """Train a model, from nothing or from weights; Ctrl-C stops it with a checkpoint."""
    recipe = recipe_of(task, settings or [], seed)
    out = out or outputs.RUNS / task.name
    fitting = Fitting(recipe, out, read.device(device), start, typer.echo)
    outcome = fitting.resume() if resume else fitting.begin()
    for name, value in outcome.evaluation.items():
        typer.echo(f"  {name}: {value:.4f}")
    if not outcome.finished:
        typer.echo(
            f"stopped at step {outcome.step:,}; continue with --resume"
            if outcome.step
            else "stopped before the first step; nothing was saved"
        )
    finish(outcome.finished)


def compare(
    task: BaseTask,
    budget: Annotated[
        int | None, typer.Option(min=1, help="Training tokens of every paradigm; the task's own if left out.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder of weights, measurements and plot; runs/compare/TASK if left out.")
    ] = None,
    as_json: JsonOption = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be trained, and how long that takes.")
    ] = False,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 0,
) -> None:
    """Train ARM, Masked ARM, MDM, AO-MDM and AP-MDM alike and measure them on the same problems.

    What is trained or measured already is not done again, so an interrupted comparison goes on when it is called again.
    """
    from apmdm.contest import compare, forecast, show

    folder = out or outputs.RUNS / "compare" / task.name
    if dry_run:
        typer.echo("\n".join(forecast(task, folder, tokens=budget, seed=seed, device=read.device(device))))
        return
    result = compare(task, outputs.writable_folder(folder), tokens=budget, seed=seed, device=read.device(device))
    if result is None:
        typer.echo("stopped; the same command goes on", err=True)
        finish(False)
    elif as_json:
        for row in result.rows:
            typer.echo(json.dumps(row))
    else:
        show(result.rows)
        typer.echo(f"plotted in {result.picture}; weights, measurements and runs to `apmdm view` are in {folder}")


def check(
    task: BaseTask,
    num: Annotated[int, typer.Option(min=1, help="Problems that the teacher runs on.")] = 200,
    as_json: JsonOption = False,
    seed: SeedOption = 0,
) -> None:
    """Look for mistakes in a task before anyone trains on it; exit code 1 if there are some."""
    from apmdm.diagnosis import check

    report = check(task, num=num, seed=seed)
    typer.echo(json.dumps(report.record()) if as_json else report.text())
    finish(report.passed)


def audit(
    task: BaseTask,
    num: Annotated[int, typer.Option(min=1, help="Problems that the model runs on.")] = 200,
    weights: WeightsOption = None,
    as_json: JsonOption = False,
    device: DeviceOption = Device.auto,
    seed: SeedOption = 1,
) -> None:
    """Tell where a model goes wrong, and why."""
    from apmdm.diagnosis import audit

    model, place = read.model(task, weights, device)
    with still_there(f"auditing {task.name}"):
        report = audit(model, num=num, seed=seed, device=place)
    typer.echo(json.dumps(report.record()) if as_json else report.text())


VERBS: dict[str, Callable[..., None]] = {
    "run": run,
    "generate": generate,
    "eval": evaluate,
    "certify": certify,
    "train": train,
    "compare": compare,
    "check": check,
    "audit": audit,
}
