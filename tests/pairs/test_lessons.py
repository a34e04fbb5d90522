"""What a model of pairs learns from, and that all steps of a run are learned in one pass."""

import itertools
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.from_pairs import PairsData
from apmdm.model.encoder import Encoder, Shape
from apmdm.pairs.alignment import Column, columns
from apmdm.pairs.lessons import batches, labelled, lesson, run, varied
from apmdm.pairs.sequence import GO_ID, RELATIONS, Code
from apmdm.pairs.table import Pair
from apmdm.pairs.writing import leftmost
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import MASK

PAIRS = [Pair("laufen", "gelaufen", "V;PTCP"), Pair("Hahn", "Hähne", "N;PL"), Pair("ab", "", ""), Pair("", "ba", "")]
CODE = Code.of(PAIRS)
TEXTS = st.text(alphabet="".join(CODE.characters), max_size=9)


def test_columns_by_hand() -> None:
    assert columns([1, 2], [3, 1, 4, 4]) == [
        Column(3, 0, True),
        Column(None, 0),
        Column(1, 1),
        Column(4, 2),
        Column(4, 3, True),
        Column(None, 3),
    ]
    assert columns([], [1]) == [Column(1, 0, True), Column(None, 0), Column(None, 1)]


@given(TEXTS, TEXTS)
def test_columns_hold_the_target_and_every_place(source: str, target: str) -> None:
    found = columns(CODE.tokens(source), CODE.tokens(target))
    assert [column.token for column in found if column.token is not None] == CODE.tokens(target)
    inserted = [before.more for before in [Column(None, 0), *found]][:-1]
    assert [column.place for column, new in zip(found, inserted, strict=True) if not new] == [*range(len(source) + 2)]
    for before, column in itertools.pairwise(found):
        assert not before.more or column.place == before.place


@given(TEXTS, TEXTS, st.booleans())
def test_a_run_is_made_of_transitions_and_ends_in_the_target(source: str, target: str, mirrored: bool) -> None:
    pair = Pair(source, target, "N;PL")
    steps = [labelled([one]) for one in run(CODE, pair, mirrored=mirrored)]
    assert steps[0].state.sequence(0).ids.equal(CODE.encode(source, pair.features, mirrored).ids)
    for before, after in itertools.pairwise(steps):
        reached = transition(before.state, before.edits)
        assert reached.ids.equal(after.state.ids)
        assert reached.coordinates is not None
        assert after.state.coordinates is not None
        assert reached.coordinates.equal(after.state.coordinates)
    assert CODE.decode(source, steps[-1].state.sequence(0)) == target


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_lesson_tells_at_each_mask_what_the_run_tells_there(mirrored: bool) -> None:
    torch.manual_seed(0)
    shape = Shape(width=16, layers=2, heads=2, attention="written", rotary=True, relations=RELATIONS)
    model = Encoder(CODE.vocab, shape)
    for pair in PAIRS:
        whole = labelled([lesson(CODE, pair, mirrored=mirrored)])
        said, at = model(whole.state), iter(whole.state.masked[0].nonzero()[:, 0].tolist())
        for one in run(CODE, pair, mirrored=mirrored)[:-1]:
            step = labelled([one])
            first, here = int(step.state.masked[0].int().argmax()), next(at)
            for in_step, in_lesson in zip(model(step.state).tensors, said.tensors, strict=True):
                assert torch.allclose(in_step[0, first], in_lesson[0, here], atol=1e-5)
            for in_step, in_lesson in zip(step.edits.tensors[2:], whole.edits.tensors[2:], strict=True):
                assert in_step[0, first] == in_lesson[0, here]
        assert next(at, None) is None


def test_masks_wait_for_the_leftmost_one_and_tokens_stay() -> None:
    state = State.stack([CODE.encode("ab", "N")])
    said = leftmost(Encoder(CODE.vocab, Shape(width=8, layers=1, heads=2))(state), state)
    first = state.ids[0].tolist().index(MASK)
    assert said.remask[0].tolist() == [float("inf") if n > first else float("-inf") for n in range(len(state.ids[0]))]
    assert said.delete[0].isfinite().nonzero()[:, 0].tolist() == [first]
    assert said.insert[0].isfinite().nonzero()[:, 0].tolist() == [first]


def test_batches_are_a_function_of_seed_and_number() -> None:
    first, again, other = (batches(CODE, PAIRS[:2], seed, 4, share_varied=0.5) for seed in (0, 0, 1))
    for number in (0, 17, 3):
        assert first(number).state.ids.equal(again(number).state.ids)
        assert len(first(number).state) == 4
    assert any(not first(number).state.ids.equal(other(number).state.ids) for number in range(3))


def test_stems_vary_alike_on_both_sides() -> None:
    random, foreign = Random(0), 0
    for pair in (varied(CODE, PAIRS[0], random) for _ in range(200)):
        assert pair.target == "ge" + pair.source
        assert len(pair.source) == len("laufen")
        foreign += set(pair.source) <= set(CODE.strangers)
        assert set(pair.source) <= set(CODE.strangers) or pair.source[0] + pair.source[-1] == "ln"
    assert 10 <= foreign <= 30
    assert varied(CODE, PAIRS[2], random) == PAIRS[2]


@pytest.mark.parametrize(("share", "lowest", "highest"), [(0.0, 0, 0), (0.25, 20, 80), (1.0, 192, 192)])
def test_a_share_of_the_stems_is_random(share: float, lowest: int, highest: int) -> None:
    drawn = batches(CODE, PAIRS[:1], 0, 12, share_varied=share, share_mirrored=0.0)
    (usual, _), rows = lesson(CODE, PAIRS[0]), [row for number in range(16) for row in drawn(number).state.ids.tolist()]
    source = slice(usual.ids.tolist().index(GO_ID) - len("laufen") - 1, usual.ids.tolist().index(GO_ID))
    assert lowest <= sum(row[source] != usual.ids.tolist()[source] for row in rows) <= highest


@pytest.mark.parametrize(
    ("values", "error"), [((0, 0.5), "batch_size is at least 1"), ((64, 1.5), "varied is a share")]
)
def test_settings_of_pairs_that_cannot_be(values: tuple[int, float], error: str) -> None:
    with pytest.raises(ValueError, match=error):
        PairsData(*values)


def test_features_become_unknown_now_and_then() -> None:
    random = Random(0)
    lessons = [lesson(CODE, PAIRS[0], mirrored=True, random=random)[0] for _ in range(200)]
    told = [CODE.vocab.decode(one.ids.tolist()) for one in lessons]
    assert 2 <= sum("STRANGE" in symbols for symbols in told) <= 20
    assert all(symbols[0] == "MIRRORED" for symbols in told)
    assert all(one.ids.tolist().index(GO_ID) == 2 + len("laufen") + 3 for one in lessons)
