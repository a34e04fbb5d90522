"""A trained model with one layer more, which changes nothing at first, to go on training from (as in arXiv 1511.05641).

    python benchmarks/deeper.py OUT [--weights FOLDER]

The new layer comes in the middle. It has random weights, but its two outputs are zero, and its biases of relations are
those of the layer behind it. OUT can be given to `apmdm train --from`.
"""

import argparse
import re
from dataclasses import replace
from pathlib import Path

import torch

from apmdm import load
from apmdm.model.encoder import Encoder
from apmdm.weights import write_task

ZERO = "attention.out.weight", "down.weight", "down.bias"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--weights", default="inflection")
    given = parser.parse_args()
    model = load(given.weights)
    torch.manual_seed(0)
    deeper = deepened(model.encoder)
    deeper.save_pretrained(given.out)
    write_task(given.out, model.task.name, model.task.saved())


def deepened(encoder: Encoder) -> Encoder:
    at = encoder.shape.layers // 2
    shape = replace(encoder.shape, layers=encoder.shape.layers + 1)
    deeper = Encoder(encoder.vocab, shape, conditions=encoder.conditions)
    known, own = encoder.state_dict(), deeper.state_dict()
    for name in own:
        number, within = re.fullmatch(r"(?:layers\.(\d+)\.)?(.*)", name).groups()  # pyrefly: ignore
        if number is None:
            own[name] = known[name]
        elif int(number) != at:
            own[name] = known[f"layers.{int(number) - (int(number) > at)}.{within}"]
        elif within in ZERO:
            own[name] = torch.zeros_like(own[name])
        elif "relations" in within:
            own[name] = known[name]
    deeper.load_state_dict(own)
    return deeper


if __name__ == "__main__":
    main()
