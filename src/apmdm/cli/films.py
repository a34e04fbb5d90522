"""Runs kept as traces and shown as films: in a browser, or in a file of one's choice."""

from collections.abc import Sequence as Seq
from dataclasses import replace
from pathlib import Path
from typing import Any

import typer

from apmdm import outputs

MOST = 2
FORMS = ".html", ".svg"
TOLD_WORK = 2**22
"""Up to how many tokens, over all steps, a model looks at once more to tell its probabilities."""


def view(traces: Seq[Path], out: Path | None, named: str | None) -> None:
    """Show one recorded run, or two beside each other."""
    from apmdm.viewer.traces import film_of

    if len(traces) > MOST:
        raise ValueError(f"one run is shown, or two beside each other, not {len(traces)}")
    if out is not None and out.suffix not in FORMS:
        raise ValueError(f"a film is written as {' or '.join(FORMS)}, not as {out.name}")
    if out is not None:
        outputs.writable(out)
    films = [film_of(path, named) for path in traces]
    if len({film["about"]["title"] for film in films}) < len(films):
        for film, path in zip(films, traces, strict=True):
            film["about"]["title"] = path.stem
    show(films, out)


def show(films: list[dict[str, Any]], out: Path | None = None) -> None:
    """Open a page with the films until Ctrl-C, or write it."""
    from apmdm.viewer import local, picture
    from apmdm.viewer.bundle import page

    if out is not None and out.suffix == ".svg":
        text = picture.animated(films)
    else:
        text = page(" and ".join(dict.fromkeys(str(film["about"]["title"]) for film in films)), films)
    if out is None:
        local.show(text, lambda line: typer.echo(line, err=True))
    else:
        out.write_text(text, encoding="utf-8")


def serve(named: list[str], port: int, opened: bool, seconds: int) -> None:
    """Serve the live page until Ctrl-C."""
    from apmdm.viewer import local
    from apmdm.viewer.offers import offered
    from apmdm.viewer.serve import application
    from apmdm.viewer.watch import Limits

    app = application(offered(named), Limits(seconds=seconds))
    local.run(app, lambda line: typer.echo(line, err=True), port, opened, app.state.close)


def recorded(model: Any, solution: Any, device: str) -> Any:
    """The trace of a run that recorded its steps, with the probabilities of its decisions unless it is very long."""
    from apmdm.odds import with_odds

    task, run = model.task, solution.run
    about = {"task": task.name, "status": solution.status} | task.told(solution.problem)
    trace = replace(task.trace(solution.problem, run), info=about)
    return with_odds(trace, task.decoder(model.encoder, device), device) if run.work <= TOLD_WORK else trace


def of_run(trace: Any, task: Any) -> dict[str, Any]:
    """The film of a trace, drawn by its task."""
    from apmdm.viewer.film import draw_of, film

    about = {"title": trace.info["task"]} | {key: value for key, value in trace.info.items() if key != "task"}
    return film(trace, draw_of(task), about)


def of_teacher(task: Any, problem: Any) -> dict[str, Any]:
    """The film of the teacher's run on a problem; raises ValueError if the task has no teacher that runs."""
    if not task.has_runs:
        raise ValueError(f"{task.name} has no teacher that solves problems; leave --teacher out")
    (run,) = task.taught([problem], record=True)
    about = {"task": f"{task.name}, teacher", "status": task.judge(problem, run)[1]} | task.told(problem)
    return of_run(replace(task.trace(problem, run), info=about), task)
