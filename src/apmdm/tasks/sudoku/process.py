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

Letters: N states, 81 cells, 9 values.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import one_hot

from apmdm.edits import Edits, edits_between
from apmdm.state import State
from apmdm.tasks.sudoku.grid import (
    BOX,
    CELLS,
    DIGIT_ID,
    FAIL,
    FILL_ID,
    GUESS_ID,
    IS_GUESS,
    LEVEL,
    NUM_LEVELS,
    R1,
    R2,
    RUN,
    SIDE,
    VALUE,
    as_state,
)
from apmdm.vocab import MASK


@dataclass(frozen=True)
class Analysis:
    """What one look at the cells tells; singles holds the value of each single and 0 elsewhere."""

    empty: Bool[Tensor, "N 81"]
    candidates: Bool[Tensor, "N 81 9"]
    conflict: Bool[Tensor, "N"]
    singles: Int[Tensor, "N 81"]
    depth: Int[Tensor, "N"]
    guess_cell: Int[Tensor, "N"]


def teacher(state: State) -> Edits:
    """The edits of one step."""
    return edits_between(state, as_state(next_ids(state.ids)))


def next_ids(ids: Int[Tensor, "N 83"]) -> Int[Tensor, "N 83"]:
    """The state that follows each state."""
    cells, r1, r2 = ids[:, :CELLS], ids[:, R1], ids[:, R2]
    seen = analyse(cells)
    level = LEVEL.to(ids.device)[cells]
    deepest = (level == seen.depth[:, None]) & (seen.depth > 0)[:, None]
    guess = deepest & IS_GUESS.to(ids.device)[cells]
    filled = deepest & ~guess
    running, undoing = r1 == RUN, r1 == MASK
    room = seen.depth < NUM_LEVELS - 1

    conflict = running & seen.conflict
    fill = running & ~seen.conflict & (seen.singles > 0).any(1)
    open_level = running & ~seen.conflict & ~fill & seen.empty.any(1) & room
    lift = undoing & (r2 == MASK)
    tried = torch.where(undoing & ~lift, VALUE.to(ids.device)[r2], 0)
    untried = seen.candidates[torch.arange(len(ids)), seen.guess_cell]
    untried = untried & (torch.arange(1, SIDE + 1, device=ids.device) > tried[:, None])
    retry = undoing & ~lift & untried.any(1) & room
    exhausted = undoing & ~lift & ~untried.any(1)

    lifted = torch.where(guess, VALUE.to(ids.device)[cells], 0).amax(1)
    new_cells = torch.where(
        fill[:, None] & (seen.singles > 0), _token(FILL_ID, seen.singles, seen.depth[:, None]), cells
    )
    at_guess_cell = torch.arange(CELLS, device=ids.device) == seen.guess_cell[:, None]
    opened = _token(GUESS_ID, 1 + untried.float().argmax(1), (seen.depth + 1).clamp(max=NUM_LEVELS - 1))
    new_cells = torch.where((open_level | retry)[:, None] & at_guess_cell, opened[:, None], new_cells)
    undone = ((conflict | exhausted)[:, None] & filled) | (lift[:, None] & guess)
    new_cells = new_cells.masked_fill(undone, MASK)

    new_r1 = r1.masked_fill(conflict, MASK).masked_fill(retry, RUN).masked_fill(lift & (lifted == 0), FAIL)
    new_r2 = torch.where(lift, DIGIT_ID.to(ids.device)[lifted], r2)
    new_r2 = new_r2.masked_fill(conflict | exhausted, MASK)
    return torch.cat((new_cells, new_r1[:, None], new_r2[:, None]), 1)


def analyse(cells: Int[Tensor, "N 81"]) -> Analysis:
    """Candidates, conflicts and singles of the cells' values, the depth, and the cell that a guess would take."""
    values = VALUE.to(cells.device)[cells]
    empty = values == 0
    placed = _in_units(one_hot(values, SIDE + 1)[..., 1:].float())
    candidates = empty[..., None] & (sum(placed) == 0)
    places = _in_units(candidates.float())
    num_candidates = candidates.sum(-1)
    conflict = (empty & (num_candidates == 0)).any(1)
    hidden = torch.zeros_like(candidates)
    for in_unit, open_in_unit in zip(placed, places, strict=True):
        conflict |= ((in_unit > 1) | (in_unit + open_in_unit == 0)).flatten(1).any(1)
        hidden |= candidates & (open_in_unit == 1)
    single = torch.where((num_candidates == 1)[..., None], candidates, hidden)
    singles = torch.where(single.any(-1), 1 + single.float().argmax(-1), 0)
    order = num_candidates * CELLS + torch.arange(CELLS, device=cells.device)
    guess_cell = order.masked_fill(~empty, order.numel() + CELLS * SIDE).argmin(1)
    depth = LEVEL.to(cells.device)[cells].amax(1).clamp(min=0)
    return Analysis(empty, candidates, conflict, singles, depth, guess_cell)


def _in_units(x: Float[Tensor, "N 81 9"]) -> tuple[Tensor, Tensor, Tensor]:
    """For every cell the sums of x over its row, its column and its box."""
    grid = x.view(-1, SIDE, SIDE, SIDE)
    boxes = x.view(-1, BOX, BOX, BOX, BOX, SIDE)
    row = grid.sum(2, keepdim=True).expand_as(grid)
    column = grid.sum(1, keepdim=True).expand_as(grid)
    box = boxes.sum((2, 4), keepdim=True).expand_as(boxes)
    return row.reshape(x.shape), column.reshape(x.shape), box.reshape(x.shape)


def _token(table: Int[Tensor, "10 levels"], value: Tensor, level: Tensor) -> Tensor:
    return table.to(value.device)[value, level.expand_as(value)]
