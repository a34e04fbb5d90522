"""What carries the gain on Sudoku: every row differs from the first in one thing and learns from as many states.

Each row is trained, or found trained in runs/ablation, and measured by free-running greedy runs on the same fresh
minimal puzzles. Processes that differ are the teacher with something taken away; their states lie on their own paths.

    python benchmarks/sudoku_ablation.py [ROW ...]     all rows if none is named; STEPS in the environment, 3,000 if not
"""

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm import weights
from apmdm.edits import edits_between
from apmdm.model.encoder import Encoder
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import Objective
from apmdm.recipe import Recipe
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State, same_rows
from apmdm.step import transition
from apmdm.tasks.sudoku.data import generated
from apmdm.tasks.sudoku.grid import NINE, as_state, encode
from apmdm.tasks.sudoku.hints import hints
from apmdm.tasks.sudoku.process import analyse, next_ids
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.training import checkpoint
from apmdm.training.trainer import train
from apmdm.vocab import MASK, Vocab

STEPS = int(os.environ.get("STEPS", "3000"))
BATCH_SIZE, PUZZLES, SEED, MAX_STEPS = 32, 200, 1, 1000


@dataclass(frozen=True)
class Row:
    """A recipe, and how its states are written: as they are, or otherwise."""

    recipe: Recipe
    written: Callable[[State], State] = lambda state: state
    values: Callable[[Tensor], Tensor] = lambda ids: NINE.value[ids[: NINE.cells]]


@dataclass(frozen=True)
class Ablated:
    """Sudoku as a source of training, with hints and a vocabulary of the row's own, and its batches changed."""

    task: Sudoku
    hints: Hints | None
    vocab: Vocab = NINE.vocab
    change: Callable[[Batches], Batches] = lambda batches: batches
    name: str = "sudoku"

    @property
    def objective(self) -> Objective:
        return self.task.objective

    def batches(self, recipe: Recipe) -> Batches:
        return self.change(self.task.batches(recipe))

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        return {}

    def initialise(self, model: Encoder) -> None:
        self.task.initialise(model)

    def described(self) -> dict[str, object]:
        return self.task.described()


def unmask_only(ids: Int[Tensor, "N 83"]) -> Int[Tensor, "N 83"]:
    """The teacher that cannot take anything back: on a conflict it halts."""
    following = next_ids(ids)
    taken_back = ((ids != MASK) & (following == MASK)).any(1, keepdim=True)
    return torch.where(taken_back, ids, following)


def one_at_a_time(ids: Int[Tensor, "N 83"], hidden: bool = True) -> Int[Tensor, "N 83"]:
    """The teacher that writes one single at a step, the first in reading order."""
    following = next_ids(ids, hidden)
    filled = (ids[:, : NINE.cells] == MASK) & (following[:, : NINE.cells] != MASK)
    later = filled & (filled.long().cumsum(1) > 1) & (analyse(ids[:, : NINE.cells], hidden).singles > 0)
    return following.masked_fill(torch.nn.functional.pad(later, (0, following.shape[1] - NINE.cells)), MASK)


def moving(original: Batches) -> Batches:
    """Without the states at which nothing is left to do."""

    def batch(number: int) -> Batch:
        whole = original(number)
        return whole[~same_rows(whole.state, transition(whole.state, whole.edits))]

    return batch


FIELDS = Vocab.of("RUN", "FAIL", list("123456789"), [f"L{level}" for level in range(24)], "fill", "guess")
_parts = [(*symbol.split("@"), "fill")[:3] if "@L" in symbol else (symbol,) * 3 for symbol in NINE.vocab.symbols]
FIELDS_OF = torch.tensor([[FIELDS.ids[part] for part in parts] for parts in _parts])
"""For each product token its value, level and kind as tokens of their own."""
FIELD_PLACES = torch.cat((NINE.coordinates[: NINE.cells].repeat_interleave(3, 0), NINE.coordinates[NINE.cells :]))


def in_fields(state: State) -> State:
    """Three tokens a cell instead of one."""
    ids = torch.cat(
        (FIELDS_OF[state.ids[:, : NINE.cells]].flatten(1), FIELDS_OF[state.ids[:, NINE.cells :]][..., 0]), 1
    )
    lengths = torch.full((len(ids),), ids.shape[1])
    return State(ids, lengths, FIELD_PLACES.expand(len(ids), -1, -1))


def fields_batches(original: Batches) -> Batches:
    def batch(number: int) -> Batch:
        whole = original(number)
        before, after = in_fields(whole.state), in_fields(transition(whole.state, whole.edits))
        return Batch(before, edits_between(before, after))

    return batch


def field_hints(state: State) -> Bool[Tensor, "N 245 hints"]:
    """Those of the grid whose values and registers these are, for all three tokens of a cell."""
    cells, registers = state.ids[:, : 3 * NINE.cells : 3], state.ids[:, 3 * NINE.cells :]
    values = (cells - FIELDS.ids["1"]).clamp(0)
    level_0 = torch.tensor([NINE.vocab.ids[f"{value}@L0"] for value in range(1, 10)])
    digits = torch.where(cells == MASK, MASK, level_0[values.clamp(max=8)])
    bits = hints(as_state(torch.cat((digits, registers.new_full(registers.shape, NINE.vocab.ids["RUN"])), 1)))
    return torch.cat((bits[:, : NINE.cells].repeat_interleave(3, 1), bits[:, NINE.cells :]), 1)


def field_values(ids: Int[Tensor, "245"]) -> Int[Tensor, "81"]:
    return ids[: 3 * NINE.cells : 3] - FIELDS.ids["1"] + 1


def rows() -> dict[str, Row]:
    task = Sudoku()
    own = task.recipe()
    own = replace(
        own,
        training=replace(own.training, steps=STEPS, evaluate_every=STEPS),
        data=replace(own.data, batch_size=BATCH_SIZE, plain=1),
    )
    rotary = replace(own.shape, relations=(), absolute=0, rotary=True)
    as_given = replace(task, symmetric=False)
    fields = replace(
        own,
        source=Ablated(task, Hints(task.hints.number, field_hints), FIELDS, fields_batches),
        shape=replace(own.shape, absolute=len(FIELD_PLACES)),
    )
    naked = replace(as_given, step=partial(one_at_a_time, hidden=False))
    paper = replace(
        own,
        source=Ablated(naked, None, FIELDS, fields_batches),
        shape=rotary,
        data=replace(own.data, plain=STEPS),
    )
    return {
        "as it is": Row(own),
        "without hints": Row(replace(own, source=Ablated(task, None))),
        "without remask": Row(replace(own, source=replace(task, step=unmask_only))),
        "rotary positions only": Row(replace(own, shape=rotary)),
        "without symmetry copies": Row(replace(own, source=as_given)),
        "without halting labels": Row(replace(own, source=Ablated(task, task.hints, change=moving))),
        "one cell at a step": Row(replace(own, source=replace(task, step=one_at_a_time))),
        "three tokens a cell": Row(fields, in_fields, field_values),
        "all of the paper's choices": Row(paper, in_fields, field_values),
    }


def measured(name: str, row: Row) -> dict[str, object]:
    """The row trained and its runs counted."""
    folder = Path("runs/ablation") / f"{name.replace(' ', '-')}-{STEPS}"
    began, recipe = time.perf_counter(), row.recipe
    if not weights.read_manifest(folder).get("finished"):
        resume = (folder / checkpoint.NAME).is_file()
        model, settings, told = recipe.new_model(), recipe.training, recipe.source.hints
        train(model, recipe.batches(), lambda model: {}, settings, folder, hints=told, resume=resume)
        weights.write_manifest(folder, {"finished": True, "seconds": round(time.perf_counter() - began, 1)})
    model, puzzles = weights.load_encoder(str(folder)), generated(PUZZLES, SEED)
    starts = row.written(encode(puzzles))
    sequences = (
        Sequence(starts.ids[n], starts.coordinates[n] if starts.coordinates is not None else None)
        for n in range(PUZZLES)
    )
    runs = list(rollouts(model, sequences, max_steps=MAX_STEPS, max_length=starts.ids.shape[1]))
    length = starts.ids.shape[1]
    solved = [
        len(run.final.ids) == length and is_solution(puzzles[run.index].tolist(), row.values(run.final.ids).tolist())
        for run in runs
    ]
    return {
        "row": name,
        "solved": f"{sum(solved)} of {PUZZLES}",
        "mean_steps": round(sum(run.time for run in runs) / PUZZLES, 2),
        "space": max(run.space for run in runs),
        "mean_work": round(sum(run.work for run in runs) / PUZZLES),
        "mean_multiply_adds": round(
            model.multiply_adds(starts.ids.shape[1]) * (1 + sum(run.time for run in runs) / PUZZLES)
        ),
        "stops": dict(Counter(run.stop for run in runs)),
        "parameters": model.num_parameters(),
        "training_seconds": weights.read_manifest(folder)["seconds"],
    }


def main() -> None:
    table = rows()
    unknown = set(sys.argv[1:]) - table.keys()
    if unknown:
        raise SystemExit(f"unknown row {min(unknown)!r}; there are {', '.join(table)}")
    found = []
    for name in sys.argv[1:] or table:
        found.append(measured(name, table[name]))
        print(found[-1], file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "sudoku ablation", "steps": STEPS, "rows": found, "torch": torch.__version__}))


if __name__ == "__main__":
    main()
