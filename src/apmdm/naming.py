"""What a task may be called. Nothing is imported, so that a wrong name is refused at once."""

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from apmdm import tasks

GROUP = "apmdm.tasks"
CODE = ".py"
DATA = {".tsv": "pairs", ".csv": "pairs", ".jsonl": "pairs", ".txt": "words"}
"""For the suffix of a data file, the built-in task that learns from it."""


def offered() -> dict[str, EntryPoint]:
    """The tasks of other packages by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def refuse_unknown(name: str) -> None:
    """Raise ValueError if a name can stand for no task, and say what is allowed."""
    path, colon, _ = name.partition(":")
    if name in tasks.names() or name in offered():
        return
    if Path(path).suffix == CODE:
        if not Path(path).is_file():
            raise ValueError(f"there is no file {path}")
    elif not colon and Path(name).suffix not in DATA:
        raise ValueError(
            f"unknown task {name!r}; allowed are {', '.join([*tasks.names(), *offered()])}, a Python file such as "
            f"my_task.py, module:name, or a file of data ({', '.join(DATA)})"
        )
