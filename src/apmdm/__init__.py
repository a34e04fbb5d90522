"""Any-process masked diffusion: generation that can unmask, remask, insert and delete.

What a user needs is here, and is imported when it is first used.
"""

from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apmdm.contest import compare
    from apmdm.diagnosis import audit, check
    from apmdm.edits import Edits
    from apmdm.model.encoder import Shape
    from apmdm.state import Sequence, State
    from apmdm.step import transition
    from apmdm.task import Task
    from apmdm.text_repair.repair import Repair, loads, repair
    from apmdm.trace import Trace
    from apmdm.trained import Model, evaluate, generate, load, train
    from apmdm.training.trainer import Settings

MASK = "<mask>"
"""The symbol of a MASK in the lists of symbols that a process is given and gives."""

_HOMES = {
    "Edits": "edits",
    "Model": "trained",
    "Repair": "text_repair.repair",
    "Sequence": "state",
    "Settings": "training.trainer",
    "Shape": "model.encoder",
    "State": "state",
    "Task": "task",
    "Trace": "trace",
    "audit": "diagnosis",
    "check": "diagnosis",
    "compare": "contest",
    "evaluate": "trained",
    "generate": "trained",
    "load": "trained",
    "loads": "text_repair.repair",
    "repair": "text_repair.repair",
    "train": "trained",
    "transition": "step",
}
__all__ = [
    "MASK",
    "Edits",
    "Model",
    "Repair",
    "Sequence",
    "Settings",
    "Shape",
    "State",
    "Task",
    "Trace",
    "audit",
    "check",
    "compare",
    "evaluate",
    "generate",
    "load",
    "loads",
    "repair",
    "train",
    "transition",
]


def __getattr__(name: str) -> Any:
    if name == "__version__":
        try:
            return version("apmdm")
        except PackageNotFoundError:
            return "unknown: apmdm runs from its sources and is not installed"
    if name not in _HOMES:
        raise AttributeError(f"apmdm has no {name!r}; it has {', '.join(sorted(__all__))}")
    value = getattr(import_module(f"apmdm.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
