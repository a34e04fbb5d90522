"""Recipe: the complete frozen description of a training run, and how `--set path=value` changes one."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin

from apmdm.model.encoder import Encoder, Shape
from apmdm.train.trainer import Batches, Settings
from apmdm.vocab import Vocab


@dataclass(frozen=True)
class Recipe:
    """What is trained, on what, for how long. `seed` draws the initial weights and the data.

    data: the task's own settings, a frozen dataclass, or None.
    """

    task: str
    seed: int
    shape: Shape
    training: Settings
    vocab: Vocab
    batches: Callable[["Recipe"], Batches]
    evaluate: Callable[["Recipe", Encoder], dict[str, float]]
    data: Any = None


def override(recipe: Any, path: str, text: str) -> Any:
    """The recipe with the setting at a dotted path replaced by the value that `text` spells.

    Raises ValueError for an unknown path, naming the allowed ones, or for text of the wrong type.
    """
    name, _, rest = path.partition(".")
    types = {field.name: field.type for field in fields(recipe)}
    allowed = [known for known, kind in types.items() if is_dataclass(getattr(recipe, known)) or _readable(kind)]
    if name not in allowed:
        raise ValueError(f"unknown setting {path!r}; allowed are {', '.join(sorted(allowed))}")
    current = getattr(recipe, name)
    if is_dataclass(current) != bool(rest):
        inside = f", such as {name}.{fields(current)[0].name}" if is_dataclass(current) else ""
        raise ValueError(f"{name!r} is {'a group of settings' + inside if not rest else 'a single setting'}")
    return replace(recipe, **{name: override(current, rest, text) if rest else _read(path, types[name], text)})


def _readable(kind: Any) -> bool:
    return kind in (int, float, str, bool) or get_origin(kind) is Literal


def _read(path: str, kind: Any, text: str) -> int | float | str | bool:
    if get_origin(kind) is Literal:
        if text not in get_args(kind):
            raise ValueError(f"{path} is one of {', '.join(get_args(kind))}, not {text!r}")
        return text
    if kind is bool:
        if text not in ("true", "false"):
            raise ValueError(f"{path} is true or false, not {text!r}")
        return text == "true"
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{path} takes {kind.__name__}, not {text!r}") from None
