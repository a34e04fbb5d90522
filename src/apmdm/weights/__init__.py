"""The shipped checkpoints, one folder each, and the way to load any folder of weights; loading executes nothing."""

import hashlib
import json
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file

from apmdm.hub import HUB, from_hub
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.pretrained import Pretrained, PretrainedEncoder
from apmdm.vocab import Vocab

SHIPPED = Path(__file__).parent
CHECKOUT = SHIPPED.parents[2]
CONFIG, TENSORS, MANIFEST, TASK = "config.json", "model.safetensors", "manifest.json", "task.json"
CARD, TOKENIZER = "README.md", "tokenizer.json"


def shipped() -> list[str]:
    """Names of the checkpoints that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def folder(weights: str) -> Path:
    """The folder of a shipped name, of a path, or of `hub:NAME`, which is downloaded; ValueError if there is none."""
    if weights in shipped():
        return SHIPPED / weights
    path = from_hub(weights.removeprefix(HUB)) if weights.startswith(HUB) else Path(weights)
    if not (path / CONFIG).is_file() or not (path / TENSORS).is_file():
        raise ValueError(
            f"no weights at {weights!r}: give a shipped name ({', '.join(shipped())}) "
            f"or a folder with {CONFIG} and {TENSORS}"
        )
    return path


def load_encoder(weights: str, *vocabs: Vocab) -> Encoder:
    """The model of a shipped name or a folder, on the CPU, in evaluation mode.

    Raises ValueError if there is none, if it is damaged or not the one its manifest describes, or if its
    vocabulary is none of `vocabs`, if there are any.
    """
    path = folder(weights)
    try:
        config = json.loads((path / CONFIG).read_bytes())
        heads = {name: config.get(name, 0) for name in ("hints", "conclusions")}
        vocab, shape = Vocab(config["vocab"]["symbols"]), config["shape"]
        if "config" in shape:
            model = PretrainedEncoder(vocab, Pretrained(**shape), **heads)
        else:
            model = Encoder(vocab, Shape(**shape), **heads, conditions=config.get("conditions", ()))
        model.load_state_dict(load_file(path / TENSORS))
        model.manifest = read_manifest(path)
        if model.manifest.get("sha256") not in (None, checksum(path)):
            raise ValueError(f"{TENSORS} is not the file that {MANIFEST} describes")
        if not all(bool(tensor.isfinite().all()) for tensor in model.parameters()):
            raise ValueError(f"{TENSORS} has numbers that are not finite")
    except (
        SafetensorError,
        LookupError,
        TypeError,
        ValueError,
        AttributeError,
        RuntimeError,
        ArithmeticError,
    ) as error:
        raise ValueError(f"the weights at {weights!r} are damaged: {' '.join(str(error).split())[:200]}") from error
    if vocabs and model.vocab not in vocabs:
        raise ValueError(f"the weights at {weights!r} are of another task: their vocabulary is not this task's")
    return model.eval()


def read_manifest(folder: Path) -> dict[str, Any]:
    """How the weights in a folder were made; empty if it does not say."""
    path = folder / MANIFEST
    return _object(path) if path.is_file() else {}


def write_manifest(folder: Path, about: dict[str, Any]) -> None:
    """Write beside the weights in a folder how they were made: `about`, with what, where, and their checksum.

    The commit is that of now, unless `about` tells the one that the run began with. There may be no weights yet.
    """
    surroundings = {
        "versions": {"apmdm": _apmdm_version(), "torch": torch.__version__, "python": platform.python_version()},
        "machine": {
            "architecture": platform.machine(),
            "cpus": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        },
        "commit": about.get("commit") or commit(),
        "sha256": checksum(folder) if (folder / TENSORS).is_file() else None,
    }
    _write(folder / MANIFEST, about | surroundings)


def copy_manifest(folder: Path, manifest: dict[str, Any]) -> None:
    """Write beside the weights in a folder how they were made, elsewhere and then."""
    if manifest:
        _write(folder / MANIFEST, manifest | {"sha256": checksum(folder)})


def read_task(folder: Path) -> dict[str, Any]:
    """The name of the task that the weights in a folder are for, and what it saved; shipped ones tell their recipe."""
    path = folder / TASK
    if path.is_file():
        task = _object(path)
        if (folder / TOKENIZER).is_file():
            task["settings"] |= {"tokenizer": (folder / TOKENIZER).read_text(encoding="utf-8")}
        return task
    manifest = read_manifest(folder)
    return {"name": manifest.get("recipe", ""), "settings": manifest}


def write_task(folder: Path, name: str, settings: dict[str, Any]) -> None:
    """Write what `read_task` reads. A tokenizer among the settings gets a file of its own."""
    others = {key: value for key, value in settings.items() if key != "tokenizer"}
    if "tokenizer" in settings:
        _replace(folder / TOKENIZER, settings["tokenizer"])
    _write(folder / TASK, {"name": name, "settings": others})


def write_card(folder: Path, text: str) -> None:
    """Write the model card of the weights in a folder."""
    _replace(folder / CARD, text)


def checksum(folder: Path) -> str:
    """The SHA-256 of the weights in a folder, in hexadecimal digits."""
    return hashlib.sha256((folder / TENSORS).read_bytes()).hexdigest()


def _object(path: Path) -> dict[str, Any]:
    try:
        whole = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is damaged: {error}") from None
    if not isinstance(whole, dict):
        raise ValueError(f"{path} is damaged: not a JSON object")
    return whole


def _write(path: Path, whole: dict[str, Any]) -> None:
    _replace(path, json.dumps(whole, indent=2) + "\n")


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"could not write {path}: {error}") from error


def _apmdm_version() -> str | None:
    try:
        return version("apmdm")
    except PackageNotFoundError:
        return None


def commit() -> str | None:
    """The commit of the checkout that the package runs from, if it does."""
    if not (CHECKOUT / ".git").exists():
        return None
    try:
        done = subprocess.run(["git", "rev-parse", "HEAD"], cwd=CHECKOUT, capture_output=True, text=True)
    except OSError:
        return None
    return done.stdout.strip() or None
