"""Options that several commands have, and how a task's own options join those of a command."""

import inspect
from collections.abc import Callable
from dataclasses import Field
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from apmdm import processes

if TYPE_CHECKING:
    from apmdm.base_task import BaseTask

MAX_SEED = 2**32 - 1
EMPTY = inspect.Parameter.empty


class Device(StrEnum):
    auto = "auto"
    cpu = "cpu"
    cuda = "cuda"


DeviceOption = Annotated[Device, typer.Option(help="Where the model runs; auto takes a GPU if there is one.")]
SeedOption = Annotated[int, typer.Option(min=0, max=MAX_SEED, help="Seed of everything random.")]
WeightsOption = Annotated[str | None, typer.Option(help="A shipped name or a folder; the task's own if left out.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


def finish(success: bool) -> None:
    """Of several processes the first one tells by its exit code; another code than 0 of one would end all."""
    raise typer.Exit(0 if success or processes.rank() > 0 else 1)


def on_task(
    verb: Callable[..., None], task: "BaseTask", own: dict[str, Field[Any]], **changes: Any
) -> Callable[..., None]:
    """The verb on this task, with fields of the task as further options of the command line.

    A field takes the place of an option of the same name. changes: of parameters of the verb, by their names.
    """
    _, *general = inspect.signature(verb).parameters.values()
    kept = {parameter.name: parameter for parameter in general if parameter.name not in own}
    kept |= {name: kept[name].replace(**change) for name, change in changes.items() if name in kept}
    parameters = [*kept.values(), *(_parameter(name, field, getattr(task, name)) for name, field in own.items())]

    def command(**given: Any) -> None:
        mine = {name: given.pop(name) for name in own}
        verb(task.with_options(mine), **given)

    keywords = [parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY) for parameter in parameters]
    command.__signature__ = inspect.Signature(keywords)  # pyrefly: ignore[missing-attribute]
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in keywords}
    about = (task.__doc__ or "").split("\n\n")[0]
    command.__doc__ = f"{verb.__doc__}\n\n{task.name}: {about}"
    return command


def _parameter(name: str, field: Field[Any], default: Any) -> inspect.Parameter:
    about = field.metadata
    bounds = {bound: about[bound] for bound in ("min", "max") if bound in about}
    default = EMPTY if about.get("required") else default
    annotation = Annotated[field.type, typer.Option(f"--{name.replace('_', '-')}", help=about["help"], **bounds)]  # pyrefly: ignore[not-a-type]
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)
