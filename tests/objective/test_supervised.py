"""The supervised loss and the accuracies against loops over positions."""

import math
from dataclasses import replace

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.edits import Edits, edits_between
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import DEFAULT_WEIGHTS, accuracy, same_step, supervised_loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.tasks.parity.process import encode, teacher
from apmdm.vocab import MASK
from reference import slow_transition
from support import Edit, edits_of, edits_of_rows, rows_of_edits, stack, states, states_with_edits, tokens_of

A, B, VOCABULARY = 2, 3, 5
BITS = ("remask", "insert", "delete")
HALF = math.log(2)


def random_prediction(state: State, seed: int = 0) -> Prediction:
    """Random logits; what is said about padding is not even a number."""
    draw = torch.Generator().manual_seed(seed)
    content = torch.randn(*state.ids.shape, VOCABULARY, generator=draw)
    content[..., :2] = -torch.inf
    bits = [torch.randn(state.ids.shape, generator=draw) for _ in BITS]
    padding = ~state.valid
    fields = (
        content.masked_fill(padding[..., None], torch.nan),
        *(bit.masked_fill(padding, torch.nan) for bit in bits),
    )
    return Prediction(*(field.requires_grad_() for field in fields))


def slow_loss(prediction: Prediction, state: State, edits: Edits) -> dict[str, float]:
    """Mean surprise of each head. What has no effect, since the MASK is deleted, surprises nobody."""
    surprises: dict[str, list[float]] = {"content": [], "remask": [], "insert": [], "delete": []}
    logits = {name: getattr(prediction, name).tolist() for name in surprises}
    for row, decisions in enumerate(rows_of_edits(state, edits)):
        for i, (token, edit) in enumerate(zip(tokens_of(state, row), decisions, strict=True)):
            for name in BITS:
                chance = 1 / (1 + math.exp(-logits[name][row][i]))
                gone = token == MASK and edit.delete and name != "delete"
                surprises[name].append(0.0 if gone else -math.log(chance if getattr(edit, name) else 1 - chance))
            if token == MASK and not edit.delete and not edit.remask:
                weights = [math.exp(logit) for logit in logits["content"][row][i]]
                surprises["content"].append(-math.log(weights[edit.content] / sum(weights)))
    return {name: sum(values) / max(1, len(values)) for name, values in surprises.items()}


@given(states_with_edits(), st.integers(0, 99))
def test_loss_is_that_of_the_loop(case: tuple[State, Edits], seed: int) -> None:
    state, edits = case
    prediction = random_prediction(state, seed)
    found, expected = supervised_loss(prediction, Batch(state, edits)), slow_loss(prediction, state, edits)
    for name, value in expected.items():
        assert getattr(found, name).item() == pytest.approx(value, abs=1e-5)
    bits = sum(expected[name] for name in BITS)
    assert found.total.item() == pytest.approx(expected["content"] + DEFAULT_WEIGHTS.controls * bits, abs=1e-4)


@given(states_with_edits(), st.integers(0, 99), st.integers(0, 3))
def test_hints_and_conclusions_cost_their_mean_surprises(case: tuple[State, Edits], seed: int, last: int) -> None:
    state, edits = case
    draw = torch.Generator().manual_seed(seed)
    logits = torch.randn(*state.ids.shape, 3, generator=draw).masked_fill(~state.valid[..., None], torch.nan)
    hints = torch.rand(logits.shape, generator=draw) < 0.5
    prediction = random_prediction(state, seed)
    without = supervised_loss(prediction, Batch(state, edits))
    heads = tuple(part for part in logits.tensor_split([3 - last], -1) if part.shape[-1])
    found = supervised_loss(replace(prediction, hints=heads), Batch(state, edits, hints))
    surprises = [
        [math.log(1 + math.exp(-logit if hint else logit)) for logit, hint in zip(*position, strict=True)]
        for row, length in enumerate(state.lengths.tolist())
        for position in zip(logits[row, :length].tolist(), hints[row, :length].tolist(), strict=True)
    ]
    parts = [[surprise[:-last] for surprise in surprises], [surprise[-last:] for surprise in surprises]]
    means = [sum(map(sum, part)) / max(1, sum(map(len, part))) for part in (parts if last else [surprises])]
    assert found.hints.item() == pytest.approx(sum(means), abs=1e-5)
    assert found.total.item() == pytest.approx(
        without.total.item() + DEFAULT_WEIGHTS.hints * found.hints.item(), abs=1e-3
    )


@given(states_with_edits())
def test_gradients_are_numbers_and_reach_no_padding(case: tuple[State, Edits]) -> None:
    state, edits = case
    prediction = random_prediction(state)
    supervised_loss(prediction, Batch(state, edits)).total.backward()
    for field in prediction.tensors:
        assert field.grad is not None
        assert field.grad.isfinite().all()
        assert not field.grad[~state.valid].any()


@pytest.mark.parametrize("rows", [(), ((),), ((), ())])
def test_nothing_costs_nothing(rows: tuple[tuple[int, ...], ...]) -> None:
    state = stack(*rows)
    batch = Batch(state, edits_of_rows(state, [[] for _ in rows]))
    assert supervised_loss(random_prediction(state), batch).total.item() == 0.0


def test_knowing_nothing_costs_ln_2_a_bit_and_ln_3_a_token() -> None:
    state = stack((A, MASK), (MASK,))
    edits = edits_of_rows(state, [[Edit(remask=True), Edit(B)], [Edit(delete=True)]])
    zeros = torch.zeros(state.ids.shape)
    content = torch.zeros(*state.ids.shape, VOCABULARY)
    content[..., :2] = -torch.inf
    loss = supervised_loss(Prediction(content, zeros, zeros, zeros), Batch(state, edits))
    assert loss.content.item() == pytest.approx(math.log(3))
    assert [getattr(loss, name).item() for name in BITS] == pytest.approx([2 / 3 * HALF, 2 / 3 * HALF, HALF])


def test_the_last_state_of_a_trace_trains_halting() -> None:
    """At a fixed point every control bit is pushed towards not firing, and what waits towards waiting."""
    halted = stack((A, MASK, B))
    edits = edits_between(halted, halted)
    prediction = random_prediction(halted)
    loss = supervised_loss(prediction, Batch(halted, edits))
    loss.total.backward()
    assert loss.content.item() == 0.0
    assert prediction.remask.grad is not None
    assert prediction.insert.grad is not None
    assert prediction.delete.grad is not None
    assert (prediction.remask.grad > 0).tolist() == [[True, False, True]]
    assert (prediction.insert.grad > 0).all()
    assert (prediction.delete.grad > 0).all()


def test_a_teacher_that_has_halted_says_so() -> None:
    halted = State.stack([encode("1"), encode("")])
    edits = teacher(halted)
    assert not (edits.remask | edits.insert | edits.delete).any()
    prediction = random_prediction(halted)
    supervised_loss(prediction, Batch(halted, edits)).total.backward()
    assert prediction.delete.grad is not None
    assert prediction.delete.grad[0, 0] > 0


def test_accuracy_by_operation() -> None:
    state = stack((A, MASK, MASK, MASK), (A, A, MASK))
    taught = edits_of_rows(
        state,
        [
            [Edit(remask=True), Edit(B), Edit(A), Edit(delete=True)],
            [Edit(insert=True), Edit(insert=True, remask=True), Edit(remask=True)],
        ],
    )
    said = edits_of_rows(
        state,
        [
            [Edit(remask=True), Edit(A), Edit(A), Edit(delete=True, insert=True)],
            [Edit(insert=True), Edit(), Edit(B)],
        ],
    )
    assert accuracy(said, state, taught) == {
        "unmask": 0.5,
        "remask": 0.5,
        "wait": 0.0,
        "insert": 0.5,
        "delete": 1.0,
        "step": 0.0,
    }
    assert set(accuracy(taught, state, taught).values()) == {1.0}


def test_operations_that_never_fire_are_left_out() -> None:
    state = stack((A, B), (A,))
    assert accuracy(teacher(state), state, edits_between(state, state)).keys() == {"step"}


@given(states(), st.data())
def test_a_step_is_right_if_every_position_ends_as_taught(state: State, data: st.DataObject) -> None:
    taught = data.draw(edits_of(state))
    said = data.draw(st.sampled_from([taught, data.draw(edits_of(state))]))
    expected = []
    for row, pair in enumerate(zip(rows_of_edits(state, taught), rows_of_edits(state, said), strict=True)):
        one, other = (
            [slow_transition((t,), None, [e]) for t, e in zip(tokens_of(state, row), side, strict=True)]
            for side in pair
        )
        expected.append(one == other)
    assert same_step(said, state, taught).tolist() == expected
    assert accuracy(said, state, taught)["step"] == pytest.approx(sum(expected) / len(expected))
