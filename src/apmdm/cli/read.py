"""What the user typed, turned into problems, a model, a device, a folder; raises ValueError with what is allowed."""

import inspect
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import torch
import typer

from apmdm import processes
from apmdm.base_task import BaseTask
from apmdm.cli.options import Device
from apmdm.lines import FILE, Problems, text_at
from apmdm.naming import DATA
from apmdm.outputs import RUNS
from apmdm.trained import Model, load
from apmdm.weights import CONFIG

SHOWN = 100
"""Characters of an argument that a message repeats."""
TOLD = 100
"""Lines that cannot be read and are told one by one."""
NOTED = 10
"""Notes on problems, the most frequent first."""
MISSING = inspect.Parameter.empty


@dataclass(frozen=True)
class Input:
    """What an argument names: texts to be parsed, or problems; and the task with the options that they ask for."""

    task: BaseTask
    texts: Problems | None
    whole: list[Any]

    def problems(self, task: BaseTask) -> Iterable[Any]:
        """Those that can be read, parsed anew at each iteration, so there may be very many."""
        return self.whole if self.texts is None else replace(self.texts, parse=task.parse)

    def first_line(self) -> int | None:
        """The number of the first line of a file that is a problem of the task."""
        if self.texts is None or isinstance(self.texts.source, str):
            return None
        read = replace(self.texts, parse=self.task.parse).read()
        return next((number for number, found in read if not isinstance(found, ValueError)), None)


@dataclass(frozen=True)
class Survey:
    """How many problems there are, and how many more could not be read."""

    number: int
    refused: int

    def end(self) -> None:
        """Say once more that something was left out."""
        if self.refused:
            typer.echo(f"{self.refused} of {self.number + self.refused} problems could not be read", err=True)


def survey(problems: Iterable[Any], task: BaseTask) -> Survey:
    """Count the problems; tell on stderr which lines are none, and which problems are beyond the measured range.

    Raises ValueError if none can be read.
    """
    told, refused, cautions, number = list[str](), 0, Counter[str](), 0
    for found in (found for _, found in problems.read()) if isinstance(problems, Problems) else problems:
        if isinstance(found, ValueError):
            refused += 1
            told += [str(found)] if refused <= TOLD else []
        else:
            number += 1
            cautions.update(task.cautions(found))
    if not number:
        raise ValueError(told[0] + (f"; none of {refused} problems can be read" if refused > 1 else ""))
    for line in [*told, *([f"and {refused - TOLD} more"] if refused > TOLD else [])]:
        typer.echo(line, err=True)
    for caution, times in cautions.most_common(NOTED):
        typer.echo(f"note: {caution}" + (f" ({times} of {number} problems)" if number > 1 else ""), err=True)
    if len(cautions) > NOTED:
        typer.echo(f"note: and {len(cautions) - NOTED} more of such notes", err=True)
    return Survey(number, refused)


def source(task: BaseTask, given: str | None, limit: int | None = None) -> Input:
    """One problem written out, a file, or `-` for standard input; if nothing is given, the problems of the demo."""
    if task.whole_files:
        return Input(task, None, task.open(Path(given or "")))
    if given is None or given == "-" or _exists(given):
        return file(task, Path(given or str(task.demo)), limit)
    if given and task.is_problem(given) and Path(given).suffix not in DATA:
        return _suited(task, Problems(given))
    raise ValueError(f"{given[:SHOWN]!r} is neither {task.problem_form} nor a file that exists")


def file(task: BaseTask, path: Path, limit: int | None = None) -> Input:
    """The problems in a file, or in standard input if it is `-`; what is no regular file is read here, once."""
    return _suited(task, Problems(text_at(path, FILE), task.split, limit=limit))


def measured(task: BaseTask, path: Path) -> Input:
    """The problems in a file that `eval` is given; how a table was read is told on stderr."""
    if not task.tables:
        return file(task, path)
    problems, notes = task.table(path)
    for note in notes:
        typer.echo(f"note: {note}", err=True)
    return Input(task, None, problems)


def _exists(given: str) -> bool:
    try:
        return os.path.exists(given)
    except ValueError:
        return False


def _suited(task: BaseTask, texts: Problems) -> Input:
    """With the task that suits the problems."""
    return Input(task.suited(text for _, text in islice(texts.texts(), texts.limit)), texts, [])


def model(task: BaseTask, weights: str | None, place: Device, given: Input | None = None) -> tuple[Model, str]:
    """The model of these weights, or of those that come with the package, and its device.

    given: the input that the task suits, for the message if there are no weights.
    """
    name = task.shipped if weights is None else weights
    if name is None:
        trained = RUNS / task.name
        there = f"those in {trained} go by --weights {trained}"
        train = "train some by `apmdm train`, and give their folder by --weights"
        has = (trained / CONFIG).is_file()
        line = given.first_line() if given is not None and task.variant else None
        asked = f"{task.name} {task.variant}".strip() + (f", as in line {line}," if line is not None else "")
        raise ValueError(f"no weights for {asked} come with the package: {there if has else train}")
    on = device(place)
    processes.join(on)
    found = load(name, task)
    found.encoder.to(on)
    return found, on


def device(name: str) -> str:
    """cpu or cuda; auto takes the GPU if there is one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no GPU that PyTorch can use here; --device cpu or auto works")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name
