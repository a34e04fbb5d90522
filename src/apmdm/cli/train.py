"""`apmdm train` and `apmdm info`: recipes run, weights described."""

import inspect
import json
from dataclasses import asdict
from pathlib import Path
from typing import get_args

import torch
import typer

from apmdm import weights
from apmdm.model.encoder import Encoder
from apmdm.recipes import RECIPES
from apmdm.recipes.base import Recipe, override
from apmdm.train.trainer import train


def recipe_of(name: str, settings: list[str], seed: int | None) -> Recipe:
    """A recipe by name, changed by `path=value` settings; raises ValueError for unknown names, paths and values."""
    if name not in RECIPES:
        raise ValueError(f"unknown recipe {name!r}; allowed are {', '.join(sorted(RECIPES))}")
    pairs = [setting.partition("=") for setting in settings]
    wrong = next((path for path, sign, _ in pairs if not sign), None)
    if wrong is not None:
        raise ValueError(f"--set takes path=value, not {wrong!r}")
    parameters = inspect.signature(RECIPES[name]).parameters
    arguments = {path: value for path, _, value in pairs if path in parameters}
    for path, value in arguments.items():
        allowed = get_args(parameters[path].annotation)
        if value not in allowed:
            raise ValueError(f"{path} is one of {', '.join(allowed)}, not {value!r}")
    recipe = RECIPES[name](**arguments)
    for path, _, value in pairs:
        recipe = recipe if path in parameters else override(recipe, path, value)
    return recipe if seed is None else override(recipe, "seed", str(seed))


def run(recipe: Recipe, out: Path, device: str, resume: bool) -> bool:
    """Train; True if the run reached its last step."""
    torch.manual_seed(recipe.seed)
    model = Encoder(recipe.vocab, recipe.shape)
    typer.echo(f"{recipe.task}: {model.num_parameters():,} parameters, {recipe.training.steps:,} steps, into {out}")
    outcome = train(
        model,
        recipe.batches(recipe),
        lambda averaged: recipe.evaluate(recipe, averaged),
        recipe.training,
        out,
        resume=resume,
        device=device,
    )
    for name, value in outcome.evaluation.items():
        typer.echo(f"  {name}: {value:.4f}")
    if not outcome.finished:
        typer.echo(f"stopped at step {outcome.step:,}; continue with --resume")
    return outcome.finished


def info(name: str, as_json: bool) -> None:
    """Describe weights: size, shape, vocabulary and how they were made."""
    model = weights.load(name)
    about = {
        "parameters": model.num_parameters(),
        "shape": asdict(model.shape),
        "symbols": len(model.vocab),
        "atoms": len(model.vocab.atoms),
    } | weights.manifest(name)
    if as_json:
        typer.echo(json.dumps(about))
    else:
        for key, value in about.items():
            typer.echo(f"{key}: {value if isinstance(value, (str, int, float)) else json.dumps(value)}")
