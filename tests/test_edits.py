"""Inferring edits: the inverse of the transition, at the least cost, or an error that names the row."""

import re
from functools import cache
from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.edits import Edits, edits_between
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import MASK, PAD, Vocab
from reference import slow_edits_between
from support import (
    Edit,
    Places,
    Tokens,
    places_of,
    rows_of_edits,
    sequence,
    stack,
    states_with_edits,
    tokens_of,
)

A, B = 2, 3
ILLEGAL = {
    "a token changes without MASK": ((A,), (B,)),
    "a token disappears": ((A, B), (A,)),
    "a token is inserted": ((A,), (A, B)),
    "a MASK comes before the first": ((A,), (MASK, MASK, A)),
    "two MASKs after one position": ((A,), (A, MASK, MASK)),
    "something from nothing": ((), (MASK,)),
    "too many": ((MASK,), (A, MASK, MASK)),
    "order changes": ((A, B), (B, A)),
}


@cache
def short_sequences() -> list[Tokens]:
    return [tokens for length in range(4) for tokens in product((MASK, A, B), repeat=length)]


@cache
def cheapest() -> dict[tuple, list[list[Edit]]]:
    """Every pair of sequences of at most three positions, with the cheapest ways from one to the other."""
    pairs = product(short_sequences(), repeat=2)
    return {(before, after): slow_edits_between(before, after) for before, after in pairs}


def test_every_short_legal_pair_costs_least() -> None:
    pairs = {pair: ways for pair, ways in cheapest().items() if ways}
    befores, afters = (stack(*side) for side in zip(*pairs, strict=True))
    found = rows_of_edits(befores, edits_between(befores, afters))
    for (pair, ways), edits in zip(pairs.items(), found, strict=True):
        assert edits in ways, f"{pair}: {edits}, but {ways} are cheapest"


def test_every_short_illegal_pair_is_refused() -> None:
    pairs = [pair for pair, ways in cheapest().items() if not ways]
    assert len(pairs) > 100
    for before, after in pairs[::4]:
        with pytest.raises(ValueError, match="row 1"):
            edits_between(stack((A,), before), stack((A,), after))


@given(states_with_edits())
def test_inverse_of_the_transition(case: tuple[State, Edits]) -> None:
    state, edits = case
    after = transition(state, edits)
    inferred = edits_between(state, after)
    again = transition(state, inferred)
    for row, decisions in enumerate(rows_of_edits(state, inferred)):
        target = tokens_of(after, row), places_of(after, row)
        assert (tokens_of(again, row), places_of(again, row)) == target
        assert decisions in slow_edits_between(tokens_of(state, row), target[0], places_of(state, row), target[1])


@given(st.lists(st.sampled_from(list(product(short_sequences()[:13], repeat=2))), min_size=1, max_size=4))
def test_a_row_does_not_depend_on_the_others(pairs: list[tuple]) -> None:
    pairs = [pair for pair in pairs if cheapest()[pair]] or [((A,), (A,))]
    befores, afters = (stack(*side) for side in zip(*pairs, strict=True))
    together = rows_of_edits(befores, edits_between(befores, afters))
    alone = [rows_of_edits(stack(x), edits_between(stack(x), stack(y)))[0] for x, y in pairs]
    assert together == alone


@pytest.mark.parametrize("pair", ILLEGAL.values(), ids=ILLEGAL)
@pytest.mark.parametrize("row", [0, 2])
def test_illegal_row_is_named(pair: tuple[Tokens, Tokens], row: int) -> None:
    befores: list[Tokens] = [(A, MASK)] * 3
    afters: list[Tokens] = [(MASK, B)] * 3
    befores[row], afters[row] = pair
    message = f"row {row}: no edits lead from {list(pair[0])} to {list(pair[1])}"
    with pytest.raises(ValueError, match=re.escape(message)):
        edits_between(stack(*befores), stack(*afters))


@pytest.mark.parametrize(
    ("tokens", "places", "new_tokens", "new_places"),
    [
        ((A, B), ((0,), (1,)), (A, B), ((1,), (0,))),
        ((A,), ((0,),), (A, MASK), ((0,), (1,))),
        ((A, MASK), ((0,), (1,)), (A, B), ((0,), (2,))),
        ((MASK, MASK), ((0,), (1,)), (MASK,), ((2,),)),
    ],
)
def test_a_place_never_changes(tokens: Tokens, places: Places, new_tokens: Tokens, new_places: Places) -> None:
    edits_between(stack(tokens), stack(new_tokens))
    with pytest.raises(ValueError, match="row 0"):
        edits_between(State.stack([sequence(tokens, places)]), State.stack([sequence(new_tokens, new_places)]))


def test_places_decide_which_mask_disappears() -> None:
    before = State.stack([sequence((MASK, MASK, MASK), ((0,), (1,), (2,)))])
    after = State.stack([sequence((MASK, MASK), ((0,), (2,)))])
    assert edits_between(before, after).delete.tolist() == [[False, True, False]]


def test_states_of_different_kinds_are_refused() -> None:
    with pytest.raises(ValueError, match="rows"):
        edits_between(stack((A,)), stack((A,), (A,)))
    with pytest.raises(ValueError, match="coordinates"):
        edits_between(stack((A,)), State.stack([sequence((A,), ((0,),))]))


@pytest.mark.parametrize("rows", [[], [()], [(), (A,)]])
def test_staying_is_no_edit(rows: list[Tokens]) -> None:
    edits = edits_between(stack(*rows), stack(*rows))
    assert edits.content.shape == stack(*rows).ids.shape
    assert not (edits.remask | edits.insert | edits.delete).any()


def test_waiting_masks_are_told_to_wait() -> None:
    edits = edits_between(stack((A, MASK)), stack((A, MASK)))
    assert rows_of_edits(stack((A, MASK)), edits) == [[Edit(), Edit(remask=True)]]


@given(states_with_edits())
def test_unmasked_is_where_content_is_written(case: tuple[State, Edits]) -> None:
    state, edits = case
    for row, decisions in enumerate(rows_of_edits(state, edits)):
        for i, (token, edit) in enumerate(zip(tokens_of(state, row), decisions, strict=True)):
            assert bool(edits.unmasked(state)[row, i]) == (token == MASK and not edit.remask and not edit.delete)


def test_nothing_fires_on_padding() -> None:
    before, after = stack((A, MASK), (MASK,), ()), stack((A, MASK, B, MASK), (), ())
    edits = edits_between(before, after)
    fields = torch.stack((edits.content, edits.remask.long(), edits.insert.long(), edits.delete.long()))
    assert fields[:, ~before.valid].eq(PAD).all()


def test_with_a_vocabulary_an_illegal_row_is_shown_in_symbols() -> None:
    with pytest.raises(ValueError, match="row 0: no edits lead from a <mask> to b; a token may"):
        edits_between(stack((A, MASK)), stack((B,)), Vocab.of("a", "b"))
    with pytest.raises(ValueError, match="from nothing to <mask>;"):
        edits_between(stack(()), stack((MASK,)), Vocab.of("a", "b"))


def test_bits_that_are_left_out_never_fire() -> None:
    content, fires = torch.tensor([[A, B]]), torch.tensor([[True, False]])
    edits = Edits.of(content, insert=fires)
    assert (edits.content is content, edits.insert.tolist()) == (True, [[True, False]])
    assert not (edits.remask | edits.delete).any()
    doubled = edits.map(lambda field: torch.cat((field, field)))
    assert [field.shape for field in doubled.tensors] == [(2, 2)] * 4
