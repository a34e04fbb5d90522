"""Text and tokens of a grid: what is accepted, what a complaint names, and the tables of symbols."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.state import NOWHERE
from apmdm.tasks.sudoku.grid import NINE, NUM_LEVELS, R1, R2, decode, encode, to_text
from apmdm.vocab import MASK

EMPTY = "." * NINE.cells


def with_givens(**givens: str) -> str:
    """c10="5" puts 5 into cell 10."""
    return "".join(givens.get(f"c{cell}", ".") for cell in range(NINE.cells))


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
        NINE.parse(text)
    assert "\n" not in str(raised.value)


def test_dots_and_zeros_are_empty() -> None:
    assert NINE.parse(EMPTY) == NINE.parse("0" * NINE.cells) == [0] * NINE.cells
    assert to_text(NINE.parse("1" + "0" * (NINE.cells - 1))) == "1" + EMPTY[1:]


@given(st.lists(st.integers(0, 9), min_size=NINE.cells, max_size=NINE.cells))
def test_encoding_keeps_the_values(values: list[int]) -> None:
    state = encode(torch.tensor([values]))
    assert decode(state.ids)[0].tolist() == values
    cells = [f"{value}@L0" if value else "<mask>" for value in values]
    assert NINE.vocab.decode(state.ids[0].tolist()) == [*cells, "RUN", "<mask>"]
    assert state.lengths.tolist() == [NINE.length]


def test_coordinates_agree_exactly_where_cells_share_a_unit() -> None:
    state = encode(torch.zeros(3, NINE.cells, dtype=torch.long))
    assert state.coordinates is not None
    assert state.coordinates.shape == (3, NINE.length, 3)
    assert state.coordinates.untyped_storage().nbytes() == NINE.coordinates.untyped_storage().nbytes(), "copied"
    assert (NINE.coordinates[[R1, R2]] == NOWHERE).all()
    places = NINE.coordinates[: NINE.cells].tolist()
    for first, second in [(0, 8), (0, 72), (0, 20), (40, 41), (30, 50), (80, 60)]:
        (r, c), (s, d) = divmod(first, 9), divmod(second, 9)
        together = [r == s, c == d, (r // 3, c // 3) == (s // 3, d // 3)]
        assert [a == b for a, b in zip(places[first], places[second], strict=True)] == together
    assert [len(set(column)) for column in zip(*places, strict=True)] == [9, 9, 9]


def test_tables_say_what_the_symbols_say() -> None:
    for index, symbol in enumerate(NINE.vocab.symbols):
        value, *rest = symbol.split("@")
        assert int(NINE.value[index]) == (int(value) if value.isdigit() else 0)
        assert int(NINE.level[index]) == (int(rest[0][1:]) if rest else -1)
        assert bool(NINE.is_guess[index]) == (len(rest) == 2)
    for value in range(1, 10):
        assert NINE.vocab.symbols[int(NINE.digit_id[value])] == f"{value}"
        for level in range(NUM_LEVELS):
            assert NINE.vocab.symbols[int(NINE.fill_id[value, level])] == f"{value}@L{level}"
            assert NINE.vocab.symbols[int(NINE.guess_id[value, level])] == (
                f"{value}@L{level}@guess" if level else "<mask>"
            )
    assert (NINE.digit_id[0], NINE.fill_id[0, 0], NINE.guess_id[0, 1]) == (MASK, MASK, MASK)
