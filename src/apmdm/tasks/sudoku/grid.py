"""Sudoku as a sequence: 81 cells in reading order, each with (row, column, box) as coordinates, and two registers.

A cell is MASK (empty), `5@L2` (value 5 filled at level 2; givens have level 0) or `5@L2@guess` (the guess that opened
level 2). Register R1 is RUN, MASK or FAIL; register R2 is MASK or a value.
"""

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.state import NOWHERE, State
from apmdm.vocab import MASK, Vocab, joined

SIDE, BOX, CELLS = 9, 3, 81
LENGTH = CELLS + 2
R1, R2 = CELLS, CELLS + 1
NUM_LEVELS = 24

DIGITS = "123456789"
_levels = [f"L{level}" for level in range(NUM_LEVELS)]
VOCAB = Vocab.of("RUN", "FAIL", list(DIGITS), joined(DIGITS, _levels), joined(DIGITS, _levels[1:], ["guess"]))
RUN, FAIL = VOCAB.encode(["RUN", "FAIL"])

_atoms = [symbol.split("@") for symbol in VOCAB.symbols]
VALUE = torch.tensor([int(atoms[0]) if atoms[0] in DIGITS else 0 for atoms in _atoms])
"""Value of each token id, 0 where it has none."""
LEVEL = torch.tensor([int(atoms[1][1:]) if len(atoms) > 1 else -1 for atoms in _atoms])
"""Level of each token id, -1 where it has none."""
IS_GUESS = torch.tensor([len(atoms) == 3 for atoms in _atoms])


def _ids(pattern: str) -> Int[Tensor, "10 levels"]:
    names = [[pattern.format(value, level) for level in range(NUM_LEVELS)] for value in range(SIDE + 1)]
    return torch.tensor([[VOCAB.ids.get(name, MASK) for name in row] for row in names])


DIGIT_ID = _ids("{0}")[:, 0]
"""Token of a value in R2."""
FILL_ID = _ids("{0}@L{1}")
"""Token of a value filled at a level."""
GUESS_ID = _ids("{0}@L{1}@guess")
"""Token of a guess that opens a level, MASK where there is none."""

_cell = torch.arange(CELLS)
ROW, COLUMN = _cell // SIDE, _cell % SIDE
BOX_OF = ROW // BOX * BOX + COLUMN // BOX
# Rows, columns and boxes have numbers of their own, so that two axes never agree by accident.
COORDINATES = torch.cat(
    (torch.stack((ROW, COLUMN + SIDE, BOX_OF + 2 * SIDE), 1), torch.full((LENGTH - CELLS, 3), NOWHERE))
)


def parse(text: str) -> list[int]:
    """81 values, 0 for an empty cell; raises ValueError for a wrong length, wrong characters or a value twice."""
    if len(text) != CELLS:
        raise ValueError(f"a puzzle has {CELLS} characters, this one has {len(text)}: {text[:CELLS]!r}")
    wrong = sorted(set(text) - set(DIGITS + ".0"))
    if wrong:
        raise ValueError(f"a puzzle is written with 1 to 9 and . or 0 for an empty cell, not with {wrong[0]!r}")
    values = [int(character) for character in text.replace(".", "0")]
    for name, unit_of in (("row", ROW), ("column", COLUMN), ("box", BOX_OF)):
        seen = set()
        for value, unit in zip(values, unit_of.tolist(), strict=True):
            if value and (value, unit) in seen:
                raise ValueError(f"the givens contradict each other: {value} twice in {name} {unit + 1}")
            seen.add((value, unit))
    return values


def to_text(values: list[int]) -> str:
    return "".join(str(value) if value else "." for value in values)


def encode(puzzles: Int[Tensor, "batch 81"]) -> State:
    """Start states: givens at level 0, empty cells masked, R1 RUN, R2 masked."""
    ids = puzzles.new_full((len(puzzles), LENGTH), MASK)
    ids[:, :CELLS] = FILL_ID.to(puzzles.device)[puzzles, 0].masked_fill(puzzles == 0, MASK)
    ids[:, R1] = RUN
    return as_state(ids)


def as_state(ids: Int[Tensor, "batch 83"]) -> State:
    """Ids with the lengths and coordinates that all Sudoku states share."""
    lengths = torch.full((len(ids),), LENGTH, device=ids.device)
    return State(ids, lengths, COORDINATES.to(ids.device).expand(len(ids), -1, -1))


def decode(ids: Int[Tensor, "batch 83"]) -> Int[Tensor, "batch 81"]:
    """Values of the cells, 0 where a cell is empty."""
    return VALUE.to(ids.device)[ids[:, :CELLS]]
