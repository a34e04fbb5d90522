"""Sudoku in the paper's own form (arXiv 2510.06190): 324 tokens, two steps an operation, the paper's hyper-parameters.

A cell is four tokens: value, level, marker and a separator. Each operation masks what it changes, then writes it: fill
the first naked single; branch, on the first cell with fewest candidates; mark the deepest branch as failed; empty what
was filled behind it; write the failed cell's next candidate, which takes two operations. What the paper leaves open is
ours: a failed cell keeps its value in its level's place, and its last candidate belongs to the level below.

6 layers of 4 heads as described, but of width 128, which has the 1.2M parameters that are reported; AdamW at 1e-4 with
weight decay 0.01 and 250 steps of warm-up, batches of 256, clipped at norm 1; in float32, and with halting
labels, which the public release lacks. As many states as a row of benchmarks/sudoku_ablation.py, drawn from the paths
of the 100 training puzzles, and the same puzzles to solve.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from random import Random

import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.utils import clip_grad_norm_

from apmdm.edits import edits_between
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import LossWeights, supervised_loss
from apmdm.sampler import rollouts
from apmdm.state import State
from apmdm.tasks.sudoku.data import generated, training_puzzles
from apmdm.tasks.sudoku.grid import NINE
from apmdm.tasks.sudoku.puzzles import Rules
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.vocab import MASK, Vocab

STATES, BATCH_SIZE, WARMUP, RATE = 96_000, 256, 250, 1e-4
PUZZLES, SEED, MAX_STEPS = 200, 1, 1000
VALUES = ["empty", *"123456789"]
VOCAB = Vocab.of(VALUES, [f"L{level}" for level in range(16)], "normal", "branch", "failed", "separator")
TOKENS = 4
Cell = tuple[int, int, str]
"""Value, 0 for none, level and marker."""


class Search:
    """The process on one puzzle: its state, and every state that it goes through."""

    def __init__(self, puzzle: list[int]) -> None:
        self.cells: list[Cell] = [(value, 0, "normal") for value in puzzle]

    def states(self) -> Iterator[list[int]]:
        yield self.ids()
        while True:
            candidates = {number: self.candidates(number) for number, cell in enumerate(self.cells) if not cell[0]}
            singles = [number for number, values in candidates.items() if len(values) == 1]
            depth = sum(marker == "branch" for _, _, marker in self.cells)
            if not all(candidates.values()):
                yield from self.failed(depth)
            elif singles:
                yield from self.written({singles[0]: (candidates[singles[0]][0], depth, "normal")})
            elif candidates:
                number = min(candidates, key=lambda number: len(candidates[number]))
                yield from self.written({number: (candidates[number][0], depth + 1, "branch")})
            else:
                return

    def failed(self, depth: int) -> Iterator[list[int]]:
        """Takes the deepest branch back and tries the next candidate in its place."""
        behind = [number for number, cell in enumerate(self.cells) if cell[0] and cell[1:] == (depth, "normal")]
        number = next(number for number, cell in enumerate(self.cells) if cell[1:] == (depth, "branch"))
        value = self.cells[number][0]
        yield from self.written({number: (value, value, "failed")})
        yield from self.written(dict.fromkeys(behind, (0, 0, "normal")))
        untried = [one for one in self.candidates(number) if one > value]
        yield from self.written({number: (untried[0], value, "failed")})
        last = len(untried) == 1
        yield from self.written({number: (untried[0], depth - last, "normal" if last else "branch")})

    def candidates(self, number: int) -> list[int]:
        taken = {self.cells[peer][0] for peer in Rules.of(NINE.cells).peers[number]}
        return [value for value in range(1, 10) if value not in taken]

    def written(self, cells: dict[int, Cell]) -> Iterator[list[int]]:
        """The two states of an operation that writes these cells, none if it changes nothing."""
        before = self.ids()
        for number, cell in cells.items():
            self.cells[number] = cell
        after = self.ids()
        if after != before:
            yield [new if new == old else MASK for old, new in zip(before, after, strict=True)]
            yield after

    def ids(self) -> list[int]:
        return VOCAB.encode(
            token for value, level, marker in self.cells for token in (VALUES[value], f"L{level}", marker, "separator")
        )


def examples(random: Random) -> Int[Tensor, "states 2 324"]:
    """States with what follows them, as many from every training puzzle; the last state follows itself."""
    puzzles, drawn = training_puzzles().tolist(), []
    for puzzle in puzzles:
        path = torch.tensor(list(Search(puzzle).states()), dtype=torch.uint8)
        path = torch.cat((path, path[-1:]))
        at = torch.tensor(random.choices(range(len(path) - 1), k=STATES // len(puzzles)))
        drawn.append(torch.stack((path[at], path[at + 1]), 1))
    shuffled = torch.randperm(STATES, generator=torch.Generator().manual_seed(0))
    return torch.cat(drawn)[shuffled].long()


def as_state(ids: Int[Tensor, "N 324"]) -> State:
    return State(ids, torch.full((len(ids),), TOKENS * NINE.cells))


def trained() -> Encoder:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=128, layers=6, heads=4, rotary=True))
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=0.01)
    warmup = torch.optim.lr_scheduler.LinearLR(optimizer, 1 / WARMUP, total_iters=WARMUP)
    for number, pairs in enumerate(examples(Random(0)).split(BATCH_SIZE)):
        state, following = as_state(pairs[:, 0]), as_state(pairs[:, 1])
        loss = supervised_loss(
            model(state), Batch(state, edits_between(state, following)), weights=LossWeights(1, 0)
        ).total
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        warmup.step()
        print(number, round(loss.item(), 4), file=sys.stderr, flush=True)
    return model.eval()


def main() -> None:
    began, model = time.perf_counter(), trained()
    seconds, puzzles = time.perf_counter() - began, generated(PUZZLES, SEED).tolist()
    starts = as_state(torch.tensor([Search(puzzle).ids() for puzzle in puzzles]))
    with torch.inference_mode():
        runs = list(
            rollouts(model, map(starts.sequence, range(PUZZLES)), max_steps=MAX_STEPS, max_length=len(starts.ids[0]))
        )
    digits = torch.tensor([VALUES.index(symbol) if symbol in VALUES else 0 for symbol in VOCAB.symbols])
    solved = [
        run.space == run.final.ids.numel() == starts.ids.shape[1]
        and is_solution(puzzles[run.index], digits[run.final.ids[::TOKENS]].tolist())
        for run in runs
    ]
    teachers = [Search(puzzle) for puzzle in puzzles]
    needed = [sum(1 for _ in teacher.states()) - 1 for teacher in teachers]
    ended = [[value for value, _, _ in teacher.cells] for teacher in teachers]
    steps = sum(run.time for run in runs) / PUZZLES
    record = {
        "benchmark": "sudoku in the paper's form",
        "solved": f"{sum(solved)} of {PUZZLES}",
        "stops": dict(Counter(run.stop for run in runs)),
        "mean_steps": round(steps, 2),
        "teacher_solved": sum(map(is_solution, puzzles, ended)),
        "teacher_within_the_budget": sum(one <= MAX_STEPS for one in needed),
        "teacher_mean_steps": sum(needed) / PUZZLES,
        "mean_work": round(sum(run.work for run in runs) / PUZZLES),
        "mean_multiply_adds": round(model.multiply_adds(starts.ids.shape[1]) * (1 + steps)),
        "parameters": model.num_parameters(),
        "training_seconds": round(seconds),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
