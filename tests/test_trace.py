"""Traces: JSON out and in again; nothing that did not happen is believed."""

import json
from typing import Any

import pytest
import torch
from hypothesis import given

from apmdm.edits import Edits
from apmdm.state import State
from apmdm.step import transition
from apmdm.trace import Step, Trace
from apmdm.vocab import MASK, Vocab
from support import (
    Edit,
    edits_of_rows,
    places_of,
    rows_of_edits,
    sequence,
    stack,
    states_with_edits,
    tokens_of,
    unchecked,
)

VOCAB = Vocab.of("a", "b", "c")
A, B = VOCAB.encode("ab")
PLACES = ((0, 5), (1, 6))


def example(places: tuple[tuple[int, ...], ...] | None = PLACES) -> Trace:
    """a MASK -> MASK MASK b -> b MASK: unmask, remask, insert, wait and delete all happen."""
    first = [Edit(remask=True, insert=True), Edit(B)]
    second = [Edit(delete=True), Edit(B), Edit(remask=True)]
    steps = []
    for tokens, edits in (((A, MASK), first), ((MASK, MASK, B), second)):
        state = stack(tokens)
        steps.append(Step.of(state, edits_of_rows(state, [edits]), 0))
    return Trace(VOCAB, tuple(steps), (B, MASK), places, {"task": "none", "seed": 3})


def test_states_are_replayed() -> None:
    states = State.stack(example().states())
    assert [tokens_of(states, row) for row in range(3)] == [(A, MASK), (MASK, MASK, B), (B, MASK)]
    assert [places_of(states, row) for row in range(3)] == [PLACES, (PLACES[0], *PLACES), PLACES]


@pytest.mark.parametrize("places", [PLACES, ((0,), (1,)), None])
def test_json_and_back(places: tuple[tuple[int, ...], ...] | None) -> None:
    trace = example(places)
    again = Trace.from_json(trace.to_json())
    assert again == trace
    assert again.to_json() == trace.to_json()


@pytest.mark.parametrize("final", [(), (A, MASK)])
def test_a_trace_without_info_or_steps_survives(final: tuple[int, ...]) -> None:
    again = Trace.from_json(Trace(VOCAB, (), final).to_json())
    assert again == Trace(VOCAB, (), final)
    assert [tokens_of(State.stack([state]), 0) for state in again.states()] == [final]


@given(states_with_edits())
def test_a_step_does_what_its_edits_did(case: tuple[State, Edits]) -> None:
    state, edits = case
    after = transition(state, edits)
    for row in range(len(state)):
        step = Step.of(state, edits, row)
        assert step.tokens == tokens_of(state, row)
        alone = transition(stack(step.tokens), step.edits())
        assert tokens_of(alone, 0) == tokens_of(after, row)
        assert Step.of(stack(step.tokens), step.edits(), 0) == step


def test_a_step_lists_what_fires() -> None:
    step = example().steps[0]
    assert step == Step((A, MASK), {1: B}, (0,), (0,), ())
    assert rows_of_edits(stack(step.tokens), step.edits()) == [[Edit(0, True, True), Edit(B)]]


def with_change(*path: Any) -> str:
    """The example's JSON with the value at a path replaced by the last argument."""
    whole = json.loads(example().to_json())
    *parents, key, value = path
    place = whole
    for parent in parents:
        place = place[parent]
    place[key] = value
    return json.dumps(whole)


def without(*path: Any) -> str:
    whole = json.loads(example().to_json())
    place = whole
    for parent in path[:-1]:
        place = place[parent]
    del place[path[-1]]
    return json.dumps(whole)


TAMPERED = {
    "another state": with_change("steps", 1, "tokens", [MASK, MASK, A]),
    "a longer state": with_change("steps", 1, "tokens", [MASK, MASK, B, B]),
    "another first state": with_change("steps", 0, "tokens", [B, B]),
    "other content": with_change("steps", 0, "unmask", {"1": A}),
    "an operation less": with_change("steps", 0, "insert", []),
    "an operation more": with_change("steps", 0, "insert", [0, 1]),
    "a step less": without("steps", 0),
    "an unmask of a token": with_change("steps", 0, "unmask", {"0": B, "1": B}),
    "a position beyond the end": with_change("steps", 0, "remask", [0, 9]),
    "content beyond the end": with_change("steps", 0, "unmask", {"1": B, "9": B}),
    "a negative position": with_change("steps", 0, "remask", [-2]),
    "a position that is no number": with_change("steps", 0, "remask", ["0"]),
    "a nested position": with_change("steps", 0, "remask", [[0]]),
    "a content that is no number": with_change("steps", 0, "unmask", {"1": None}),
    "MASK as content of the last step": with_change("steps", 1, "unmask", {"1": MASK}),
    "content outside of the vocabulary": with_change("steps", 1, "unmask", {"1": 99}),
    "too big a number": with_change("steps", 1, "unmask", {"1": 10**30}),
    "nested tokens": with_change("steps", 0, "tokens", [[A], [MASK]]),
    "tokens outside of the vocabulary": with_change("steps", 0, "tokens", [99, MASK]),
    "tokens as text": with_change("steps", 0, "tokens", "ab"),
    "padding as a token": with_change("steps", 0, "tokens", [0, MASK]),
    "too few coordinates": with_change("coordinates", [[0, 5]]),
    "ragged coordinates": with_change("coordinates", [[0, 5], [1]]),
    "nested coordinates": with_change("coordinates", [[[0]], [[1]]]),
    "fractional coordinates": with_change("coordinates", [[0.5], [1.5]]),
    "coordinates as text": with_change("coordinates", [["0"], ["1"]]),
    "another format": with_change("format", "other"),
    "another version": with_change("version", 2),
    "no version": without("version"),
    "no tokens": without("steps", 0, "tokens"),
    "another final state": with_change("final", [A, MASK]),
    "a final state with another last step": with_change("steps", 1, "unmask", {"1": A}),
    "no final state": without("final"),
    "no vocabulary": without("vocab"),
    "a vocabulary of numbers": with_change("vocab", [0, 1, 2, 3, 4]),
    "too small a vocabulary": with_change("vocab", ["<pad>", "<mask>"]),
    "steps that are none": with_change("steps", [1]),
    "no list of steps": with_change("steps", None),
}


@pytest.mark.parametrize("text", TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_trace_is_refused(text: str) -> None:
    with unchecked(), pytest.raises(ValueError, match=r"."):
        Trace.from_json(text)


NOT_JSON = ["", "{", "\x00", "nan?", "[]", "7", "null", '"trace"', "{}", "[" * 100_000]


@pytest.mark.parametrize("text", NOT_JSON, ids=lambda text: repr(text[:8]))
def test_what_is_no_trace_is_refused(text: str) -> None:
    with unchecked(), pytest.raises(ValueError, match=r"."):
        Trace.from_json(text)


def test_the_message_says_which_step_is_wrong() -> None:
    with pytest.raises(ValueError, match="step 1"):
        Trace.from_json(TAMPERED["another state"])


def test_tampering_is_noticed_without_json_too() -> None:
    first, second = example().steps
    with pytest.raises(ValueError, match="step 1"):
        Trace(VOCAB, (first, Step((A,), {}, (), (), ())), (A,)).states()
    with pytest.raises(ValueError, match="final"):
        Trace(VOCAB, (first, second), (A, MASK)).states()
    assert len(Trace(VOCAB, (first, second), (B, MASK)).states()) == 3


def test_coordinates_survive_an_emptied_state() -> None:
    state = State.stack([sequence((MASK,), ((4,),))])
    step = Step.of(state, edits_of_rows(state, [[Edit(delete=True)]]), 0)
    last = Trace.from_json(Trace(VOCAB, (step,), (), ((4,),)).to_json()).states()[-1]
    assert last.coordinates is not None
    assert last.coordinates.shape == torch.Size((0, 1))
