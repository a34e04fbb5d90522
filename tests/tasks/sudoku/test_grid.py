"""Text and tokens of a grid: what is accepted, what a complaint names, and the tables of symbols."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.state import NOWHERE
from apmdm.tasks.sudoku.grid import (
    CELLS,
    COORDINATES,
    DIGIT_ID,
    FILL_ID,
    GUESS_ID,
    IS_GUESS,
    LENGTH,
    LEVEL,
    NUM_LEVELS,
    R1,
    R2,
    VALUE,
    VOCAB,
    decode,
    encode,
    parse,
    to_text,
)
from apmdm.vocab import MASK

EMPTY = "." * CELLS


def with_givens(**givens: str) -> str:
    """c10="5" puts 5 into cell 10."""
    return "".join(givens.get(f"c{cell}", ".") for cell in range(CELLS))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "81 characters, this one has 0"),
        (EMPTY[1:], "81 characters, this one has 80"),
        (EMPTY + ".", "81 characters, this one has 82"),
        ("x" + EMPTY[1:], "not with 'x'"),
        ("²" + EMPTY[1:], "not with '²'"),
        ("٣" + EMPTY[1:], "not with '٣'"),
        (with_givens(c18="5", c26="5"), "5 twice in row 3"),
        (with_givens(c1="7", c73="7"), "7 twice in column 2"),
        (with_givens(c60="1", c70="1"), "1 twice in box 9"),
    ],
)
def test_bad_puzzles_are_named_in_one_line(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint) as raised:
        parse(text)
    assert "\n" not in str(raised.value)


def test_dots_and_zeros_are_empty() -> None:
    assert parse(EMPTY) == parse("0" * CELLS) == [0] * CELLS
    assert to_text(parse("1" + "0" * (CELLS - 1))) == "1" + EMPTY[1:]


@given(st.lists(st.integers(0, 9), min_size=CELLS, max_size=CELLS))
def test_encoding_keeps_the_values(values: list[int]) -> None:
    state = encode(torch.tensor([values]))
    assert decode(state.ids)[0].tolist() == values
    cells = [f"{value}@L0" if value else "<mask>" for value in values]
    assert VOCAB.decode(state.ids[0].tolist()) == [*cells, "RUN", "<mask>"]
    assert state.lengths.tolist() == [LENGTH]


def test_coordinates_agree_exactly_where_cells_share_a_unit() -> None:
    state = encode(torch.zeros(3, CELLS, dtype=torch.long))
    assert state.coordinates is not None
    assert state.coordinates.shape == (3, LENGTH, 3)
    assert state.coordinates.untyped_storage().nbytes() == COORDINATES.untyped_storage().nbytes(), "copied"
    assert (COORDINATES[[R1, R2]] == NOWHERE).all()
    places = COORDINATES[:CELLS].tolist()
    for first, second in [(0, 8), (0, 72), (0, 20), (40, 41), (30, 50), (80, 60)]:
        (r, c), (s, d) = divmod(first, 9), divmod(second, 9)
        together = [r == s, c == d, (r // 3, c // 3) == (s // 3, d // 3)]
        assert [a == b for a, b in zip(places[first], places[second], strict=True)] == together
    assert [len(set(column)) for column in zip(*places, strict=True)] == [9, 9, 9]


def test_tables_say_what_the_symbols_say() -> None:
    for index, symbol in enumerate(VOCAB.symbols):
        value, *rest = symbol.split("@")
        assert int(VALUE[index]) == (int(value) if value.isdigit() else 0)
        assert int(LEVEL[index]) == (int(rest[0][1:]) if rest else -1)
        assert bool(IS_GUESS[index]) == (len(rest) == 2)
    for value in range(1, 10):
        assert VOCAB.symbols[int(DIGIT_ID[value])] == f"{value}"
        for level in range(NUM_LEVELS):
            assert VOCAB.symbols[int(FILL_ID[value, level])] == f"{value}@L{level}"
            assert VOCAB.symbols[int(GUESS_ID[value, level])] == (f"{value}@L{level}@guess" if level else "<mask>")
    assert (DIGIT_ID[0], FILL_ID[0, 0], GUESS_ID[0, 1]) == (MASK, MASK, MASK)
