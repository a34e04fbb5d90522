"""Tasks by name: built-in ones, those in a user's file or module, and those that other packages offer.

In a file a task is the variable `task`: an instance of Task, or a subclass that needs no arguments.
"""

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any, TypeVar

from apmdm import tasks
from apmdm.base_task import BaseTask
from apmdm.from_process import FromProcess
from apmdm.naming import CODE, DATA, offered, refuse_unknown
from apmdm.user_file import imported

T = TypeVar("T")
NAME = "task"


def find(name: str) -> BaseTask:
    """The task that a name stands for.

    name: a built-in task, a task of another package, `file.py`, `file.py:variable`, `module:variable`, or a file of
    pairs or sequences. Raises ValueError if there is no such task, and says what is allowed.
    """
    refuse_unknown(name)
    if name in tasks.names():
        return _task(importlib.import_module(f"apmdm.tasks.{name.replace('-', '_')}.task"), NAME, name)
    path, _, attribute = name.partition(":")
    if Path(path).suffix == CODE:
        task = _task(_module_of(Path(path)), attribute or NAME, path)
        if not attribute and isinstance(task, FromProcess) and task.name == task.process.__name__:
            return replace(task, name=Path(path).stem)
        return task
    if Path(name).suffix in DATA:
        return find(DATA[Path(name).suffix]).with_options({"name": Path(name).stem, "data": Path(name)})
    if name in offered():
        return _instance(_imported(offered()[name].load, name), name)
    return _task(_imported(lambda: importlib.import_module(path), path), attribute, name)


def _module_of(path: Path) -> ModuleType:
    return _imported(lambda: imported(str(path.absolute())), str(path))


def _imported(code: Callable[[], T], name: str) -> T:
    """What this gives; raises ValueError for whatever is raised while it is imported."""
    try:
        return code()
    except Exception as error:
        *_, last = extract_tb(error.__traceback__)
        where = "" if isinstance(error, SyntaxError) else f" ({Path(last.filename).name}, line {last.lineno})"
        raise ValueError(f"{name} cannot be imported: {type(error).__name__}: {error}{where}") from error


def _task(module: ModuleType, attribute: str, name: str) -> BaseTask:
    if not hasattr(module, attribute):
        raise ValueError(f"{name} has no {attribute!r}; give a task of that name, or say which by {name}:NAME")
    return _instance(getattr(module, attribute), name)


def _instance(found: Any, name: str) -> BaseTask:
    if isinstance(found, type) and issubclass(found, BaseTask):
        return _imported(found, name)
    if not isinstance(found, BaseTask):
        raise ValueError(f"{name} gives a {type(found).__name__}, not a Task")
    return found
