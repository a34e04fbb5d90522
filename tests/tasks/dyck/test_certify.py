"""The certificate holds for the process itself and the shipped model, and fails as soon as a weight is wrong."""

import copy
from dataclasses import replace
from itertools import islice

import pytest
import torch

from apmdm import weights
from apmdm.model import attention
from apmdm.model.attention import FURTHEST, NEAR
from apmdm.model.encoder import Encoder, Shape
from apmdm.tasks.dyck import task
from apmdm.tasks.dyck.certify import LONGEST, _agree, _every_window, certify
from apmdm.tasks.dyck.process import LANGUAGES, MASKED, REACH, VOCAB, process
from apmdm.tasks.dyck.task import Dyck, WordRequest
from apmdm.tasks.dyck.windows import WIDTH, as_state, centre


@pytest.fixture(scope="module")
def model() -> Encoder:
    return weights.load_encoder("dyck", VOCAB)


@pytest.mark.parametrize(
    ("language", "windows"),
    [("k1", 4433), ("k2", 43_091), pytest.param("k4", 673_559, marks=pytest.mark.slow), ("brackets", 121_792)],
)
def test_the_shipped_model_is_certified(model: Encoder, language: str, windows: int) -> None:
    proof = certify(model, language)
    assert proof.holds, proof.examples
    assert proof.windows == windows


@pytest.mark.parametrize("name", ["embedding", "content.weight", "controls.weight", "layers.0.attention.out.weight"])
def test_a_damaged_model_is_not(model: Encoder, name: str) -> None:
    damaged = copy.deepcopy(model)
    with torch.no_grad():
        damaged.get_parameter(name).mul_(-1)
    proof = certify(damaged, "k1")
    assert not proof.holds
    assert 0 < len(proof.examples) <= 10


def test_a_certificate_holds_as_far_as_it_says(model: Encoder) -> None:
    """Rotary angles in float32 alone: wrong on 3,475 windows of k2 at 2^24."""
    for first in (NEAR - 2, 2**24, FURTHEST - WIDTH):
        for kinds, letters in islice(_every_window(LANGUAGES.index("k2")), 0, None, 7):
            state = as_state(kinds, letters, torch.full((len(kinds),), 1))
            with torch.no_grad():
                at = torch.arange(state.ids.shape[1])[None, None] + first
                said = model.predict(state.ids, replace(model.attention_pattern(state), at=at))
            masked = kinds[:, REACH] == MASKED
            assert bool(_agree(centre(said, kinds), centre(process(state), kinds), masked).all())


def test_a_model_that_moves_with_its_place_is_not_certified(model: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attention, "NEAR", 2**62)
    proof = certify(model, "k1")
    assert (proof.failures, proof.holds) == (0, False)
    assert "far from the start float32 moves logits" in proof.text()


def test_words_longer_than_the_certificate_are_refused() -> None:
    with pytest.raises(ValueError, match=f"up to {LONGEST:,} letters, not {2 * LONGEST:,}"):
        Dyck().encode(WordRequest("k2", 2 * LONGEST))


@pytest.mark.parametrize("length", [LONGEST, 2_000])
def test_words_that_memory_cannot_hold_are_refused_before_it_is_taken(
    length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task, "total_memory", lambda: 100_000_000)
    monkeypatch.setattr(task, "encode", lambda language, length: pytest.fail("memory was taken"))
    for refused in (lambda: Dyck().parse(f"k2 {length}"), lambda: Dyck().encode(WordRequest("k2", length))):
        with pytest.raises(ValueError, match=f"a word of {length:,} letters takes about .* for 1,428 letters here"):
            refused()


def test_the_shipped_model_writes_words(model: Encoder) -> None:
    wanted = [WordRequest("k2", 8)] * 500, [WordRequest("k4", 2000)], [WordRequest("brackets", 200)] * 5
    drawn = [word for problems in wanted for word in Dyck().solve(model, problems, seed=0)]
    assert all(word.solved for word in drawn)
    assert len({word.answer for word in drawn}) > 200


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (Shape(width=8, layers=2, heads=2, rotary=True), "only a Dyck model that sees 2 positions"),
        (Shape(width=8, layers=3, heads=2, attention="window", span=1), "only a Dyck model that sees 2 positions"),
        (Shape(width=8, layers=2, heads=2, attention="window", span=1, absolute=9), "only a Dyck model"),
    ],
)
def test_what_cannot_be_certified(shape: Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        certify(Encoder(VOCAB, shape), "k1")
