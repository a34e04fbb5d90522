"""Padded batches: in and out, rows chosen, joined and compared."""

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.state import NOWHERE, Sequence, State, choose_rows, concatenate, same_rows
from apmdm.vocab import MASK, PAD
from support import padded_more, places_of, sequence, stack, states, tokens_of, unchecked

A, B = 2, 3
HERE, THERE = sequence((A, MASK), ((0,), (1,))), sequence((A, MASK), ((0,), (0,)))


def rows_of(state: State) -> list[tuple]:
    return [(tokens_of(state, row), places_of(state, row)) for row in range(len(state))]


def assert_well_padded(state: State) -> None:
    assert state.ids[~state.valid].eq(PAD).all()
    assert state.coordinates is None or state.coordinates[~state.valid].eq(NOWHERE).all()


def test_stack_pads_on_the_right() -> None:
    state = State.stack([sequence((A, B, MASK), ((1,), (2,), (3,))), sequence((), ()), sequence((B,), ((4,),))])
    assert state.ids.tolist() == [[A, B, MASK], [PAD] * 3, [B, PAD, PAD]]
    assert state.lengths.tolist() == [3, 0, 1]
    assert state.coordinates is not None
    assert state.coordinates[..., 0].tolist() == [[1, 2, 3], [NOWHERE] * 3, [4, NOWHERE, NOWHERE]]
    assert state.valid.tolist() == [[True] * 3, [False] * 3, [True, False, False]]
    assert state.masked.tolist() == [[False, False, True], [False] * 3, [False] * 3]


@given(states())
def test_stack_and_sequence_are_inverse(state: State) -> None:
    again = State.stack([state.sequence(row) for row in range(len(state))])
    assert rows_of(again) == rows_of(state)
    assert_well_padded(again)
    assert again.ids.shape[1] == max(state.lengths.tolist())


@pytest.mark.parametrize("rows", [[], [()], [(), ()]])
def test_nothing_is_a_state(rows: list[tuple[int, ...]]) -> None:
    state = stack(*rows)
    assert state.ids.shape == (len(rows), 0)
    assert len(state) == len(rows)
    assert state.valid.shape == state.masked.shape == state.ids.shape


def test_coordinates_fit_their_tokens() -> None:
    with unchecked(), pytest.raises(ValueError, match=r"2 tokens .* got 1"):
        Sequence(torch.tensor([A, B]), torch.tensor([[0]]))


@pytest.mark.parametrize(
    "other", [sequence((A,)), sequence((A,), ((0, 0),))], ids=["without coordinates", "with more coordinates"]
)
def test_sequences_of_different_kinds_do_not_stack(other: Sequence) -> None:
    with pytest.raises(ValueError, match="coordinates"):
        State.stack([sequence((A,), ((0,),)), other])
    with pytest.raises(ValueError, match="coordinates"):
        concatenate(State.stack([HERE]), State.stack([other]))


@given(states(), st.data())
def test_rows_are_chosen_in_order(state: State, data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(state) - 1)))
    assert rows_of(state[torch.tensor(chosen, dtype=torch.long)]) == [rows_of(state)[row] for row in chosen]
    flags = torch.tensor([row in chosen for row in range(len(state))])
    assert rows_of(state[flags]) == [row for index, row in enumerate(rows_of(state)) if index in chosen]
    assert rows_of(state[1:]) == rows_of(state)[1:]


@given(st.lists(st.lists(st.sampled_from([MASK, A, B]), max_size=5).map(tuple), max_size=6), st.integers(0, 6))
def test_concatenation_is_that_of_the_rows(rows: list[tuple[int, ...]], cut: int) -> None:
    joined = concatenate(stack(*rows[:cut]), stack(*rows[cut:]))
    assert [tokens for tokens, _ in rows_of(joined)] == rows
    assert_well_padded(joined)


def test_concatenation_keeps_coordinates() -> None:
    first, second = State.stack([HERE, HERE]), State.stack([sequence((A, B, B), ((4,), (5,), (6,)))])
    joined = concatenate(first, second)
    assert rows_of(joined) == rows_of(first) + rows_of(second)
    assert_well_padded(joined)


@given(states(), st.integers(0, 2))
def test_a_row_is_the_same_whatever_its_padding(state: State, columns: int) -> None:
    assert same_rows(state, padded_more(state, columns)).all()
    assert same_rows(padded_more(state, columns), state).all()


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (sequence((A, B)), sequence((A, A))),
        (sequence((A,)), sequence((A, A))),
        (sequence(()), sequence((MASK,))),
        (HERE, THERE),
    ],
    ids=["tokens", "lengths", "empty", "coordinates"],
)
def test_rows_differ_in(first: Sequence, second: Sequence) -> None:
    batch = State.stack([first, first])
    assert same_rows(batch, State.stack([first, second])).tolist() == [True, False]
    assert same_rows(State.stack([first, second]), batch).tolist() == [True, False]


def test_chosen_rows_come_from_first_others_from_second() -> None:
    first, second = State.stack([HERE, HERE]), State.stack([THERE, sequence((B, B, B), ((7,), (8,), (9,)))])
    mixed = choose_rows(torch.tensor([True, False]), first, second)
    assert rows_of(mixed) == [rows_of(first)[0], rows_of(second)[1]]
    assert_well_padded(mixed)


def test_moving_keeps_everything() -> None:
    state = State.stack([HERE, THERE])
    assert rows_of(state.to("cpu")) == rows_of(state)
    moved = state.to("meta")
    assert moved.coordinates is not None
    assert {moved.ids.device.type, moved.lengths.device.type, moved.coordinates.device.type} == {"meta"}
    assert HERE.to("meta").ids.device.type == "meta"


@pytest.mark.parametrize("ids", [[], [2, 3], torch.empty(0), torch.tensor([2, 3], dtype=torch.int32)], ids=str)
def test_whatever_holds_integers_becomes_ids(ids: Any) -> None:
    with unchecked():
        made = Sequence(ids)
        assert State.stack([made, [2]]).lengths.tolist() == [len(ids), 1]
    assert made.ids.dtype == torch.long


@pytest.mark.parametrize("ids", [[0.5], [[2]], torch.tensor([True]), torch.tensor(2), "01", None, [2, None]], ids=str)
def test_ids_that_are_no_row_of_integers_are_refused(ids: Any) -> None:
    with unchecked(), pytest.raises(ValueError, match="integers"):
        Sequence(ids)
