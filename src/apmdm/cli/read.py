"""What the user typed, turned into problems, a model, a device, a folder; raises ValueError with what is allowed."""

import inspect
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from apmdm.base_task import BaseTask
from apmdm.cli.options import Device
from apmdm.lines import Problems, lines
from apmdm.outputs import RUNS
from apmdm.trained import Model, load
from apmdm.weights import CONFIG

SHOWN = 100
"""Characters of an argument that a message repeats."""
MISSING = inspect.Parameter.empty


@dataclass(frozen=True)
class Input:
    """What an argument names: texts to be parsed, or problems; and the task with the options that they ask for."""

    task: BaseTask
    texts: Problems | None
    whole: list[Any]

    def problems(self, task: BaseTask) -> Iterable[Any]:
        """The problems, parsed anew at each iteration, so there may be very many."""
        return self.whole if self.texts is None else Parsed(self.texts, task)


@dataclass(frozen=True)
class Parsed:
    texts: Problems
    task: BaseTask

    def __iter__(self) -> Iterator[Any]:
        return self.texts.each(self.task.parse)


def source(task: BaseTask, given: str | None, limit: int | None = None) -> Input:
    """One problem written out, a file, or `-` for standard input; if nothing is given, the problems of the demo."""
    if task.whole_files:
        return Input(task, None, task.open(Path(given or "")))
    if given is None or given == "-" or os.path.exists(given):
        texts = lines(Path(given or str(task.demo)), task.comment)
    elif given and task.is_problem(given):
        texts = Problems([given])
    else:
        raise ValueError(f"{given[:SHOWN]!r} is neither {task.problem_form} nor a file that exists")
    texts = replace(texts, limit=limit)
    return Input(task.suited(next(iter(texts), "")), texts, [])


def model(task: BaseTask, weights: str | None, place: Device) -> tuple[Model, str]:
    """The model of these weights, or of those that come with the package, and its device."""
    name = task.shipped if weights is None else weights
    if name is None:
        trained = RUNS / task.name
        there = f"those in {trained} go by --weights {trained}"
        train = "train some by `apmdm train`, and give their folder by --weights"
        has = (trained / CONFIG).is_file()
        raise ValueError(f"no weights for {task.name} come with the package: {there if has else train}")
    on = device(place)
    found = load(name, task)
    found.encoder.to(on)
    return found, on


def device(name: str) -> str:
    """cpu or cuda; auto takes the GPU if there is one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no GPU that PyTorch can use here; --device cpu or auto works")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def stderr() -> Console:
    """Where progress goes, so that output stays clean."""
    return Console(stderr=True)
