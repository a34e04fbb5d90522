"""Training states from exactly 100 puzzles: symmetry copies of them, met on many paths, labelled by the teacher.

The teacher is a function of the state, so a state need not lie on its own path to have a right label.
"""

import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.tasks.sudoku.grid import NINE, NUM_LEVELS, R1, R2, RUN, Board, board_of, decode, encode
from apmdm.tasks.sudoku.process import Analysis, analyse, next_ids
from apmdm.tasks.sudoku.puzzles import generated_puzzle
from apmdm.tasks.sudoku.symmetry import random_symmetries
from apmdm.vocab import MASK

Step = Callable[[Int[Tensor, "N length"]], Int[Tensor, "N length"]]
NUM_TRAINING, POOL, POOL_SEED = 100, {"4x4": 300, "9x9": 3000, "16x16": 300}, 20261123
PATH_STEPS = 300
PLAIN = {"path": 0.9, "conflict": 0.1}
MIXED = {"path": 0.46, "strayed": 0.14, "conflict": 0.12, "clues": 0.20, "wrong": 0.05, "damaged": 0.03}
HARD = MIXED | {
    "path": 0.15,
    "strayed": 0.20,
    "conflict": 0.15,
    "clues": 0.15,
    "wrong": 0.10,
    "changed": 0.12,
    "sparse": 0.10,
}
ROUGH = {"path": 0.4, "conflict": 0.1, "scrambled": 0.5}
LARGE = {
    "path": 0.20,
    "strayed": 0.10,
    "conflict": 0.12,
    "clues": 0.14,
    "wrong": 0.07,
    "damaged": 0.04,
    "scrambled": 0.05,
    "choice": 0.28,
}
EASY = {"path": 0.3, "clues": 0.3, "changed": 0.3, "damaged": 0.1}
"""Shares of the kinds of states: the teacher's own paths; paths whose guesses are random; the conflicts on such paths;
paths of puzzles with clues added or taken away; with one wrong clue; states with damaged cells or registers; paths of
puzzles with clues added or taken away and one wrong, with some random guesses; guesses among three candidates or more,
on puzzles with many clues taken away; states with up to all cells damaged, in which what is rare on paths is not;
guesses and what follows when one was taken back, on puzzles with clues added or taken away. EASY is for 4x4, whose
puzzles need no guess, ROUGH and then LARGE for 16x16, which is trained on fewer states."""
RELABELLED = 0.15
"""Share of the states whose levels get other names."""


def generated(num: int, seed: int, board: Board = NINE) -> Int[Tensor, "num cells"]:
    """Puzzles with one solution from a seed, minimal ones except for 16x16."""
    rng = np.random.default_rng(seed)
    return torch.tensor([generated_puzzle(rng, board) for _ in range(num)])


def chosen_for_training(pool: Int[Tensor, "pool cells"]) -> Int[Tensor, "100 cells"]:
    """Half of them the puzzles of the pool that take the teacher most steps, half the first of the others."""
    steps = teacher_steps(pool)
    hardest = steps.argsort(descending=True, stable=True)[: NUM_TRAINING // 2]
    others = torch.ones(len(pool), dtype=torch.bool).index_fill(0, hardest, False).nonzero()[:, 0]
    return pool[torch.cat((hardest, others[: NUM_TRAINING - len(hardest)]))]


def training_puzzles(board: Board = NINE) -> Int[Tensor, "100 cells"]:
    """The training set, as chosen_for_training(generated(POOL[board.name], POOL_SEED, board)) wrote it."""
    text = Path(__file__).with_name(f"training_puzzles_{board.name}.txt").read_text()
    return torch.tensor([board.parse(line) for line in text.splitlines() if not line.startswith("#")])


def teacher_steps(puzzles: Int[Tensor, "N cells"]) -> Int[Tensor, "N"]:
    """Steps until the teacher halts."""
    return teacher_run(puzzles)[1]


def teacher_run(puzzles: Int[Tensor, "N cells"]) -> tuple[Int[Tensor, "N length"], Int[Tensor, "N"]]:
    """Final states of the teacher and its steps."""
    ids = encode(puzzles).ids
    final, steps = ids.clone(), torch.zeros(len(ids), dtype=torch.long)
    going = torch.arange(len(ids))
    while len(going):
        following = next_ids(ids)
        moved = (following != ids).any(1)
        ids, going = following[moved], going[moved]
        final[going] = ids
        steps[going] += 1
    return final, steps


def drawn_states(
    num: int,
    random: torch.Generator,
    puzzles: Int[Tensor, "N cells"],
    answers: Int[Tensor, "N cells"],
    shares: Mapping[str, float],
    step: Step = next_ids,
    symmetric: bool = True,
) -> Int[Tensor, "num length"]:
    """States met on symmetry copies of the puzzles, of each kind its share, some of them RELABELLED, shuffled.

    step: the process whose paths are followed; without `symmetric` the puzzles are taken as they are.
    """

    def of_kind(kind: str, mean_length: int) -> tuple[Tensor, Tensor]:
        copies, solved = _copies(1 + int(num * shares[kind]) // mean_length, random, symmetric, puzzles, answers)
        return copies, solved

    walk = partial(path, step=step)
    kinds = {
        "path": lambda: walk(of_kind("path", 80)[0], random),
        "strayed": lambda: walk(of_kind("strayed", 250)[0], random, stray=0.7),
        "conflict": lambda: conflicts(walk(of_kind("conflict", 3)[0], random, stray=0.7)),
        "clues": lambda: walk(change_clues(*of_kind("clues", 80), random), random),
        "wrong": lambda: walk(add_wrong_clue(of_kind("wrong", 250)[0], random), random, stray=0.2),
        "changed": lambda: walk(add_wrong_clue(change_clues(*of_kind("changed", 80), random), random), random, 0.3),
        "sparse": lambda: wide_guesses(walk(fewer_clues(of_kind("sparse", 6)[0], random), random, 0.3), random),
        "choice": lambda: choices(walk(change_clues(*of_kind("choice", 80), random), random, stray=0.2)),
        "damaged": lambda: damaged(walk(of_kind("damaged", 80)[0], random), random),
        "scrambled": lambda: damaged(walk(of_kind("scrambled", 80)[0], random), random, most=1.0),
    }
    states = torch.cat([_gathered(math.ceil(num * share), random, kinds[kind]) for kind, share in shares.items()])
    states = states[torch.randperm(len(states), generator=random)[:num]]
    relabelled = torch.rand(num, generator=random) < RELABELLED
    states[relabelled] = relabel_levels(states[relabelled], random)
    return states


def path(
    puzzles: Int[Tensor, "N cells"], random: torch.Generator, stray: float = 0.0, step: Step = next_ids
) -> Int[Tensor, "states length"]:
    """Every state from the start to the fixed point or PATH_STEPS; a guess is replaced with probability `stray`."""
    ids, seen = encode(puzzles).ids, []
    while len(ids) and len(seen) < PATH_STEPS:
        seen.append(ids)
        following = step(ids)
        moved = (following != ids).any(1)
        following = astray(ids, following, random, stray) if stray else following
        ids = following[moved]
    return torch.cat(seen)


def conflicts(ids: Int[Tensor, "N length"]) -> Int[Tensor, "conflicts length"]:
    """Those of the states whose next step is to take back a level."""
    return ids[(ids[:, R1] == RUN) & analyse(ids[:, :R1]).conflict]


def astray(ids: Tensor, following: Tensor, random: torch.Generator, share: float) -> Int[Tensor, "N length"]:
    """Where a level was opened, with probability `share`, open it with any candidate of any empty cell instead."""
    cells, new, board = ids[:, :R1], following[:, :R1], board_of(ids)
    opened = (cells == MASK) & board.is_guess[new] & (ids[:, [R1]] == RUN)
    rows = (opened.any(1) & (torch.rand(len(ids), generator=random) < share)).nonzero()[:, 0]
    if not len(rows):
        return following
    candidates = analyse(cells[rows]).candidates.flatten(1).float()
    choice = torch.multinomial(candidates, 1, generator=random)[:, 0]
    level = board.level[new[rows]].masked_fill(~opened[rows], 0).amax(1)
    replaced = ids[rows].clone()
    replaced[torch.arange(len(rows)), choice // board.side] = board.guess_id[choice % board.side + 1, level]
    return following.index_copy(0, rows, replaced)


def choices(ids: Int[Tensor, "N length"]) -> Int[Tensor, "choices length"]:
    """Those of the states in which a guess is due or was taken back."""
    return ids[_guess_due(ids, analyse(ids[:, :R1])) | ((ids[:, R1] == MASK) & (ids[:, R2] != MASK))]


def change_clues(puzzles: Tensor, answers: Tensor, random: torch.Generator) -> Int[Tensor, "N cells"]:
    """On 9x9 either 0 to 12 clues more, from the answer, or 0 to 7 fewer."""
    num, cells = puzzles.shape
    add = torch.rand(num, 1, generator=random) < 0.5
    amount = torch.where(add, _up_to(cells * 12 // 81, num, random), _up_to(cells * 7 // 81, num, random))
    eligible = (puzzles == 0) == add
    key = torch.rand(puzzles.shape, generator=random).masked_fill(~eligible, 2.0)
    selected = key.argsort(1).argsort(1) < amount
    return torch.where(selected, torch.where(add, answers, 0), puzzles)


def fewer_clues(puzzles: Tensor, random: torch.Generator) -> Int[Tensor, "N cells"]:
    """On 9x9 up to 16 clues taken away."""
    num, cells = puzzles.shape
    key = torch.rand(puzzles.shape, generator=random).masked_fill(puzzles == 0, 2.0)
    return puzzles.masked_fill(key.argsort(1).argsort(1) < _up_to(cells * 16 // 81, num, random), 0)


def wide_guesses(ids: Tensor, random: torch.Generator) -> Int[Tensor, "guesses length"]:
    """Those of the states in which a guess is due and no cell has fewer than three candidates; half of them with the
    registers set as if a value had been tried.
    """
    seen, board = analyse(ids[:, :R1]), board_of(ids)
    ids = ids[_guess_due(ids, seen) & (seen.num_candidates.amin(1) > 2)].clone()
    tried = torch.rand(len(ids), generator=random) < 0.5
    ids[tried, R1] = MASK
    ids[tried, R2] = board.digit_id[torch.randint(1, board.side + 1, (int(tried.sum()),), generator=random)]
    return ids


def add_wrong_clue(puzzles: Tensor, random: torch.Generator) -> Int[Tensor, "N cells"]:
    """One more clue, any candidate of any empty cell; most often there is then no solution."""
    candidates = analyse(encode(puzzles).ids[:, :R1]).candidates
    choice = torch.multinomial(candidates.flatten(1).float(), 1, generator=random)
    side = candidates.shape[2]
    return puzzles.scatter(1, choice // side, choice % side + 1)


def damaged(ids: Tensor, random: torch.Generator, most: float = 0.06) -> Int[Tensor, "N length"]:
    """Up to the share `most` of the cells emptied or overwritten, and in some states the registers set at random."""
    num, cells, board = len(ids), ids[:, :R1], board_of(ids)
    hit = torch.rand(cells.shape, generator=random) < most * torch.rand(num, 1, generator=random)
    level = board.level[cells].amax(1, keepdim=True).clamp(min=0)
    value = torch.randint(1, board.side + 1, cells.shape, generator=random)
    emptied = torch.rand(cells.shape, generator=random) < 1 / 3
    cells = torch.where(hit, torch.where(emptied, MASK, board.fill_id[value, level.expand_as(value)]), cells)
    r1 = _register(ids[:, R1], torch.full((num,), RUN), random)
    r2 = _register(ids[:, R2], board.digit_id[torch.randint(1, board.side + 1, (num,), generator=random)], random)
    return torch.cat((cells, r1[:, None], r2[:, None]), 1)


def relabel_levels(ids: Tensor, random: torch.Generator) -> Int[Tensor, "N length"]:
    """The levels from 1 up renamed in order to random ones, which changes no rule: only their order counts."""
    cells, board = ids[:, :R1], board_of(ids)
    level, value = board.level[cells], board.value[cells]
    depth = level.amax(1, keepdim=True).clamp(min=0)
    names = 1 + torch.rand(len(ids), NUM_LEVELS - 1, generator=random).argsort(1)
    used = torch.arange(NUM_LEVELS - 1) < depth
    names = names.masked_fill(~used, NUM_LEVELS - 1).sort(1).values
    names = torch.cat((torch.zeros(len(ids), 1, dtype=torch.long), names), 1)
    renamed = names.gather(1, level.clamp(min=0))
    token = torch.where(board.is_guess[cells], board.guess_id[value, renamed], board.fill_id[value, renamed])
    return torch.cat((torch.where(level > 0, token, cells), ids[:, R1:]), 1)


def answers_of(puzzles: Int[Tensor, "N cells"]) -> Int[Tensor, "N cells"]:
    """The solutions, by the teacher."""
    return decode(teacher_run(puzzles)[0])


def _copies(
    num: int, random: torch.Generator, symmetric: bool, *grids: Int[Tensor, "N cells"]
) -> tuple[Int[Tensor, "num cells"], ...]:
    """Rows drawn at random, the same ones of each of the grids, all turned by the same random symmetries, if any."""
    chosen = torch.randint(len(grids[0]), (num,), generator=random)
    turned = random_symmetries(num, random, board_of(grids[0]))
    return tuple(turned(grid[chosen]) if symmetric else grid[chosen] for grid in grids)


def _gathered(
    num: int, random: torch.Generator, more: Callable[[], Int[Tensor, "M length"]]
) -> Int[Tensor, "num length"]:
    """A random selection of `num` states out of as many calls as it takes."""
    states = more()
    while len(states) < num:
        states = torch.cat((states, more()))
    return states[torch.randperm(len(states), generator=random)[:num]]


def _guess_due(ids: Int[Tensor, "N length"], seen: Analysis) -> Bool[Tensor, "N"]:
    return (ids[:, R1] == RUN) & ~seen.conflict & ~(seen.singles > 0).any(1) & seen.empty.any(1)


def _up_to(most: int, num: int, random: torch.Generator) -> Int[Tensor, "num 1"]:
    return torch.randint(most + 1, (num, 1), generator=random)


def _register(current: Tensor, other: Tensor, random: torch.Generator) -> Int[Tensor, "N"]:
    draw = torch.rand(len(current), generator=random)
    return torch.where(draw < 0.15, MASK, torch.where(draw < 0.3, other, current))
