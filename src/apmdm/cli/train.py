"""`apmdm train` and `apmdm info`: recipes run, weights described."""

import inspect
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, get_args

import typer
from accelerate import PartialState

from apmdm import weights
from apmdm.cli import read
from apmdm.cli.app import MAX_SEED
from apmdm.model.encoder import Encoder
from apmdm.recipes import RECIPES
from apmdm.recipes.base import Recipe, override
from apmdm.train import checkpoint
from apmdm.train.trainer import Outcome, train


@dataclass(frozen=True)
class Choice:
    """A recipe, its name, the arguments it was made with (such as a preset)."""

    name: str
    arguments: dict[str, str]
    recipe: Recipe

    def described(self) -> dict[str, object]:
        recipe = self.recipe
        groups: dict[str, Any] = {"shape": recipe.shape, "training": recipe.training, "data": recipe.data}
        return {
            "recipe": self.name,
            **self.arguments,
            "seed": recipe.seed,
            "settings": {name: asdict(group) for name, group in groups.items() if group is not None},
        }


def choose(name: str, settings: list[str], seed: int | None) -> Choice:
    """A recipe by name, changed by `path=value` settings; raises ValueError for unknown names, paths and values."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; allowed are {', '.join(sorted(RECIPES))}")
    pairs = [setting.partition("=") for setting in settings]
    wrong = next((path for path, sign, _ in pairs if not sign), None)
    if wrong is not None:
        raise ValueError(f"--set takes path=value, not {wrong!r}")
    parameters = inspect.signature(RECIPES[name]).parameters
    arguments = {path: parameter.default for path, parameter in parameters.items()}
    arguments |= {path: value for path, _, value in pairs if path in parameters}
    for path, value in arguments.items():
        allowed = get_args(parameters[path].annotation)
        if value not in allowed:
            raise ValueError(f"{path} is one of {', '.join(allowed)}, not {value!r}")
    recipe = RECIPES[name](**arguments)
    for path, _, value in pairs:
        recipe = recipe if path in parameters else override(recipe, path, value)
    recipe = recipe if seed is None else override(recipe, "seed", str(seed))
    if not 0 <= recipe.seed <= MAX_SEED:
        raise ValueError(f"seed is 0 to {MAX_SEED}, not {recipe.seed}")
    return Choice(name, arguments, recipe)


def run(choice: Choice, out: Path, device: str, resume: bool, start: str | None = None) -> bool:
    """Train and leave weights with their manifest; True if the run reached its last step.

    start: a shipped name or a folder of the weights to begin with, instead of random ones.
    """
    begun = (out / checkpoint.NAME).is_file()
    if resume and not begun:
        raise ValueError(f"nothing to resume in {out}: it has no {checkpoint.NAME}; leave out --resume to start anew")
    if resume and start is not None:
        raise ValueError("--resume goes on with the run's own weights; leave out --from")
    if begun and not resume:
        raise ValueError(f"{out} holds a run already: go on with it by --resume or choose another folder by --out")
    (read.writable_folder if resume else read.folder_without_weights)(out)
    before = weights.read_manifest(out) if resume else {}
    if resume:
        refuse_other(choice, out, before)
    else:
        before["from"] = start and weights.checksum(weights.folder(start))
    commit, recipe, model = weights.commit(), choice.recipe, new_model(choice.recipe)
    if start is not None:
        start_from(model, start)
    if PartialState().is_main_process and not resume:
        weights.write_manifest(out, choice.described() | before | {"step": 0, "finished": False, "commit": commit})
    typer.echo(f"{choice.name}: {model.num_parameters():,} parameters, {recipe.training.steps:,} steps, into {out}")
    began = time.perf_counter()
    outcome = train(
        model,
        recipe.batches(recipe),
        lambda averaged: recipe.evaluate(recipe, averaged),
        recipe.training,
        out,
        objective=recipe.objective,
        hints=recipe.hints,
        resume=resume,
        device=device,
    )
    if PartialState().is_main_process:
        finish(choice, out, outcome, before, time.perf_counter() - began, commit)
    return outcome.finished


def refuse_other(choice: Choice, out: Path, before: dict[str, Any]) -> None:
    """Raise ValueError if a run is to go on with other settings than it began with; steps and workers may differ."""
    after = json.loads(json.dumps(choice.described()))
    begun, now = (dict(paths(about.pop("settings", {}) | about)) for about in (dict(before), after))
    for path in sorted(begun.keys() & now.keys() - {"training.steps", "data.workers"}):
        if begun[path] != now[path]:
            raise ValueError(
                f"the run in {out} has {path} {begun[path]}, not {now[path]}; give the same, or another folder by --out"
            )


def paths(about: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted paths of a nested dictionary, with their values."""
    for name, value in about.items():
        if isinstance(value, dict):
            yield from paths(value, f"{within}{name}.")
        else:
            yield within + name, value


def new_model(recipe: Recipe) -> Encoder:
    try:
        return recipe.new_model()
    except (RuntimeError, MemoryError) as error:
        raise ValueError(f"no memory for a model of width {recipe.shape.width}") from error


def start_from(model: Encoder, start: str) -> None:
    """Give a recipe's new model the weights of a shipped name or a folder."""
    trained = weights.load(start, model.vocab)
    if trained.shape != model.shape or trained.state_dict().keys() != model.state_dict().keys():
        raise ValueError(f"--from {start}: its shape is not the recipe's; `apmdm info {start}` shows it")
    model.load_state_dict(trained.state_dict())


def finish(
    choice: Choice, out: Path, outcome: Outcome, before: dict[str, Any], seconds: float, commit: str | None
) -> None:
    """Say how a run ended, on the screen and in the manifest, which counts on from that of the run it resumed."""
    about = choice.described() | {
        "from": before.get("from"),
        "parameters": outcome.model.num_parameters(),
        "step": outcome.step,
        "finished": outcome.finished,
        "seconds": round(before.get("seconds", 0) + seconds, 3),
        "evaluation": outcome.evaluation or before.get("evaluation", {}),
        "commit": commit,
    }
    weights.write_manifest(out, about)
    for name, value in outcome.evaluation.items():
        typer.echo(f"  {name}: {value:.4f}")
    if not outcome.finished:
        typer.echo(f"stopped at step {outcome.step:,}; continue with --resume")


def info(name: str, as_json: bool) -> None:
    """Describe weights: size, shape, vocabulary and how they were made."""
    model = weights.load(name)
    about = {
        "parameters": model.num_parameters(),
        "symbols": len(model.vocab),
        "atoms": len(model.vocab.atoms),
        "settings": {"shape": asdict(model.shape)},
    } | weights.read_manifest(weights.folder(name))
    for line in [json.dumps(about)] if as_json else outline(about):
        typer.echo(line)


def outline(about: dict[str, Any], indent: str = "") -> Iterator[str]:
    """A nested dictionary as indented lines."""
    for key, value in about.items():
        if isinstance(value, dict):
            yield f"{indent}{key}:"
            yield from outline(value, indent + "  ")
        else:
            yield f"{indent}{key}: {value if isinstance(value, str) else json.dumps(value)}"
