"""Recipe: the complete frozen description of a training run, and how `--set path=value` changes one."""

from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, Literal, get_args, get_origin

import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batches, Hints
from apmdm.objective.supervised import Objective, supervised_loss
from apmdm.train.trainer import Settings
from apmdm.vocab import Vocab


@dataclass(frozen=True)
class Recipe:
    """What is trained, on what, for how long. `seed` draws the initial weights and the data.

    data: the task's own settings, a frozen dataclass, or None.
    """

    seed: int
    shape: Shape
    training: Settings
    vocab: Vocab
    batches: Callable[["Recipe"], Batches]
    evaluate: Callable[["Recipe", Encoder], dict[str, float]]
    data: Any = None
    hints: Hints | None = None
    objective: Objective = supervised_loss

    def new_model(self) -> Encoder:
        torch.manual_seed(self.seed)
        hints = (self.hints.number, self.hints.conclusions) if self.hints else ()
        return Encoder(self.vocab, self.shape, *hints)


def override(settings: Any, path: str, text: str, within: str = "") -> Any:
    """The settings with the one at a dotted path replaced by the value that `text` spells.

    Raises ValueError for an unknown path, naming the allowed ones, or for text of the wrong type.
    """
    name, _, rest = path.partition(".")
    kinds = {field.name: field.type for field in fields(settings)}
    groups = {known for known in kinds if _is_group(getattr(settings, known))}
    allowed = sorted(groups | {known for known, kind in kinds.items() if kind in (int, float, bool) or _choices(kind)})
    if name not in allowed:
        raise ValueError(f"unknown setting {within + name!r}; allowed are {', '.join(within + a for a in allowed)}")
    if (name in groups) != bool(rest):
        example = f"a group of settings, such as {name}.{fields(getattr(settings, name))[0].name}" if not rest else ""
        raise ValueError(f"{within + name!r} is {example or 'a single setting'}")
    if rest:
        return replace(settings, **{name: override(getattr(settings, name), rest, text, f"{within}{name}.")})
    return replace(settings, **{name: _read(within + name, kinds[name], text)})


def _is_group(value: object) -> bool:
    return is_dataclass(value) and any(field.type in (int, float, bool) for field in fields(value))


def _choices(kind: Any) -> tuple[str, ...]:
    return get_args(kind) if get_origin(kind) is Literal else ()


def _read(path: str, kind: Any, text: str) -> int | float | str:
    choices = ("true", "false") if kind is bool else _choices(kind)
    if choices and text not in choices:
        raise ValueError(f"{path} is one of {', '.join(choices)}, not {text!r}")
    if choices:
        return text == "true" if kind is bool else text
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{path} takes {kind.__name__}, not {text!r}") from None
