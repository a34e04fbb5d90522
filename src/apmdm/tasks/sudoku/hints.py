"""What the teacher looks up in a state on the way to its edits, as bits that train the model's middle layers.

Letters: N states.
"""

import torch
from jaxtyping import Bool
from torch import Tensor
from torch.nn.functional import pad

from apmdm.state import State
from apmdm.tasks.sudoku.grid import NUM_LEVELS, R1, R2, REGISTERS, Board, board_of
from apmdm.tasks.sudoku.process import Analysis, analyse

CANDIDATES = 2, 3, 4, 5


def num_conclusions(board: Board) -> int:
    return board.side + 5 + len(CANDIDATES) + NUM_LEVELS - 1


def num_hints(board: Board) -> int:
    return 4 * board.side + 4


def hints(state: State) -> Bool[Tensor, "N length hints"]:
    """What the teacher looks up for each cell: its candidates, those with no other place in a unit, and conflicts.

    In this order: a bit for each candidate of an empty cell, then as many each for its row, column and box; for every
    cell whether it is empty without candidates, and whether its row, column and box are broken.
    """
    return _looked_up(analyse(state.ids[:, :R1]), board_of(state.ids))


def _looked_up(seen: Analysis, board: Board) -> Bool[Tensor, "N length hints"]:
    units = board.units_of.to(seen.empty.device)
    bits = (seen.candidates.flatten(2), _only_places(seen, board).flatten(2), seen.dead_ends[..., None])
    return pad(torch.cat((*bits, seen.broken[:, units]), 2), (0, 0, 0, REGISTERS))


def _only_places(seen: Analysis, board: Board) -> Bool[Tensor, "N cells 3 values"]:
    """Candidates that have no other place in the row, the column, the box."""
    units, shifts = board.units_of.to(seen.empty.device), torch.arange(board.side, device=seen.empty.device)
    return (seen.single_places[:, units, None] >> shifts & 1 > 0) & seen.candidates[:, :, None]


def num_detailed_hints(board: Board) -> int:
    """Without the conclusions."""
    return num_hints(board) + 13 * board.side + 1


def detailed_hints(state: State) -> Bool[Tensor, "N length hints"]:
    """The hints, what they follow from, and the conclusions.

    For every cell and each value whether its row, column and box have it; have it or a place for it; have more than one
    place; have more than two; and whether it is a candidate above the value in R2. Whether the cell has the fewest
    candidates.
    """
    cells, board = state.ids[:, :R1], board_of(state.ids)
    seen, device = analyse(cells), cells.device
    units, cells_of = board.units_of.to(device), board.cells_of.to(device)
    has = board.value.to(device)[cells][..., None] == torch.arange(1, board.side + 1, device=device)
    held, places = (of_cells[:, cells_of].sum(2)[:, units].flatten(2) for of_cells in (has, seen.candidates))
    fewest = seen.empty & (seen.num_candidates == seen.num_candidates.amin(1, keepdim=True))
    more = held > 0, held + places > 0, places > 1, places > 2, _untried(state, seen), fewest[..., None]
    return torch.cat(
        (_looked_up(seen, board), pad(torch.cat(more, 2), (0, 0, 0, REGISTERS)), conclusions(state, seen)), 2
    )


def _untried(state: State, seen: Analysis) -> Bool[Tensor, "N cells values"]:
    board = board_of(state.ids)
    tried = board.value.to(state.ids.device)[state.ids[:, R2, None]]
    return seen.candidates & (torch.arange(1, board.side + 1, device=tried.device) > tried)[:, None]


def conclusions(state: State, seen: Analysis) -> Bool[Tensor, "N length conclusions"]:
    """What decides which rule applies, and where.

    For every cell and each value whether it is a single there; whether the cell is the one that a guess would take,
    has an untried candidate as well, is filled at the deepest level. At every position whether there is a conflict, a
    single, whether the fewest candidates are at least 2, 3, 4, 5, and the deepest level at least 1, 2, ...
    """
    cells, board = state.ids[:, :R1], board_of(state.ids)
    device = cells.device
    level, depth = board.level.to(device)[cells], seen.depth[:, None]
    at_guess_cell = torch.arange(board.cells, device=device) == seen.guess_cell[:, None]
    singles = _only_places(seen, board).any(2) | seen.candidates & (seen.num_candidates == 1)[..., None]
    retried = at_guess_cell & _untried(state, seen).any(2)
    of_cells = torch.cat((singles, torch.stack((at_guess_cell, retried, (level == depth) & (depth > 0)), 2)), 2)
    whole = (
        seen.conflict[:, None],
        (seen.singles > 0).any(1, keepdim=True),
        seen.num_candidates.amin(1, keepdim=True) >= torch.tensor(CANDIDATES, device=device),
        depth >= torch.arange(1, NUM_LEVELS, device=device),
    )
    everywhere = torch.cat(whole, 1)[:, None].expand(-1, board.length, -1)
    return torch.cat((pad(of_cells, (0, 0, 0, REGISTERS)), everywhere), 2)
