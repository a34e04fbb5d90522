"""Puzzles with one solution, made minimal: an exact solver on bit sets, and a generator on top of it.

A candidate set is an integer with bit v - 1 for value v.
"""

from collections.abc import Callable, Iterable

import numpy as np

from apmdm.tasks.sudoku.grid import BOX_OF, CELLS, COLUMN, ROW, SIDE

ANY = 2**SIDE - 1
_places = list(zip(ROW.tolist(), COLUMN.tolist(), BOX_OF.tolist(), strict=True))
UNITS = [[cell for cell in range(CELLS) if _places[cell][axis] == unit] for unit in range(SIDE) for axis in range(3)]
PEERS = [
    [peer for peer in range(CELLS) if peer != cell and any(map(int.__eq__, _places[cell], _places[peer]))]
    for cell in range(CELLS)
]


def count_solutions(puzzle: list[int], limit: int = 2) -> int:
    """The number of solutions of 81 values, 0 for an empty cell; counting ends at `limit`."""
    return len(solutions(puzzle, limit))


def solutions(puzzle: list[int], limit: int = 1) -> list[list[int]]:
    """Up to `limit` solutions."""
    candidates = [ANY] * CELLS
    for cell, value in enumerate(puzzle):
        if value and not _place(candidates, cell, 1 << (value - 1)):
            return []
    return [[bits.bit_length() for bits in found] for found in _search(candidates, limit, _bits)]


def minimal_puzzle(rng: np.random.Generator) -> list[int]:
    """A puzzle with one solution that loses it with any of its clues."""
    puzzle = full_grid(rng)
    for cell in rng.permutation(CELLS).tolist():
        value, puzzle[cell] = puzzle[cell], 0
        if count_solutions(puzzle) != 1:
            puzzle[cell] = value
    return puzzle


def full_grid(rng: np.random.Generator) -> list[int]:
    """A solved grid, by search from one random cell with values in random order."""
    candidates = [ANY] * CELLS
    _place(candidates, int(rng.integers(CELLS)), 1 << int(rng.integers(SIDE)))
    grid = _search(candidates, 1, lambda bits: rng.permutation(_bits(bits)).tolist())[0]
    return [bits.bit_length() for bits in grid]


def _bits(candidates: int) -> list[int]:
    return [1 << index for index in range(SIDE) if candidates >> index & 1]


def _place(candidates: list[int], cell: int, bit: int) -> bool:
    """Put a value and whatever naked singles follow; False on a contradiction."""
    waiting = [(cell, bit)]
    while waiting:
        cell, bit = waiting.pop()
        if not candidates[cell] & bit:
            return False
        candidates[cell] = bit
        for peer in PEERS[cell]:
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
    moved = True
    while moved:
        moved = False
        for unit in UNITS:
            once = twice = 0
            for cell in unit:
                twice |= once & candidates[cell]
                once |= candidates[cell]
            if once != ANY:
                return False
            hidden = once & ~twice
            for cell in unit:
                bit = candidates[cell] & hidden
                if bit and candidates[cell] != bit:
                    if bit & (bit - 1) or not _place(candidates, cell, bit):
                        return False
                    moved = True
    return True


def _search(candidates: list[int], limit: int, order: Callable[[int], Iterable[int]]) -> list[list[int]]:
    """Solved grids below these candidates, trying the values of the smallest open cell in the given order."""
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
            found += _search(branch, limit - len(found), order)
        if len(found) >= limit:
            break
    return found
