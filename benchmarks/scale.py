"""What a training run needs: parameters, memory of a device, and bytes exchanged in a step.

    python benchmarks/scale.py [--rows 64] [--length 256] [--processes 8] [--half] [--recompute]
    python benchmarks/scale.py --measure 10

The first prints a table for models of about 1, 10, 100 and 1,000 million parameters. The second trains one of them for
two steps here and prints one JSON line: the most that all tensors took at a time, counted by torch's profiler, beside
what the table reckons.
"""

import argparse
import json
import tempfile
import time
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

import torch
from torch.profiler import ProfilerActivity, profile

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch
from apmdm.state import State
from apmdm.training.trainer import Compute, Settings, train
from apmdm.vocab import Vocab

VOCAB = Vocab.of(list(map(str, range(62))))
SHAPES = {
    1: Shape(width=128, layers=5, heads=4, rotary=True),
    10: Shape(width=320, layers=8, heads=5, rotary=True),
    100: Shape(width=832, layers=12, heads=13, rotary=True),
    1000: Shape(width=1856, layers=24, heads=29, rotary=True),
}
"""By millions of parameters."""
FLOAT, HALF = 4, 2
SUMS, KEPT = 2, 15
"""Numbers, in units of the width, that a layer keeps for the backward pass at a position. In float32 always, its input
and the sum with what was attended to: 2. In half precision, if that is asked for: their norms 2, queries and keys
rotated 2, scaled queries 1, a copy of values 1, what was attended to 1, the perceptron before and after its activation
8. Besides, the shares of attention."""
LAST_SUMS, LAST = 2, 4
"""What the backward pass has besides where it begins: the last layer's output and its gradient, and the gradient inside
the perceptron."""
COPIES = 5.5
"""Of the largest matrices of all layers, while Muon makes their gradients orthogonal. Found by measuring."""


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
        """Bytes that are there when the backward pass begins. Softmax and its copy are both kept in half precision."""
        number, width = HALF if self.half else FLOAT, self.shape.width
        shares = (FLOAT + HALF if self.half else FLOAT) * self.shape.heads * self.length
        layer = (FLOAT * SUMS + number * KEPT) * width + shares
        layers = layer + (self.shape.layers - 1) * (FLOAT * width if self.recompute else layer)
        weights = HALF * self.parameters if self.half else 0
        return self.rows * self.length * (layers + (FLOAT * LAST_SUMS + number * LAST) * width) + weights

    @property
    def memory(self) -> int:
        """The most at a time. There are no gradients yet when the backward pass begins."""
        update = int(FLOAT * COPIES * self.shape.layers * 4 * self.shape.width**2)
        return self.kept + max(self.activations - FLOAT * self.parameters, update)

    def sent(self, processes: int) -> int:
        """Bytes that each process sends, and receives, in a step: gradients in float32, all-reduced in a ring."""
        return 2 * (processes - 1) * FLOAT * self.parameters // processes


def batch(rows: int, length: int) -> Batch:
    """MASKs and tokens, of which all MASKs are written."""
    ids = torch.randint(1, len(VOCAB), (rows, length))
    return Batch(State(ids, torch.full((rows,), length)), Edits.of(torch.full_like(ids, 2)))


def peak(shape: Shape, rows: int, length: int, recompute: bool) -> int:
    """The most bytes that tensors took at a time in two steps of training, before the checkpoint is written."""
    data, settings, compute, began = batch(rows, length), Settings(steps=3, warmup=1), Compute(recompute=recompute), []

    def batches(_: int) -> Batch:
        began.append(time.time_ns())
        return data

    with (
        tempfile.TemporaryDirectory() as folder,
        profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiled,
    ):
        train(Encoder(VOCAB, shape), batches, lambda _: {}, settings, Path(folder), compute=compute)
    events = profiled.profiler.kineto_results.events()
    changes = sorted((event.start_ns(), event.nbytes()) for event in events if event.name() == "[memory]")
    return max(accumulate(change for at, change in changes if at < began[-1]))


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
    found, model = peak(load.shape, load.rows, load.length, load.recompute), Encoder(VOCAB, load.shape).num_parameters()
    record = {"parameters": model, "reckoned_parameters": load.parameters, "memory": found, "reckoned": load.memory}
    print(json.dumps(record | {"ratio": round(load.memory / found, 3)}))


if __name__ == "__main__":
    main()
