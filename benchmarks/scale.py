"""What a training run needs: parameters, memory of a device, and bytes exchanged in a step.

    python benchmarks/scale.py [--rows 64] [--length 256] [--processes 8] [--half] [--recompute]
    python benchmarks/scale.py --measure 10

The first prints a table for models of about 1, 10, 100 and 1,000 million parameters. The second trains one of them here
and prints one JSON line: the peak memory of a process, less that which it has after training a tiny model, beside what
the table reckons.
"""

import argparse
import json
import resource
import tempfile
from dataclasses import dataclass
from pathlib import Path

import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch
from apmdm.state import State
from apmdm.training.trainer import Compute, Settings, train
from apmdm.vocab import Vocab

VOCAB = Vocab.of(list(map(str, range(62))))
TINY = Shape(width=16, layers=1, heads=1, rotary=True)
SHAPES = {
    1: Shape(width=128, layers=5, heads=4, rotary=True),
    10: Shape(width=320, layers=8, heads=5, rotary=True),
    100: Shape(width=832, layers=12, heads=13, rotary=True),
    1000: Shape(width=1856, layers=24, heads=29, rotary=True),
}
"""By millions of parameters."""
FLOAT, HALF = 4, 2
KEPT = 22
"""Numbers, in units of the width, that a layer keeps for the backward pass at a position: its input and the norm 2,
queries, keys and values 3, queries and keys side by side, then rotated 4, scaled queries 1, what was attended to and a
copy 2, the sum and its norm 2, the perceptron before and after its activation 8."""
PASSING, PASSING_SCORES = 20, 4
"""Those that the backward pass of one layer has besides, while it lasts, and arrays of attention scores; found by
measuring."""
COPIES = 5
"""Of the largest matrices of all layers, while Muon makes their gradients orthogonal."""


@dataclass(frozen=True)
class Load:
    """What one process holds. rows: its share of the states of a batch, each of the same length."""

    shape: Shape
    rows: int
    length: int
    several: bool
    half: bool = False
    recompute: bool = False

    @property
    def matrices(self) -> int:
        """Parameters that Muon trains, with one moment each. AdamW has two for each of the others."""
        return self.shape.layers * 12 * self.shape.width**2

    @property
    def parameters(self) -> int:
        width, vocabulary = self.shape.width, len(VOCAB)
        others = self.shape.layers * 9 * width + (2 * vocabulary + 5) * width + vocabulary + 3
        return self.matrices + others

    @property
    def kept(self) -> int:
        """Bytes of weights, their average, gradients and moments; of several processes also what they exchange."""
        others = self.parameters - self.matrices
        return FLOAT * ((4 if self.several else 3) * self.parameters + self.matrices + 2 * others)

    @property
    def activations(self) -> int:
        """Bytes that the forward pass leaves to the backward pass, and what one layer's backward pass takes."""
        number, positions = HALF if self.half else FLOAT, self.rows * self.length
        scores = self.shape.heads * self.length
        layer = KEPT * self.shape.width + scores
        kept = self.shape.layers * (self.shape.width if self.recompute else layer)
        passing = PASSING * self.shape.width + PASSING_SCORES * scores + (layer if self.recompute else 0)
        return number * positions * (kept + passing)

    @property
    def memory(self) -> int:
        update = FLOAT * COPIES * self.shape.layers * 4 * self.shape.width**2
        return self.kept + max(self.activations, update)

    @property
    def saving(self) -> int:
        """Bytes on the CPU while a checkpoint is written: what is saved and two copies of it, but no gradients."""
        return 3 * (self.kept - FLOAT * self.parameters)

    def sent(self, processes: int) -> int:
        """Bytes that each process sends, and receives, in a step: gradients in float32, all-reduced in a ring."""
        return 2 * (processes - 1) * FLOAT * self.parameters // processes


def batch(rows: int, length: int) -> Batch:
    """MASKs and tokens, of which all MASKs are written."""
    ids = torch.randint(1, len(VOCAB), (rows, length))
    return Batch(State(ids, torch.full((rows,), length)), Edits.of(torch.full_like(ids, 2)))


def peak(shape: Shape, rows: int, length: int, recompute: bool = False) -> int:
    """The peak memory of this process, in bytes, after three steps of training."""
    data, settings, compute = batch(rows, length), Settings(steps=3, warmup=1), Compute(recompute=recompute)
    with tempfile.TemporaryDirectory() as folder:
        train(Encoder(VOCAB, shape), lambda _: data, lambda _: {}, settings, Path(folder), compute=compute)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=64, help="states of a step in one process")
    parser.add_argument("--length", type=int, default=256)
    parser.add_argument("--processes", type=int, default=8)
    parser.add_argument("--half", action="store_true", help="activations in bfloat16")
    parser.add_argument("--recompute", action="store_true", help="as by compute.recompute=true")
    parser.add_argument("--measure", type=int, choices=SHAPES, help="train the model of so many million parameters")
    given = parser.parse_args()
    if given.measure is None:
        print("parameters  kept, GB  activations, GB  memory, GB  sent a step, GB")
        for shape in SHAPES.values():
            load = Load(shape, given.rows, given.length, given.processes > 1, given.half, given.recompute)
            sizes = load.kept, load.activations, load.memory, load.sent(given.processes)
            print(f"{load.parameters:>13,}" + "".join(f"  {size / 1e9:>9.3f}" for size in sizes))
        return
    load = Load(SHAPES[given.measure], given.rows, given.length, several=False, recompute=given.recompute)
    before = peak(TINY, 2, 8)
    found = peak(load.shape, load.rows, load.length, load.recompute) - before
    model = Encoder(VOCAB, load.shape).num_parameters()
    reckoned = max(load.memory, load.saving)
    record = {"parameters": model, "reckoned_parameters": load.parameters, "memory": found, "reckoned": reckoned}
    print(json.dumps(record | {"ratio": round(reckoned / found, 3)}))


if __name__ == "__main__":
    main()
