"""g against its slow oracle, on tabled and on random cases."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.edits import Edits
from apmdm.state import NOWHERE, State
from apmdm.step import transition
from apmdm.vocab import MASK, PAD
from reference import slow_transition
from support import (
    Edit,
    edits_of,
    edits_of_rows,
    padded_more,
    places_of,
    rows_of_edits,
    sequence,
    stack,
    states_with_edits,
    tokens_of,
)

A, B = 2, 3


@given(states_with_edits())
def test_fast_is_slow(case: tuple[State, Edits]) -> None:
    state, edits = case
    after = transition(state, edits)
    for row, decisions in enumerate(rows_of_edits(state, edits)):
        expected = slow_transition(tokens_of(state, row), places_of(state, row), decisions)
        assert (tokens_of(after, row), places_of(after, row)) == expected
    assert after.ids.shape == (len(state), max(after.lengths.tolist()))
    assert after.ids[~after.valid].eq(PAD).all()
    assert after.coordinates is None or after.coordinates[~after.valid].eq(NOWHERE).all()


# One position: token, edit, what becomes of it.
RULES = [
    (MASK, Edit(B), (B,)),
    (MASK, Edit(B, remask=True), (MASK,)),
    (MASK, Edit(B, insert=True), (B, MASK)),
    (MASK, Edit(B, remask=True, insert=True), (MASK, MASK)),
    (MASK, Edit(B, delete=True), ()),
    (MASK, Edit(B, delete=True, insert=True), ()),
    (MASK, Edit(B, delete=True, remask=True), ()),
    (MASK, Edit(B, True, True, True), ()),
    (A, Edit(B), (A,)),
    (A, Edit(B, remask=True), (MASK,)),
    (A, Edit(B, insert=True), (A, MASK)),
    (A, Edit(B, remask=True, insert=True), (MASK, MASK)),
    (A, Edit(B, delete=True), (A,)),
    (A, Edit(B, delete=True, insert=True), (A, MASK)),
    (A, Edit(B, delete=True, remask=True), (MASK,)),
    (A, Edit(B, True, True, True), (MASK, MASK)),
]


@pytest.mark.parametrize(("token", "edit", "expected"), RULES)
def test_rules(token: int, edit: Edit, expected: tuple[int, ...]) -> None:
    state = stack((token,))
    assert tokens_of(transition(state, edits_of_rows(state, [[edit]])), 0) == expected
    assert slow_transition((token,), None, [edit]) == (expected, None)


def test_an_inserted_mask_takes_the_place_of_the_token_it_follows() -> None:
    state = State.stack([sequence((A, MASK, B), ((1, 10), (2, 20), (3, 30)))])
    edits = edits_of_rows(state, [[Edit(insert=True), Edit(delete=True, insert=True), Edit(remask=True, insert=True)]])
    after = transition(state, edits)
    assert tokens_of(after, 0) == (A, MASK, MASK, MASK)
    assert places_of(after, 0) == ((1, 10), (1, 10), (3, 30), (3, 30))


@given(states_with_edits(), st.data())
def test_edits_on_padding_are_ignored(case: tuple[State, Edits], data: st.DataObject) -> None:
    state, edits = case
    others = data.draw(edits_of(state))
    fields = [(edits.content, others.content), (edits.remask, others.remask)]
    fields += [(edits.insert, others.insert), (edits.delete, others.delete)]
    changed = Edits(*(torch.where(state.valid, first, second) for first, second in fields))
    assert same(transition(state, edits), transition(state, changed))


@given(states_with_edits())
def test_rows_do_not_know_each_other(case: tuple[State, Edits]) -> None:
    state, edits = case
    after = transition(state, edits)
    for row in range(len(state)):
        alone = transition(state[row : row + 1], edits[row : row + 1])
        assert (tokens_of(alone, 0), places_of(alone, 0)) == (tokens_of(after, row), places_of(after, row))


@given(states_with_edits())
def test_arguments_stay_as_they_were(case: tuple[State, Edits]) -> None:
    state, edits = case
    tensors = [state.ids, state.lengths, edits.content, edits.remask, edits.insert, edits.delete]
    tensors += [] if state.coordinates is None else [state.coordinates]
    copies = [tensor.clone() for tensor in tensors]
    transition(state, edits)
    assert all(map(torch.equal, tensors, copies))


@pytest.mark.parametrize(
    "state", [stack(), stack((), ()), padded_more(stack((), ()), 3)], ids=["no rows", "empty", "padded"]
)
def test_nothing_becomes_nothing(state: State) -> None:
    every = torch.ones_like(state.ids).bool()
    after = transition(state, Edits(torch.full_like(state.ids, A), every, every, every))
    assert after.ids.shape == (len(state), 0)
    assert after.lengths.tolist() == [0] * len(state)


def same(first: State, second: State) -> bool:
    grids = [state.coordinates for state in (first, second) if state.coordinates is not None]
    if len(grids) == 1 or (grids and not torch.equal(*grids)):
        return False
    return torch.equal(first.ids, second.ids) and torch.equal(first.lengths, second.lengths)
