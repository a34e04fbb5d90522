"""The teacher: fill every single at once, guess where none is left, undo the deepest guess on a conflict.

A function of the state alone, defined on every state, so any state can be labelled. With d the highest level
present, the first rule that applies:
1. R1 RUN and a conflict: the cells filled at level d > 0 are remasked, and both registers.
2. R1 RUN and singles: every naked or hidden single is filled at level d.
3. R1 RUN and empty cells: the first one with fewest candidates takes its smallest, as the guess of level d + 1.
4. R1 and R2 masked: the guess of level d is remasked and its value goes to R2; without a guess R1 becomes FAIL.
5. R1 masked, R2 = v: the cell of rule 3 takes its next candidate above v as the guess of level d + 1 and R1
   becomes RUN; without such a candidate the cells filled at level d > 0 and R2 are remasked.
6. Otherwise nothing fires: the grid is complete, there is no solution, or the levels are used up.

Letters: N states. A set of values is an integer with bit v - 1 for value v.
"""

from dataclasses import dataclass
from functools import cache

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.edits import Edits, edits_between
from apmdm.state import State
from apmdm.tasks.sudoku.grid import FAIL, NUM_LEVELS, R1, R2, RUN, Board, as_state, board_of
from apmdm.vocab import MASK


@dataclass(frozen=True)
class Sets:
    """All sets of the values of a board: how many each has, its smallest (0 if empty), and that of each token id."""

    size: Int[Tensor, "sets"]
    smallest: Int[Tensor, "sets"]
    of_token: Int[Tensor, "vocab"]

    @classmethod
    @cache
    def of(cls, board: Board) -> "Sets":
        sets = torch.arange(board.every + 1)
        has = (sets[:, None] >> torch.arange(board.side)) & 1
        own = torch.where(board.value > 0, 1 << (board.value - 1).clamp(min=0), 0)
        small = own.short() if board.side < 15 else own.int()
        return cls(has.sum(1), torch.where(sets > 0, 1 + has.argmax(1), 0), small)


@dataclass(frozen=True)
class Analysis:
    """What one look at the cells tells.

    num_candidates: one more than there are values for filled cells; singles: the value of each single, 0 elsewhere;
    single_places: for each unit the values with one place left; dead_ends: empty cells without candidates; broken:
    units that have a value twice or no place left for one.
    """

    empty: Bool[Tensor, "N cells"]
    open_values: Int[Tensor, "N cells"]
    num_candidates: Int[Tensor, "N cells"]
    dead_ends: Bool[Tensor, "N cells"]
    broken: Bool[Tensor, "N units"]
    singles: Int[Tensor, "N cells"]
    single_places: Int[Tensor, "N units"]
    depth: Int[Tensor, "N"]
    guess_cell: Int[Tensor, "N"]

    @property
    def conflict(self) -> Bool[Tensor, "N"]:
        return self.dead_ends.any(1) | self.broken.any(1)

    @property
    def candidates(self) -> Bool[Tensor, "N cells values"]:
        shifts = torch.arange(board_of(self.empty).side, device=self.empty.device)
        return (self.open_values[..., None] >> shifts) & 1 > 0


def teacher(state: State) -> Edits:
    """The edits of one step."""
    return edits_between(state, as_state(next_ids(state.ids)))


def next_ids(ids: Int[Tensor, "N length"], hidden: bool = True) -> Int[Tensor, "N length"]:
    """The state that follows each state; without `hidden` only naked singles are filled."""
    board, device = board_of(ids), ids.device
    cells, r1, r2 = ids[:, :R1], ids[:, R1], ids[:, R2]
    seen = analyse(cells, hidden)
    value, level = board.value.to(device), board.level.to(device)[cells]
    deepest = (level == seen.depth[:, None]) & (seen.depth > 0)[:, None]
    guess = deepest & board.is_guess.to(device)[cells]
    filled = deepest & ~guess
    running, undoing = r1 == RUN, r1 == MASK
    room = seen.depth < NUM_LEVELS - 1

    conflict = running & seen.conflict
    fill = running & ~seen.conflict & (seen.singles > 0).any(1)
    open_level = running & ~seen.conflict & ~fill & seen.empty.any(1) & room
    lift = undoing & (r2 == MASK)
    tried = torch.where(undoing & ~lift, value[r2], 0)
    guessable = seen.open_values.gather(1, seen.guess_cell[:, None])[:, 0].long()
    untried = Sets.of(board).smallest.to(device)[(guessable >> tried) << tried]
    retry = undoing & ~lift & (untried > 0) & room
    exhausted = undoing & ~lift & (untried == 0)

    lifted = torch.where(guess, value[cells], 0).amax(1)
    filling = _token(board.fill_id, seen.singles, seen.depth[:, None])
    new_cells = torch.where(fill[:, None] & (seen.singles > 0), filling, cells)
    at_guess_cell = torch.arange(board.cells, device=device) == seen.guess_cell[:, None]
    opened = _token(board.guess_id, untried, (seen.depth + 1).clamp(max=NUM_LEVELS - 1))
    new_cells = torch.where((open_level | retry)[:, None] & at_guess_cell, opened[:, None], new_cells)
    undone = ((conflict | exhausted)[:, None] & filled) | (lift[:, None] & guess)
    new_cells = new_cells.masked_fill(undone, MASK)

    new_r1 = r1.masked_fill(conflict, MASK).masked_fill(retry, RUN).masked_fill(lift & (lifted == 0), FAIL)
    new_r2 = torch.where(lift, board.digit_id.to(device)[lifted], r2)
    new_r2 = new_r2.masked_fill(conflict | exhausted, MASK)
    return torch.cat((new_cells, new_r1[:, None], new_r2[:, None]), 1)


def analyse(cells: Int[Tensor, "N cells"], hidden: bool = True) -> Analysis:
    """Candidates, conflicts and singles of the cells' values, the depth, and the cell that a guess would take."""
    device, board = cells.device, board_of(cells)
    row, column, box = board.units_of.T.to(device)
    sets, every = Sets.of(board), board.every
    empty = cells == MASK
    used, twice_used = _once_and_twice(sets.of_token.to(device)[cells], board)
    taken = used[:, row] | used[:, column] | used[:, box]
    open_values = (every & ~taken).masked_fill(~empty, 0)
    num_candidates = sets.size.to(device)[open_values.long()]
    places, two_places = _once_and_twice(open_values, board)
    dead_ends = empty & (num_candidates == 0)
    broken = (twice_used > 0) | ((used | places) != every)
    only = places & ~two_places
    only_here = open_values & (only[:, row] | only[:, column] | only[:, box])
    singles = sets.smallest.to(device)[torch.where(num_candidates == 1, open_values, only_here * hidden).long()]
    num_candidates = num_candidates.masked_fill(~empty, board.side + 1)
    guess_cell = (num_candidates * board.cells + torch.arange(board.cells, device=device)).argmin(1)
    depth = board.level.to(device)[cells].amax(1).clamp(min=0)
    return Analysis(empty, open_values, num_candidates, dead_ends, broken, singles, only, depth, guess_cell)


def _once_and_twice(
    sets: Int[Tensor, "N cells"], board: Board
) -> tuple[Int[Tensor, "N units"], Int[Tensor, "N units"]]:
    """For every unit the values in one or more of its cells, and those in two or more."""
    first, *others = sets[:, board.cells_of.T.to(sets.device)].unbind(1)
    once, twice = first, torch.zeros_like(first)
    for cell in others:
        twice = twice | (once & cell)
        once = once | cell
    return once, twice


def _token(table: Int[Tensor, "values levels"], value: Tensor, level: Tensor) -> Tensor:
    return table.to(value.device)[value, level.expand_as(value)]
