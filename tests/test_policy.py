"""Greedy and stochastic decoding against their definitions."""

import math
from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from apmdm.edits import Edits
from apmdm.policy import Greedy, GreedyOrBestSingle, Stochastic
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.vocab import MASK
from reference import slow_transition
from support import Edit, stack

A, B, C = 2, 3, 4
NEVER, PERHAPS, ALWAYS = -30.0, 0.4, 30.0


def prediction(content: Tensor, remask: Tensor, insert: Tensor, delete: Tensor) -> Prediction:
    """Content logits for A, B and C only: PAD and MASK never."""
    barred = torch.full((*content.shape[:2], 2), -torch.inf)
    return Prediction(torch.cat((barred, content), -1), remask, insert, delete)


def one(content: list[float], remask: float, insert: float, delete: float) -> Prediction:
    bits = (torch.tensor([[bit]]) for bit in (remask, insert, delete))
    return prediction(torch.tensor([[content]]), *bits)


def many(count: int, *logits: Any) -> tuple[Prediction, State]:
    """The same prediction for `count` rows of one MASK."""
    single = one(*logits)
    fields = (single.content, single.remask, single.insert, single.delete)
    return Prediction(*(field.expand(count, *field.shape[1:]) for field in fields)), stack(*[(MASK,)] * count)


@pytest.mark.parametrize("logits", [(0.1, 3.0, -2.0), (-5.0, -7.0, -6.0), (2.0, 1.0, 9.0)])
def test_greedy_takes_the_most_probable_content(logits: tuple[float, ...]) -> None:
    edits = Greedy()(one(list(logits), 0.0, 0.0, 0.0), stack((MASK,)))
    assert edits.content.item() == A + logits.index(max(logits))


@pytest.mark.parametrize("name", ["remask", "insert", "delete"])
@pytest.mark.parametrize("threshold", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("logit", [-3.0, -1.0, 0.0, 1.0, 3.0])
def test_greedy_fires_above_each_threshold(name: str, threshold: float, logit: float) -> None:
    logits = {"remask": NEVER, "insert": NEVER, "delete": NEVER} | {name: logit}
    edits = Greedy(**{name: threshold})(one([0.0, 0.0, 0.0], **logits), stack((A,)))
    fired = {bit for bit in logits if getattr(edits, bit).item()}
    assert fired == ({name} if 1 / (1 + math.exp(-logit)) > threshold else set())


@pytest.mark.parametrize("policy", [Greedy(), Stochastic()])
def test_an_empty_state_gives_no_edits(policy: Greedy | Stochastic) -> None:
    nothing = torch.zeros(2, 0)
    assert policy(prediction(torch.zeros(2, 0, 3), nothing, nothing, nothing), stack((), ())).content.shape == (2, 0)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_probabilities(temperature: float) -> None:
    count, logits, bit = 20_000, [0.0, 1.0, -1.0], -1.0
    policy = Stochastic(temperature, generator=torch.Generator().manual_seed(0))
    edits = policy(*many(count, logits, bit, 0.0, NEVER))
    weights = [math.exp(logit / temperature) for logit in logits]
    for token, weight in zip((A, B, C), weights, strict=True):
        assert (edits.content == token).float().mean().item() == pytest.approx(weight / sum(weights), abs=0.015)
    chance = 1 / (1 + math.exp(-bit / temperature))
    assert edits.remask.float().mean().item() == pytest.approx(chance, abs=0.015)
    assert edits.insert.float().mean().item() == pytest.approx(0.5, abs=0.015)
    assert not edits.delete.any()
    assert (edits.remask & edits.insert).float().mean().item() == pytest.approx(chance / 2, abs=0.015)


def test_what_is_below_the_cut_off_never_happens() -> None:
    unlikely, likely = math.log(0.05 / 0.95), math.log(0.95 / 0.05)
    policy = Stochastic(cutoff=0.1, generator=torch.Generator().manual_seed(0))
    edits = policy(*many(5_000, [0.0, -4.0, 0.5], unlikely, likely, 0.0))
    assert set(edits.content.unique().tolist()) == {A, C}
    assert not edits.remask.any()
    assert edits.insert.all()
    assert 0.4 < edits.delete.float().mean().item() < 0.6


def test_the_most_probable_content_survives_any_cut_off() -> None:
    """A content head that has learned nothing about a position spreads its probability thinly."""
    flat = torch.zeros(1, 1, 30)
    flat[..., 7] = 0.1
    bits = (torch.zeros(1, 1) for _ in range(3))
    edits = Stochastic(cutoff=0.1)(prediction(flat, *bits), stack((MASK,)))
    assert edits.content.item() == A + 7


def test_a_seed_repeats_its_draws() -> None:
    def draw(seed: int) -> Edits:
        policy = Stochastic(generator=torch.Generator().manual_seed(seed))
        return policy(*many(50, [0.0, 0.0, 0.0], 0.0, 0.0, 0.0))

    assert torch.equal(draw(1).content, draw(1).content)
    assert torch.equal(draw(1).delete, draw(1).delete)
    assert not torch.equal(draw(1).content, draw(2).content)


@given(st.sampled_from([MASK, A]), st.tuples(*[st.sampled_from([NEVER, PERHAPS, ALWAYS])] * 3))
def test_may_change_is_whether_some_possible_edit_changes_the_token(token: int, logits: tuple[float, ...]) -> None:
    possible = [{NEVER: [False], PERHAPS: [False, True], ALWAYS: [True]}[logit] for logit in logits]
    outcomes = {slow_transition((token,), None, [Edit(B, *bits)])[0] for bits in product(*possible)}
    found = Stochastic(cutoff=0.01).may_change(one([0.0, 0.0, 0.0], *logits), stack((token,)))
    assert found.tolist() == [outcomes != {(token,)}]


def test_padding_never_changes() -> None:
    state = stack((A, A), (A,))
    bits = torch.full((2, 2), NEVER)
    fires = torch.tensor([[NEVER, ALWAYS], [NEVER, ALWAYS]])
    waiting = prediction(torch.zeros(2, 2, 3), fires, bits, bits)
    assert Stochastic(cutoff=0.01).may_change(waiting, state).tolist() == [True, False]


@pytest.mark.parametrize(
    "settings",
    [{"temperature": 0.0}, {"temperature": -1.0}, {"cutoff": -0.1}, {"cutoff": 0.5}, {"cutoff": 1.0}],
)
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="temperature must be positive and cutoff in"):
        Stochastic(**settings)


def surest(*rows: list[tuple[float, float, float]], tokens: list[tuple[int, ...]]) -> Edits:
    """Of chances of remask, insert and delete; content is always A."""
    chances = torch.tensor(rows).logit()
    content = torch.tensor([1.0, 0.0, 0.0]).expand(*chances.shape[:2], 3)
    return GreedyOrBestSingle(0.1)(prediction(content, *chances.unbind(-1)), stack(*tokens))


def test_surest_does_all_that_is_likelier_than_not_and_else_one_thing() -> None:
    edits = surest(
        [(0.9, 0.0, 0.0), (0.3, 0.0, 0.0), (0.0, 0.6, 0.0)],
        [(0.2, 0.0, 0.0), (0.3, 0.4, 0.0), (0.3, 0.0, 0.0)],
        [(0.3, 0.05, 0.0), (0.0, 0.0, 0.0), (0.9, 0.0, 0.0)],
        [(0.05, 0.09, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.0)],
        [(0.3, 0.0, 0.0), (0.0, 0.0, 0.0), (0.0, 0.0, 0.9)],
        tokens=[(A, B, C), (A, B, C), (A, B, MASK), (A, B, C), (A, B, MASK)],
    )
    remask = [[1, 0, 0], [0, 1, 0], [1, 0, 1], [0, 0, 0], [0, 0, 0]]
    insert = [[0, 0, 1], [0, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]]
    assert edits.remask.long().tolist() == remask
    assert edits.insert.long().tolist() == insert
    assert edits.delete.long().tolist() == [[0, 0, 0]] * 4 + [[0, 0, 1]]
