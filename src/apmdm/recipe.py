"""Recipe: the complete frozen description of a training run, and how `--set path=value` changes one."""

from dataclasses import asdict, dataclass, field, fields, is_dataclass, replace
from functools import cached_property
from typing import Any, Literal, Protocol, get_args, get_origin, runtime_checkable

import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.model.pretrained import Pretrained, PretrainedEncoder
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import Objective
from apmdm.training.prefetcher import Prefetcher
from apmdm.training.trainer import Compute, Settings
from apmdm.user_file import Imported
from apmdm.vocab import Vocab

MAX_SEED = 2**32 - 1


@runtime_checkable
class Source(Protocol):
    """What a recipe trains on: a task, or a task's answers in the form that another paradigm learns."""

    @property
    def name(self) -> str: ...

    @property
    def vocab(self) -> Vocab: ...

    @property
    def hints(self) -> Hints | None: ...

    @property
    def conditions(self) -> tuple[str, ...]: ...

    @property
    def objective(self) -> Objective: ...

    def batches(self, recipe: "Recipe") -> Batches: ...

    def validate(self, recipe: "Recipe", model: Encoder) -> dict[str, float]:
        """Figures of the averaged model that training shows now and then."""
        ...

    def initialise(self, model: Encoder) -> None:
        """Change a new model's random weights before training."""
        ...

    def described(self) -> dict[str, Any]:
        """The options that training depends on, as JSON."""
        ...


@dataclass(frozen=True)
class Recipe:
    """The complete description of a training run.

    source: what the model learns, usually a task. shape: the size of the model, or the encoder that it begins from.
    training: the settings of the trainer.
    data: how training data is drawn, a frozen dataclass of the source's own, or None.
    seed: of the initial weights and of the data.
    compute: how all this is computed, which is no part of the description.
    """

    source: Source
    shape: Shape
    training: Settings
    data: Any = None
    seed: int = 0
    compute: Compute = field(default_factory=Compute)

    def new_model(self) -> Encoder:
        torch.manual_seed(self.seed)
        hints = self.source.hints
        vocab, heads = self.source.vocab, (hints.number, hints.conclusions) if hints else ()
        if isinstance(self.shape, Pretrained):
            model = PretrainedEncoder.begun(vocab, self.shape, *heads)
        else:
            model = Encoder(vocab, self.shape, *(heads or (0, 0)), self.source.conditions)
        self.source.initialise(model)
        return model

    def batches(self) -> Batches:
        batches, workers = self.source.batches(self), self.compute.workers
        if not workers:
            return batches
        return Prefetcher(_Drawn(replace(self, compute=Compute())), workers, getattr(batches, "per_chunk", 1))

    def described(self) -> dict[str, Any]:
        """Name, options, seed and settings as JSON. Recipes with equal descriptions train equal models."""
        groups = {"shape": self.shape, "training": self.training, "data": self.data}
        return {
            "recipe": self.source.name,
            **self.source.described(),
            "seed": self.seed,
            "settings": {name: _compared(group) for name, group in groups.items() if group is not None},
        }


class _Drawn:
    """The batches of a recipe, which a worker makes anew from the recipe."""

    def __init__(self, recipe: Recipe) -> None:
        self.recipe = recipe

    @cached_property
    def batches(self) -> Batches:
        return self.recipe.batches()

    def __call__(self, number: int) -> Batch:
        return self.batches(number)

    def __reduce__(self) -> tuple[Any, ...]:
        return _drawn, (Imported(), self.recipe)


def _drawn(_: Imported, recipe: Recipe) -> _Drawn:
    return _Drawn(recipe)


def _compared(group: Any) -> dict[str, Any]:
    """The fields that count when two groups of settings are compared."""
    everything = asdict(group)
    return {field.name: everything[field.name] for field in fields(group) if field.compare}


def override(settings: Any, path: str, text: str, within: str = "") -> Any:
    """The settings with one of them changed.

    path: its name with dots, such as `training.steps`. text: its new value, as a user writes it.
    Raises ValueError for an unknown path, naming the allowed ones, and for text of the wrong type.
    """
    name, _, rest = path.partition(".")
    kinds = {one.name: one.type for one in fields(settings)}
    groups = {known for known in kinds if known != "source" and _is_group(getattr(settings, known))}
    allowed = sorted(
        groups | {known for known, kind in kinds.items() if kind in (int, float, bool) or literal_texts(kind)}
    )
    if name not in allowed:
        raise ValueError(f"unknown setting {within + name!r}; allowed are {', '.join(within + a for a in allowed)}")
    if (name in groups) != bool(rest):
        example = f"a group of settings, such as {name}.{fields(getattr(settings, name))[0].name}" if not rest else ""
        raise ValueError(f"{within + name!r} is {example or 'a single setting'}")
    if rest:
        return replace(settings, **{name: override(getattr(settings, name), rest, text, f"{within}{name}.")})
    return replace(settings, **{name: value_of(within + name, kinds[name], text)})


def _is_group(value: object) -> bool:
    return is_dataclass(value) and any(one.type in (int, float, bool) for one in fields(value))


def literal_texts(kind: Any) -> tuple[str, ...]:
    """The values that a Literal type allows; none for any other type."""
    return get_args(kind) if get_origin(kind) is Literal else ()


def value_of(name: str, kind: Any, text: str) -> int | float | str:
    """The text as a value of this type; raises ValueError with what is allowed."""
    allowed = ("true", "false") if kind is bool else literal_texts(kind)
    if allowed and text not in allowed:
        raise ValueError(f"{name} is one of {', '.join(allowed)}, not {text!r}")
    if allowed:
        return text == "true" if kind is bool else text
    try:
        return kind(text)
    except ValueError:
        raise ValueError(f"{name} takes {kind.__name__}, not {text!r}") from None
