"""The symmetries of Sudoku, 3,359,232 x 9! on 9x9: random copies, and a fingerprint that finds copies again."""

import math
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement, product

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.tasks.sudoku.grid import NINE, Board


@dataclass(frozen=True)
class Symmetries:
    """For each of N symmetries the cell that each new cell is taken from, and the new value of each value."""

    source: Int[Tensor, "N cells"]
    relabel: Int[Tensor, "N values"]

    def __call__(self, puzzles: Int[Tensor, "N cells"]) -> Int[Tensor, "N cells"]:
        """Copy k under symmetry k."""
        return self.relabel.gather(1, puzzles.gather(1, self.source))


def random_symmetries(num: int, generator: torch.Generator, board: Board = NINE) -> Symmetries:
    """Uniform over permutations of values, of bands, of lines within bands, and transposition."""

    def order(*shape: int) -> Tensor:
        return torch.rand(num, *shape, generator=generator).argsort(-1)

    def lines() -> Tensor:
        return (order(board.box)[:, :, None] * board.box + order(board.box, board.box)).flatten(1)

    rows, columns = lines(), lines()
    source = rows[:, :, None] * board.side + columns[:, None, :]
    transposed = torch.rand(num, generator=generator) < 0.5
    source = torch.where(transposed[:, None, None], source.transpose(1, 2), source).flatten(1)
    relabel = torch.cat((torch.zeros(num, 1, dtype=torch.long), 1 + order(board.side)), 1)
    return Symmetries(source, relabel)


def leaks(training: list[list[int]], evaluation: list[list[int]]) -> list[int]:
    """Indices of evaluation answers that may be symmetry copies of training answers.

    An answer that is a copy is always found, whatever clues its puzzle shows, so an empty list proves that no
    evaluation puzzle is a copy of a training puzzle, or of one with clues added or taken away.
    """
    known = {fingerprint(answer) for answer in training}
    return [index for index, answer in enumerate(evaluation) if fingerprint(answer) in known]


def fingerprint(answer: list[int]) -> tuple[object, ...]:
    """The same for all symmetry copies of a filled grid, different for nearly all others.

    Between two rows the values form a permutation, whose cycle lengths no symmetry changes; the fingerprint
    collects them for the pairs of rows within each band and across each pair of bands, and the same for columns.
    """
    side = math.isqrt(len(answer))
    rows = [answer[start : start + side] for start in range(0, side * side, side)]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return tuple(sorted(_cycles_by_band(lines) for lines in (rows, columns)))


def _cycles_by_band(lines: list[list[int]]) -> tuple[object, ...]:
    box = math.isqrt(len(lines))
    bands = [range(start, start + box) for start in range(0, len(lines), box)]
    within, across = [], []
    for first, second in combinations_with_replacement(bands, 2):
        pairs = combinations(first, 2) if first == second else product(first, second)
        cycles = tuple(sorted(_cycle_lengths(lines[a], lines[b]) for a, b in pairs))
        (within if first == second else across).append(cycles)
    return tuple(sorted(within)), tuple(sorted(across))


def _cycle_lengths(first: list[int], second: list[int]) -> tuple[int, ...]:
    following, lengths = dict(zip(first, second, strict=True)), []
    while following:
        length, value = 0, next(iter(following))
        while value in following:
            value, length = following.pop(value), length + 1
        lengths.append(length)
    return tuple(sorted(lengths))
