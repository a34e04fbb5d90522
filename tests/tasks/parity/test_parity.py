"""Parity: both processes against counting ones, and a certificate that a damaged model does not get."""

from itertools import product
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm import weights
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.policy import Greedy
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.parity import process
from apmdm.tasks.parity.certify import certify
from apmdm.tasks.parity_paper import process as paper
from apmdm.vocab import MASK

SHORT = ["".join(bits) for length in range(9) for bits in product("01", repeat=length)]


@given(st.lists(st.text("01", max_size=200), min_size=1, max_size=5))
def test_blocks_give_the_parity_in_at_most_four_steps(strings: list[str]) -> None:
    for run in rollouts(process.teacher, map(process.encode, strings), batch_size=2):
        assert process.decode(run.final) == strings[run.index].count("1") % 2
        assert (run.stop, run.space) == ("fixed point", len(strings[run.index]))
        assert run.time <= 4


def test_the_paper_process_gives_the_parity_two_bits_at_a_time() -> None:
    for run in rollouts(paper.teacher, map(paper.encode, SHORT)):
        assert paper.decode(run.final) == SHORT[run.index].count("1") % 2
        assert run.stop == "fixed point"
        assert run.time <= 2 * len(SHORT[run.index])


@pytest.mark.parametrize("task", [process, paper])
@pytest.mark.parametrize("text", ["2", "01 1", "O1", "\uff10"])
def test_only_bits_are_encoded(task: Any, text: str) -> None:
    with pytest.raises(ValueError, match="0 and 1"):
        task.encode(text)


def test_the_shipped_model_is_certified_and_right_about_every_short_string() -> None:
    model = weights.load_encoder("parity", process.VOCAB)
    blocks = certify(model)
    assert [block.before for block in blocks] == ["0", "1", "00", "01", "10", "11", "_", "__", "_1", "1_"]
    assert all(block.holds for block in blocks)
    assert {block.before: block.after for block in blocks}["01"] == "_1"
    for run in rollouts(model, map(process.encode, SHORT)):
        assert process.decode(run.final) == SHORT[run.index].count("1") % 2


def test_every_block_that_occurs_is_in_the_certificate() -> None:
    """Not believed from the proof: the blocks of all states of all strings up to length 8 are collected."""
    met = set()

    def watched(state: State) -> Edits:
        for row in range(len(state)):
            tokens = state.sequence(row).ids.tolist()
            met.update(tuple(tokens[start : start + 2]) for start in range(0, len(tokens), 2))
        return process.teacher(state)

    list(rollouts(watched, map(process.encode, SHORT)))
    names = {process.ZERO: "0", process.ONE: "1", MASK: "_"}
    certified = {block.before for block in certify(weights.load_encoder("parity"))}
    assert {"".join(names[token] for token in block) for block in met} == certified


@pytest.mark.parametrize("name", ["embedding", "controls.weight", "layers.0.down.weight"])
def test_a_damaged_model_is_not_certified(name: str) -> None:
    model = weights.load_encoder("parity")
    model.load_state_dict({name: -model.state_dict()[name]}, strict=False)
    assert not all(block.holds for block in certify(model))


def test_a_model_too_close_to_a_threshold_is_not_certified() -> None:
    model = weights.load_encoder("parity")
    with torch.no_grad():
        model.controls.weight.mul_(0.05)
        model.controls.bias.mul_(0.05)
    blocks = certify(model)
    assert all(block.after == block.expected for block in blocks)
    assert not any(block.holds for block in blocks)


@pytest.mark.parametrize("shape", [Shape(), Shape(attention="block", span=3), Shape(attention="window", span=2)])
def test_only_blocks_of_two_can_be_certified(shape: Shape) -> None:
    with pytest.raises(ValueError, match="blocks of two"):
        certify(Encoder(process.VOCAB, shape))


def test_a_block_is_computed_alike_wherever_it_is() -> None:
    """What float32 could spoil: the place of a block and the number of blocks."""
    model = weights.load_encoder("parity", process.VOCAB)
    block = torch.tensor([process.ONE, process.ZERO])
    with torch.no_grad():
        alone, among = (model(State.stack([Sequence(block.repeat(num))])) for num in (1, 2**20 + 1))
    for near, far in zip(alone.tensors, among.tensors, strict=True):
        assert torch.allclose(near[0, :2].nan_to_num(), far[0, -2:].nan_to_num(), atol=1e-4)


def test_a_million_bits() -> None:
    bits = f"{3**631_000:b}"[:1_000_000]
    (run,) = rollouts(weights.load_encoder("parity"), [process.encode(bits)], Greedy())
    assert process.decode(run.final) == bits.count("1") % 2
    assert (run.time, run.space) == (4, 1_000_000)
