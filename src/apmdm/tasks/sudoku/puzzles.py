"""Puzzles with one solution: an exact solver on bit sets, and a generator on top of it.

A candidate set is an integer with bit v - 1 for value v.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from apmdm.tasks.sudoku.grid import BOARDS, NINE, SIXTEEN, Board

FEWEST_CLUES = {SIXTEEN: 110}
"""Minimal puzzles of 16x16 have some 94 clues and take the teacher thousands of steps, or more levels than it has."""


@dataclass(frozen=True)
class Rules:
    """The cells of each row, column and box, and for each cell those that share one with it."""

    board: Board
    units: list[list[int]]
    peers: list[list[int]]

    @classmethod
    @cache
    def of(cls, cells: int) -> "Rules":
        board = next(board for board in BOARDS.values() if board.cells == cells)
        side, places = board.side, board.units_of.tolist()
        units = [board.cells_of[unit + axis * side].tolist() for unit in range(side) for axis in range(3)]
        peers = [
            [peer for peer in range(cells) if peer != cell and any(map(int.__eq__, places[cell], places[peer]))]
            for cell in range(cells)
        ]
        return cls(board, units, peers)


def count_solutions(puzzle: list[int], limit: int = 2) -> int:
    """The number of solutions of a board's values, 0 for an empty cell; counting ends at `limit`."""
    return len(solutions(puzzle, limit))


def count_within(most: int, puzzle: list[int], limit: int = 2) -> int | None:
    """The same, or None if it takes more than `most` branches of the search."""
    try:
        return len(solutions(puzzle, limit, most))
    except TooManyBranchesError:
        return None


class TooManyBranchesError(Exception):
    """A search was given up."""


def solutions(puzzle: list[int], limit: int = 1, most: int | None = None) -> list[list[int]]:
    """Up to `limit` solutions; raises TooManyBranchesError if that takes more than `most` branches of the search."""
    candidates = [Rules.of(len(puzzle)).board.every] * len(puzzle)
    for cell, value in enumerate(puzzle):
        if value and not _place(candidates, cell, 1 << (value - 1)):
            return []
    left = iter(range(most)) if most is not None else None
    return [[bits.bit_length() for bits in found] for found in _search(candidates, limit, _bits, left)]


def generated_puzzle(rng: np.random.Generator, board: Board = NINE) -> list[int]:
    """A puzzle with one solution; it loses it with any of its clues, unless it has only FEWEST_CLUES."""
    puzzle = full_grid(rng, board)
    clues, fewest = board.cells, FEWEST_CLUES.get(board, 0)
    for cell in rng.permutation(board.cells).tolist():
        value, puzzle[cell] = puzzle[cell], 0
        if count_solutions(puzzle) != 1:
            puzzle[cell] = value
        elif (clues := clues - 1) == fewest:
            break
    return puzzle


def full_grid(rng: np.random.Generator, board: Board = NINE) -> list[int]:
    """A solved grid, by search from one random cell with values in random order."""
    candidates = [board.every] * board.cells
    _place(candidates, int(rng.integers(board.cells)), 1 << int(rng.integers(board.side)))
    grid = _search(candidates, 1, lambda bits: rng.permutation(_bits(bits)).tolist())[0]
    return [bits.bit_length() for bits in grid]


def _bits(candidates: int) -> list[int]:
    return [1 << index for index in range(candidates.bit_length()) if candidates >> index & 1]


def _place(candidates: list[int], cell: int, bit: int) -> bool:
    """Put a value and whatever naked singles follow; False on a contradiction."""
    waiting, peers = [(cell, bit)], Rules.of(len(candidates)).peers
    while waiting:
        cell, bit = waiting.pop()
        if not candidates[cell] & bit:
            return False
        candidates[cell] = bit
        for peer in peers[cell]:
            if candidates[peer] & bit:
                rest = candidates[peer] & ~bit
                if not rest:
                    return False
                candidates[peer] = rest
                if not rest & (rest - 1):
                    waiting.append((peer, rest))
    return True


def _place_hidden_singles(candidates: list[int]) -> bool:
    """Put every value that has one place in a unit, until there is none; False on a contradiction."""
    moved, rules = True, Rules.of(len(candidates))
    while moved:
        moved = False
        for unit in rules.units:
            once = twice = 0
            for cell in unit:
                twice |= once & candidates[cell]
                once |= candidates[cell]
            if once != rules.board.every:
                return False
            hidden = once & ~twice
            for cell in unit:
                bit = candidates[cell] & hidden
                if bit and candidates[cell] != bit:
                    if bit & (bit - 1) or not _place(candidates, cell, bit):
                        return False
                    moved = True
    return True


def _search(
    candidates: list[int], limit: int, order: Callable[[int], Iterable[int]], left: Iterator[int] | None = None
) -> list[list[int]]:
    """Solved grids below these candidates, trying the values of the smallest open cell in the given order.

    left: has an item for each branch that may still be looked at; None for any number.
    """
    if left is not None and next(left, None) is None:
        raise TooManyBranchesError
    if not _place_hidden_singles(candidates):
        return []
    sizes = [(bits.bit_count(), cell) for cell, bits in enumerate(candidates) if bits & (bits - 1)]
    if not sizes:
        return [candidates]
    cell = min(sizes)[1]
    found: list[list[int]] = []
    for bit in order(candidates[cell]):
        branch = candidates.copy()
        if _place(branch, cell, bit):
            found += _search(branch, limit - len(found), order, left)
        if len(found) >= limit:
            break
    return found
