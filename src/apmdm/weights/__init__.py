"""The shipped checkpoints, one folder each, and the way to load any folder of weights; loading executes nothing."""

import json
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file

from apmdm.model.encoder import Encoder, Shape
from apmdm.vocab import Vocab

SHIPPED = Path(__file__).parent
CONFIG, TENSORS, MANIFEST = "config.json", "model.safetensors", "manifest.json"


def shipped() -> list[str]:
    """Names of the checkpoints that come with the package."""
    return sorted(path.parent.name for path in SHIPPED.glob(f"*/{CONFIG}"))


def folder(weights: str) -> Path:
    """The folder of a shipped name or of a path; raises ValueError if there is none."""
    if weights in shipped():
        return SHIPPED / weights
    path = Path(weights)
    if not (path / CONFIG).is_file() or not (path / TENSORS).is_file():
        raise ValueError(
            f"no weights at {weights!r}: give a shipped name ({', '.join(shipped())}) "
            f"or a folder with {CONFIG} and {TENSORS}"
        )
    return path


def load(weights: str, vocab: Vocab | None = None) -> Encoder:
    """The model of a shipped name or a folder, on the CPU, in evaluation mode.

    Raises ValueError if there is none, if it is damaged, or if its vocabulary is not `vocab`.
    """
    path = folder(weights)
    try:
        config = json.loads((path / CONFIG).read_text())
        model = Encoder(Vocab(config["vocab"]["symbols"]), Shape(**config["shape"]))
        model.load_state_dict(load_file(path / TENSORS))
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"the weights at {weights!r} are damaged: {str(error).splitlines()[0]}") from error
    if vocab is not None and model.vocab != vocab:
        raise ValueError(f"the weights at {weights!r} are of another task: their vocabulary is not this task's")
    return model.eval()


def manifest(weights: str) -> dict[str, object]:
    """How the weights were made; empty if their folder does not say."""
    path = folder(weights) / MANIFEST
    return json.loads(path.read_text()) if path.is_file() else {}
