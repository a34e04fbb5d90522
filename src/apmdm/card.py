"""The model card of weights: a README.md made from their manifest."""

from collections.abc import Iterator, Mapping
from typing import Any

HEAD = """---
library_name: apmdm
tags:
- masked-diffusion
- any-process-generation
---"""


def card(manifest: Mapping[str, Any]) -> str:
    """The text of a card: task, size, data, figures, use, limits and licence, as far as the manifest tells them."""
    name = manifest.get("recipe", "Weights")
    shape = manifest["settings"]["shape"]
    parts = [
        HEAD,
        f"# {name}",
        f"Weights of `apmdm`, any-process masked diffusion. {manifest.get('about', '')}".strip(),
        _made(manifest, shape),
        *_section("Training data", [manifest["learned from"]] if "learned from" in manifest else []),
        *_section("Figures", _figures(manifest.get("evaluation", {}))),
        *_section("Use", _use(manifest.get("commands", []))),
        *_section("Limits", ["\n".join(f"- {limit}" for limit in _limits(manifest, shape))]),
        *_section("Licence", [_licence(shape)]),
    ]
    return "\n\n".join(parts) + "\n"


def _section(title: str, paragraphs: list[str]) -> list[str]:
    return [f"## {title}", *paragraphs] if paragraphs else []


def _made(manifest: Mapping[str, Any], shape: Mapping[str, Any]) -> str:
    size = f"A model of {manifest['parameters']:,} parameters ({_size(shape)})"
    if "step" not in manifest:
        return f"{size}. How its weights were made is not recorded."
    training = f"trained by `apmdm train` for {manifest['step']:,} steps"
    more = "" if manifest["finished"] else f" of {manifest['settings']['training']['steps']:,}"
    recorded = "`manifest.json` has the whole recipe, the versions and the machine."
    return f"{size}, {training}{more}, with seed {manifest['seed']}. {recorded}"


def _size(shape: Mapping[str, Any]) -> str:
    """The settings of an encoder of our own that are not 0, or the name and kind of one that was begun from."""
    if "config" not in shape:
        return ", ".join(f"{key} {value}" for key, value in shape.items() if value not in (0, False, (), []))
    return f"begun from the encoder `{shape['name']}`, of the kind {shape['config']['model_type']}"


def _figures(evaluation: Mapping[str, float]) -> list[str]:
    if not evaluation:
        return ["Nothing was measured."]
    rows = [f"| {key} | {value:.4f} |" for key, value in evaluation.items()]
    return ["Measured at the last evaluation of training:", "\n".join(["| | |", "|---|---|", *rows])]


def _use(commands: list[str]) -> list[str]:
    python = ["```python", "import apmdm", "", 'model = apmdm.load("FOLDER")', "```"]
    typed = ["```", *commands, "```"]
    told = ["FOLDER is the folder of this file.", "\n".join(python), "\n".join(typed)]
    return told if commands else []


def _limits(manifest: Mapping[str, Any], shape: Mapping[str, Any]) -> Iterator[str]:
    if not manifest.get("finished", True):
        yield "The training is not finished."
    yield "A figure holds for problems like those it was measured on. An answer may be wrong."
    positions = shape.get("absolute")
    if positions:
        yield f"A sequence has at most {positions:,} tokens."


def _licence(shape: Mapping[str, Any]) -> str:
    own = "The program `apmdm` has the licence Apache-2.0. Who publishes these weights chooses theirs"
    if "config" not in shape:
        return f"{own}, as far as the training data allows it."
    stated = f"published under {shape['license']}" if shape["license"] else "which has a licence of its own"
    return f"{own}, as far as the training data allows it, and the encoder `{shape['name']}`, {stated}."
