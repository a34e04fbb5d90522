"""`apmdm info`: weights described."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import typer

from apmdm import weights


def info(name: str, as_json: bool) -> None:
    """Describe weights: size, shape, vocabulary and how they were made."""
    model = weights.load_encoder(name)
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
