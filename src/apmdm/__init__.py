"""Any-process masked diffusion: generation that can unmask, remask, insert and delete.

What a user needs is here, and is imported when it is first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from apmdm.audit import audit
    from apmdm.check import check
    from apmdm.compare import compare
    from apmdm.edits import Edits
    from apmdm.model.encoder import Shape
    from apmdm.state import Sequence, State
    from apmdm.task import Task
    from apmdm.trace import Trace
    from apmdm.train.trainer import Settings
    from apmdm.trained import Model, evaluate, generate, load, train
    from apmdm.transition import transition

MASK = "<mask>"
"""The symbol of a MASK in the lists of symbols that a process is given and gives."""

_HOMES = {
    "Edits": "edits",
    "Model": "trained",
    "Sequence": "state",
    "Settings": "train.trainer",
    "Shape": "model.encoder",
    "State": "state",
    "Task": "task",
    "Trace": "trace",
    "audit": "audit",
    "check": "check",
    "compare": "compare",
    "evaluate": "trained",
    "generate": "trained",
    "load": "trained",
    "train": "trained",
    "transition": "transition",
}
__all__ = ["MASK", *_HOMES]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"apmdm has no {name!r}; it has {', '.join(sorted(__all__))}")
    value = getattr(import_module(f"apmdm.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
