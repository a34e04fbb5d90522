"""Sudoku as a sequence: the cells in reading order, each with (row, column, box) as coordinates, and two registers.

A cell is MASK (empty), `5@L2` (value 5 filled at level 2; givens have level 0) or `5@L2@guess` (the guess that opened
level 2). Register R1 is RUN, MASK or FAIL; register R2 is MASK or a value. Boards are 4x4, 9x9 and 16x16; functions
of tensors see by the number of cells, or of tokens, on which board they are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.state import NOWHERE, State
from apmdm.vocab import MASK, Vocab, joined

REGISTERS = 2
R1, R2 = -2, -1
"""Positions of the registers, behind the cells."""
NUM_LEVELS = 24
LEVELS = [f"L{level}" for level in range(NUM_LEVELS)]
DIGITS = "123456789ABCDEFG"
RUN, FAIL = MASK + 1, MASK + 2


@dataclass(frozen=True)
class Board:
    """One size of Sudoku, with the tables of its symbols; boxes are box x box cells."""

    box: int

    @property
    def side(self) -> int:
        return self.box**2

    @property
    def every(self) -> int:
        """The set of all values, a bit for each."""
        return 2**self.side - 1

    @property
    def cells(self) -> int:
        return self.side**2

    @property
    def length(self) -> int:
        return self.cells + REGISTERS

    @property
    def digits(self) -> str:
        return DIGITS[: self.side]

    @property
    def name(self) -> str:
        return f"{self.side}x{self.side}"

    @cached_property
    def vocab(self) -> Vocab:
        digits = self.digits
        return Vocab.of("RUN", "FAIL", list(digits), joined(digits, LEVELS), joined(digits, LEVELS[1:], ["guess"]))

    @cached_property
    def _atoms(self) -> list[list[str]]:
        return [symbol.split("@") for symbol in self.vocab.symbols]

    @cached_property
    def value(self) -> Int[Tensor, "vocab"]:
        """Value of each token id, 0 where it has none."""
        return torch.tensor([1 + DIGITS.index(atoms[0]) if atoms[0] in DIGITS else 0 for atoms in self._atoms])

    @cached_property
    def level(self) -> Int[Tensor, "vocab"]:
        """Level of each token id, -1 where it has none."""
        return torch.tensor([int(atoms[1][1:]) if len(atoms) > 1 else -1 for atoms in self._atoms])

    @cached_property
    def is_guess(self) -> Bool[Tensor, "vocab"]:
        return torch.tensor([len(atoms) == 3 for atoms in self._atoms])

    @cached_property
    def digit_id(self) -> Int[Tensor, "values"]:
        """Token of a value in R2."""
        return self._ids("{0}")[:, 0]

    @cached_property
    def fill_id(self) -> Int[Tensor, "values levels"]:
        """Token of a value filled at a level."""
        return self._ids("{0}@L{1}")

    @cached_property
    def guess_id(self) -> Int[Tensor, "values levels"]:
        """Token of a guess that opens a level, MASK where there is none."""
        return self._ids("{0}@L{1}@guess")

    def _ids(self, pattern: str) -> Int[Tensor, "values levels"]:
        names = [[pattern.format(digit, level) for level in range(NUM_LEVELS)] for digit in f"0{self.digits}"]
        return torch.tensor([[self.vocab.ids.get(name, MASK) for name in row] for row in names])

    @cached_property
    def units_of(self) -> Int[Tensor, "cells 3"]:
        """For each cell its row, column and box, numbered one after the other, so that two never agree by accident."""
        cell = torch.arange(self.cells)
        row, column = cell // self.side, cell % self.side
        box = row // self.box * self.box + column // self.box
        return torch.stack((row, self.side + column, 2 * self.side + box), 1)

    @cached_property
    def cells_of(self) -> Int[Tensor, "units side"]:
        """For each row, column and box its cells."""
        return self.units_of.flatten().argsort(stable=True).view(3 * self.side, self.side) // 3

    @cached_property
    def coordinates(self) -> Int[Tensor, "length 3"]:
        return torch.cat((self.units_of, torch.full((REGISTERS, 3), NOWHERE)))

    def parse(self, text: str) -> list[int]:
        """The values, 0 for an empty cell; raises ValueError for a wrong length, characters or a value twice."""
        if len(text) != self.cells:
            start = text[: self.cells]
            raise ValueError(f"a {self.name} puzzle has {self.cells} characters, this one has {len(text)}: {start!r}")
        wrong = sorted(set(text) - set(f"{self.digits}.0"))
        if wrong:
            last = f"{self.digits[:9][-1]}" + (f", A to {self.digits[-1]}" if self.side > 9 else "")
            raise ValueError(
                f"a {self.name} puzzle is written with 1 to {last} and . or 0 for an empty cell, not with {wrong[0]!r}"
            )
        values = [f"0{DIGITS}".index(character) for character in text.replace(".", "0")]
        for number, cells in enumerate(self._units):
            given = [values[cell] for cell in cells if values[cell]]
            if len(set(given)) < len(given):
                twice = next(value for place, value in enumerate(given) if value in given[:place])
                unit = f"{('row', 'column', 'box')[number // self.side]} {number % self.side + 1}"
                raise ValueError(f"the givens contradict each other: {DIGITS[twice - 1]} twice in {unit}")
        return values

    @cached_property
    def _units(self) -> list[list[int]]:
        return self.cells_of.tolist()


class Puzzle(list[int]):
    """The values of a puzzle, 0 for an empty cell, and the symbols that it was written with, those of 1, 2, ..."""

    def __init__(self, values: Iterable[int], symbols: str = DIGITS) -> None:
        super().__init__(values)
        self.symbols = symbols

    def write(self, values: list[int]) -> str:
        """Values in the symbols of this puzzle."""
        return "".join(f".{self.symbols}"[value] for value in values)


FOUR, NINE, SIXTEEN = (Board(box) for box in (2, 3, 4))
BOARDS = {board.name: board for board in (FOUR, NINE, SIXTEEN)}
_of_width = {width: board for board in BOARDS.values() for width in (board.cells, board.length)}


def board_of(grids: Tensor) -> Board:
    """That of values (batch, cells) or of states (batch, cells + 2)."""
    return _of_width[grids.shape[1]]


def to_text(values: list[int]) -> str:
    return "".join(f".{DIGITS}"[value] for value in values)


def encode(puzzles: Int[Tensor, "batch cells"]) -> State:
    """Start states: givens at level 0, empty cells masked, R1 RUN, R2 masked."""
    board = board_of(puzzles)
    ids = puzzles.new_full((len(puzzles), board.length), MASK)
    ids[:, :R1] = board.fill_id.to(puzzles.device)[puzzles, 0].masked_fill(puzzles == 0, MASK)
    ids[:, R1] = RUN
    return as_state(ids)


def as_state(ids: Int[Tensor, "batch length"]) -> State:
    """Ids with the lengths and coordinates that all states of a board share."""
    board = board_of(ids)
    lengths = torch.full((len(ids),), board.length, device=ids.device)
    return State(ids, lengths, board.coordinates.to(ids.device).expand(len(ids), -1, -1))


def decode(ids: Int[Tensor, "batch length"]) -> Int[Tensor, "batch cells"]:
    """Values of the cells, 0 where a cell is empty."""
    return board_of(ids).value.to(ids.device)[ids[:, :R1]]
