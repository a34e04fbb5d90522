"""Incremental against the encoder itself: on random edits, in batches that change, and as the sampler uses it."""

from dataclasses import replace
from functools import cache
from random import Random
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from apmdm import weights
from apmdm.base_task import BaseTask
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.incremental import KEPT, Incremental
from apmdm.model.skipping import Skipping
from apmdm.prediction import Prediction
from apmdm.state import State, concatenate
from apmdm.step import transition
from apmdm.tasks.dyck.task import Dyck, WordRequest
from apmdm.tasks.dyck_repair.process import DONE_ID
from apmdm.tasks.dyck_repair.task import DyckRepair, broken_word
from apmdm.tasks.parity.task import Parity
from apmdm.vocab import MASK, Vocab
from support import Edit, edits_of_rows, sequence, tokens_of

VOCAB = Vocab.of("a", "b", "c")
A, B, C = VOCAB.encode("abc")
SHAPES = {
    "window": Shape(16, 2, 2, "window", span=1, rotary=True),
    "window without positions": Shape(16, 1, 2, "window", span=2),
    "window with relations": Shape(16, 2, 2, "window", span=1, relations=((0, 1), "before")),
    "blocks": Shape(16, 2, 2, "block", span=3, absolute=3),
    "rotary blocks": Shape(16, 1, 2, "block", span=2, rotary=True),
}


@cache
def encoder(name: str) -> Encoder:
    torch.manual_seed(0)
    model = Encoder(VOCAB, SHAPES[name])
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    return model


def some_rows(num: int, random: Random) -> State:
    rows = []
    for _ in range(num):
        tokens = tuple(random.choice((MASK, A, B, C)) for _ in range(random.choice((0, 3, 9, 25))))
        rows.append(sequence(tokens, tuple((random.randrange(3), random.randrange(3)) for _ in tokens), axes=2))
    return State.stack(rows)


def edited(state: State, random: Random) -> State:
    """The state after edits of every seventh token or so, insertions and deletions among them."""

    def edit(token: int) -> Edit:
        if random.random() < 0.85:
            return Edit(remask=token == MASK)
        return Edit(random.choice((A, B, C)), *(random.random() < 0.5 for _ in range(3)))

    return transition(
        state, edits_of_rows(state, [list(map(edit, tokens_of(state, row))) for row in range(len(state))])
    )


@torch.no_grad()
def assert_same(told: Prediction, state: State, model: Encoder) -> None:
    for mine, full in zip(told.tensors, model(state).tensors, strict=True):
        torch.testing.assert_close(mine[state.valid], full[state.valid], atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", SHAPES)
@given(seed=st.integers(0, 2**32))
@settings(max_examples=8)
def test_what_is_kept_is_what_the_encoder_says(name: str, seed: int) -> None:
    """Rows grow, shrink, leave, arrive and change places, and anything stands in the padding."""
    random, model = Random(seed), encoder(name)
    incremental, state = Incremental(model), some_rows(3, random)
    for _ in range(4):
        state = replace(state, ids=torch.where(state.valid, state.ids, A))
        assert_same(incremental(state), state, model)
        state = edited(state, random)
        rows = random.sample(range(len(state)), random.randint(1, len(state)))
        state = concatenate(state[torch.tensor(rows)], some_rows(random.randint(1, 2), random))


def test_only_what_an_edit_reaches_is_read_again() -> None:
    model, random = encoder("window"), Random(0)
    reach, length = 2, 200
    tokens = [random.choice((A, B, C)) for _ in range(length)]
    incremental = Incremental(model)
    counts = []
    for middle in (tokens[100:101], tokens[100:101], [], [MASK, B]):
        state = State.stack([sequence((*tokens[:100], *middle, *tokens[101:]))])
        said = incremental(state)
        assert_same(said, state, model)
        assert said.computed is not None
        counts.append(int(said.computed))
    assert counts[0] > length // 2
    assert counts[1] == 0
    assert max(counts[2:]) <= 2 + 4 * reach


def test_equal_places_are_read_once_and_what_was_known_long_ago_is_forgotten() -> None:
    model = encoder("blocks")
    incremental = Incremental(model)
    (computed,) = [incremental(State.stack([sequence((A, B, C) * 50)])).computed]
    assert computed is not None
    assert computed.tolist() == [3]
    random = Random(1)
    for _ in range(20):
        incremental(State.stack([sequence(tuple(random.choice((MASK, A, B, C)) for _ in range(12)))]))
        assert len(incremental.sights) <= KEPT * 4 + 4


@torch.no_grad()
def test_where_a_window_is_does_not_matter() -> None:
    """Rotary angles go by differences; what is left is rounding, which grows with the position (see `turns`)."""
    model, random = encoder("window"), Random(0)
    tokens = tuple(random.choice((A, B, C)) for _ in range(30))
    for far in (1, 1000, 4000):
        shifted = State.stack([sequence((A,) * far + tokens)])
        here, there = model(State.stack([sequence(tokens)])), model(shifted)
        torch.testing.assert_close(there.content[:, far + 2 :, 2:], here.content[:, 2:, 2:], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("shape", [Shape(16, 1, 2), Shape(16, 1, 2, "window", span=1, absolute=50)])
def test_what_is_not_local_is_refused(shape: Shape) -> None:
    with pytest.raises(ValueError, match="lasts in blocks"):
        Incremental(Encoder(VOCAB, shape))


def test_all_blocks_that_parity_meets_are_told_apart() -> None:
    incremental = Incremental(weights.load_encoder("parity"))
    blocks = State.stack(
        [sequence(block) for block in [(a, b) for a in (1, 2, 3) for b in (1, 2, 3)] + [(1,), (2,), (3,)]]
    )
    sums = incremental._sights(blocks)[:, 0, 0].tolist()
    assert len(set(sums)) == len(sums) == 12


def runs_of(task: BaseTask, model: Any, problems: list[Any], **options: Any) -> list[tuple]:
    solutions = sorted(task.solve(model, problems, **options), key=lambda solution: solution.run.index)
    return [(one.answer, one.run.time, one.run.space, one.run.work, one.run.stop) for one in solutions]


@pytest.mark.parametrize(
    ("task", "problems"),
    [
        (Parity(), ["110101" * 30, "1" * 181, "0"]),
        (Dyck(), [WordRequest("k2", 30), WordRequest("brackets", 16), WordRequest("k3", 8)]),
        (DyckRepair(), [broken_word(40, Random(number)) for number in range(3)]),
    ],
    ids=["parity", "dyck", "dyck-repair"],
)
def test_tasks_run_as_with_the_encoder_alone(
    task: BaseTask, problems: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert task.shipped is not None
    model = weights.load_encoder(task.shipped)
    solutions = list(task.solve(model, problems, batch_size=2))
    assert sum(one.run.computed for one in solutions) < sum(one.run.work for one in solutions)
    kept = runs_of(task, model, problems, batch_size=2)
    plain = (lambda self, model, device: Skipping(model, DONE_ID)) if isinstance(task, DyckRepair) else None
    monkeypatch.setattr(type(task), "decoder", plain or (lambda self, model, device: model))
    assert kept == runs_of(task, model, problems, batch_size=2)
