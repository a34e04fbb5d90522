"""Traces read from files, with the tasks that they are of, as films."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from apmdm import registry, tasks, weights
from apmdm.base_task import BaseTask
from apmdm.lines import read_text
from apmdm.trace import Trace
from apmdm.trained import load
from apmdm.viewer.film import draw_of, film


def film_of(path: Path, named: str | None = None) -> dict[str, Any]:
    """The film of a trace. named: the task that it is of, or a folder of weights, if it is not a task of this package.

    Raises ValueError if the file holds no trace, or a trace of another task.
    """
    try:
        trace = Trace.from_json(read_text(path, "a trace that --trace wrote"))
    except ValueError as error:
        raise ValueError(f"{path} cannot be shown: {error}") from None
    info = trace.info or {}
    task = task_of(trace, str(info.get("task")), named)
    about = {"title": info.get("task", path.stem)} | {key: value for key, value in info.items() if key != "task"}
    return film(trace, None if task is None else draw_of(task), about)


def task_of(trace: Trace, told: str, named: str | None = None) -> BaseTask | None:
    """The task that draws a trace; None if only its tokens can be drawn.

    told: what the trace says, which is believed only if it is the name of a task of this package: no code is loaded
    because a trace names it. named: what the user says. Raises ValueError if the trace is not of that task.
    """
    if named is None and told not in tasks.names():
        return None
    name = named or told
    in_folder = (Path(name) / weights.CONFIG).is_file()
    task = load(name).task if in_folder else registry.find(name)
    shipped = task.shipped
    choices: list[Callable[[], BaseTask]] = [lambda: task, lambda: task.restored(trace.vocab, {})]
    choices += [] if shipped is None else [lambda: load(shipped).task]
    for choice in choices:
        try:
            if choice().vocab == trace.vocab:
                return choice()
        except (ValueError, LookupError, TypeError):
            continue  # a task may need data, or what was saved beside its weights, to know its vocabulary
    if named is not None:
        raise ValueError(f"the trace is not of {named}: its symbols are others")
    return None
