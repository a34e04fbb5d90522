"""A training step of the Sudoku recipe against one of torch.nn.TransformerEncoder with the same shape and batches.

Ours is the whole trainer: relational positions, hints, Muon, averaged weights. Plain has learned absolute positions,
the same heads, the same loss without hints, and AdamW. Both in float32, in one process one after the other.

    python benchmarks/training_step.py
"""

import json
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from statistics import median

import torch
from torch import nn

from apmdm.edits import edits_between
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import supervised_loss
from apmdm.prediction import Prediction
from apmdm.recipe import Recipe
from apmdm.registry import find
from apmdm.state import State
from apmdm.tasks.sudoku.data import path, training_puzzles
from apmdm.tasks.sudoku.grid import as_state
from apmdm.tasks.sudoku.process import next_ids
from apmdm.training.trainer import CLIP, Settings, train

STEPS, WARM = 40, 8


class Plain(nn.Module):
    def __init__(self, recipe: Recipe) -> None:
        super().__init__()
        shape = recipe.shape
        self.embedding = nn.Embedding(len(recipe.source.vocab), shape.width)
        self.absolute = nn.Parameter(0.1 * torch.randn(shape.absolute, shape.width))
        layer = nn.TransformerEncoderLayer(
            shape.width, shape.heads, 4 * shape.width, 0.0, "gelu", batch_first=True, norm_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, shape.layers, nn.LayerNorm(shape.width), enable_nested_tensor=False)
        self.heads = nn.Linear(shape.width, len(recipe.source.vocab) + 3)

    def forward(self, state: State) -> Prediction:
        content, controls = self.heads(self.encoder(self.embedding(state.ids) + self.absolute)).tensor_split([-3], -1)
        return Prediction(content, *controls.unbind(-1))


def some_batches(recipe: Recipe) -> list[Batch]:
    """Batches of the teacher's paths on training puzzles, shuffled."""
    random = torch.Generator().manual_seed(recipe.seed)
    ids = path(training_puzzles(), random)
    parts = ids[torch.randperm(len(ids), generator=random)].split(recipe.data.batch_size)[:-1]
    return [Batch(as_state(part), edits_between(as_state(part), as_state(next_ids(part)))) for part in parts]


def our_seconds(recipe: Recipe, examples: list[Batch]) -> float:
    began: list[float] = []

    def batches(number: int) -> Batch:
        began.append(time.perf_counter())
        return examples[number % len(examples)]

    settings = Settings(steps=STEPS, evaluate_every=STEPS)
    with tempfile.TemporaryDirectory() as folder:
        train(recipe.new_model(), batches, lambda model: {}, settings, Path(folder), hints=recipe.source.hints)
    return median_step(began)


def plain_seconds(recipe: Recipe, examples: list[Batch]) -> float:
    model, began = Plain(recipe), []
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.001)
    for number in range(STEPS):
        began.append(time.perf_counter())
        batch = examples[number % len(examples)]
        supervised_loss(model(batch.state), batch).total.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
    return median_step(began)


def median_step(began: list[float]) -> float:
    return median(after - before for before, after in pairwise(began[WARM:]))


def main() -> None:
    recipe = find("sudoku").recipe()
    examples = some_batches(recipe)
    ours, plain = our_seconds(recipe, examples), plain_seconds(recipe, examples)
    record = {
        "benchmark": "training step",
        "parameters": recipe.new_model().num_parameters(),
        "parameters_plain": sum(parameter.numel() for parameter in Plain(recipe).parameters()),
        "seconds": round(ours, 4),
        "seconds_plain": round(plain, 4),
        "ratio": round(ours / plain, 2),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
