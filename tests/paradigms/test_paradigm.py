"""What the policies of the restricted paradigms may do, on models that know nothing and on hand-made predictions."""

import pytest
import torch

from apmdm.edits import Edits
from apmdm.model.ablated import Ablated, Operation
from apmdm.model.encoder import Encoder, Shape
from apmdm.policy import Append, Greedy, Order, Policy, Unmask
from apmdm.prediction import Prediction
from apmdm.sampler import Run, rollouts
from apmdm.state import State
from apmdm.vocab import MASK, Vocab
from support import sequence, stack

VOCAB = Vocab.of("a", "b", "c")
A, B, C = VOCAB.encode("abc")
LENGTH = 9


def runs(policy: Policy) -> list[Run]:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=16, layers=1, heads=2, rotary=True))
    starts = [sequence((A, *[MASK] * 5, B, MASK, MASK)), sequence((MASK, C, MASK))]
    return sorted(rollouts(model, starts, policy, record=True), key=lambda run: run.index)


def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


UNMASKING = [
    *(Unmask(order, num, generator=random()) for order in ("left", "random", "confidence", "margin", "entropy")
      for num in (1, 3)),
    Unmask("random", 2, drawn=True, generator=random()),
    Unmask("confidence", 1, threshold=0.35),
]  # fmt: skip


@pytest.mark.parametrize("policy", UNMASKING, ids=range(len(UNMASKING)))
def test_unmasking_writes_masks_once_and_does_nothing_else(policy: Unmask) -> None:
    for run in runs(policy):
        assert run.stop == "fixed point"
        assert not [step for step in run.steps if step.insert or step.delete]
        for step in run.steps:
            written = [i for i, token in enumerate(step.tokens) if token == MASK and i in step.unmask]
            assert set(step.remask) == {i for i, token in enumerate(step.tokens) if token == MASK} - set(written)
            assert len(written) >= min(policy.num, step.tokens.count(MASK))
            if policy.threshold == 1:
                assert len(written) == min(policy.num, step.tokens.count(MASK))
        assert MASK not in run.final.ids.tolist()


def test_masked_arm_only_ever_writes_the_leftmost_mask() -> None:
    for run in runs(Unmask("left")):
        assert [list(step.unmask) for step in run.steps] == [[step.tokens.index(MASK)] for step in run.steps]


CHANCES = [[0.5, 0.3, 0.2], [0.6, 0.37, 0.03], [0.55, 0.05, 0.4], [0.48, 0.26, 0.26], [0.9, 0.05, 0.05]]
BY_HAND = {
    "left": [0, 1, 2, 3],
    "confidence": [1, 2, 0, 3],  # 0.6, 0.55, 0.5, 0.48
    "margin": [1, 3, 0, 2],  # 0.23, 0.22, 0.2, 0.15
    "entropy": [1, 2, 0, 3],  # 0.780, 0.845, 1.030, 1.053
}


def constant(state: State) -> Prediction:
    content = torch.full((*state.ids.shape, len(VOCAB)), -torch.inf)
    content[..., A:] = torch.tensor(CHANCES).log()
    never = torch.full(state.ids.shape, -20.0)
    return Prediction(content, never, never, never)


@pytest.mark.parametrize("order", list(BY_HAND))
def test_orders_by_hand(order: Order) -> None:
    """The last position is the surest, but it is not masked."""
    (run,) = rollouts(constant, [sequence((MASK, MASK, MASK, MASK, B))], Unmask(order), record=True)
    assert [next(iter(step.unmask)) for step in run.steps] == BY_HAND[order]
    assert run.final.ids.tolist() == [A, A, A, A, B]


def test_among_equals_the_leftmost_comes_first() -> None:
    flat = torch.zeros(1, 3, len(VOCAB))
    edits = Unmask()(Prediction(flat, *[torch.zeros(1, 3)] * 3), stack((A, MASK, MASK)))
    assert edits.remask.tolist() == [[False, False, True]]


def test_what_exceeds_the_threshold_is_written_at_once() -> None:
    (run,) = rollouts(constant, [sequence((MASK, MASK, MASK, MASK, B))], Unmask(threshold=0.52), record=True)
    assert [sorted(step.unmask) for step in run.steps] == [[1, 2], [0], [3]]


def test_random_orders_and_drawn_content_follow_the_probabilities() -> None:
    policy = Unmask("random", drawn=True, generator=random())
    many = list(
        rollouts(constant, [sequence((MASK, MASK, MASK, MASK, B))] * 2000, policy, batch_size=2000, record=True)
    )
    first = torch.tensor([next(iter(run.steps[0].unmask)) for run in many]).bincount(minlength=4) / len(many)
    assert first.tolist() == pytest.approx([0.25] * 4, abs=0.03)
    last = torch.stack([run.final.ids[2] for run in many]).bincount(minlength=C + 1)[A:] / len(many)
    assert last.tolist() == pytest.approx(CHANCES[2], abs=0.03)


def test_arm_appends_what_the_position_before_foretells() -> None:
    """a is followed by b, b by c, and c is the end: one token a step, nothing but the end of the state changes."""

    def successor(state: State) -> Prediction:
        never = torch.full(state.ids.shape, -20.0)
        return Prediction(torch.nn.functional.one_hot((state.ids + 1).clamp(max=C), len(VOCAB)) * 9.0, *[never] * 3)

    (run,) = rollouts(successor, [sequence((A, MASK))], Append(end=C), record=True)
    assert [step.tokens for step in run.steps] == [(A, MASK), (A, B, MASK)]
    assert run.final.ids.tolist() == [A, B, C]
    assert (run.time, run.space, run.work, run.stop) == (2, 3, 5, "fixed point")


def test_drawn_content_is_appended_as_often_as_it_is_probable() -> None:
    chances = torch.tensor([0.0, 0.0, 0.2, 0.5, 0.3])
    content = chances.log().expand(5000, 2, 5)
    bit = torch.zeros(5000, 2)
    policy = Append(end=C, drawn=True, generator=random())
    edits = policy(Prediction(content, bit, bit, bit), stack(*[(A, MASK)] * 5000))
    shares = edits.content[:, 1].bincount(minlength=5) / 5000
    assert torch.allclose(shares, chances, atol=0.03)
    assert torch.equal(edits.insert[:, 1], edits.content[:, 1] != C)
    assert not policy.deterministic


def test_operations_switched_off() -> None:
    state = stack((A, MASK, MASK))
    content = torch.zeros(1, 3, len(VOCAB)).index_fill(-1, torch.tensor([B]), 1.0)
    remask, yes, no = torch.tensor([[9.0, -9.0, 9.0]]), torch.full((1, 3), 9.0), torch.full((1, 3), -9.0)

    def edits(operation: Operation, delete: torch.Tensor = no) -> Edits:
        return Greedy()(Ablated(lambda _: Prediction(content, remask, yes, delete), operation)(state), state)

    assert edits("remask").remask.tolist() == [[False, False, True]]
    assert edits("unmask").remask.tolist() == [[True, True, True]]
    assert not edits("insert").insert.any()
    assert edits("delete", yes).unmasked(state).tolist() == [[False, True, False]]


def test_unknown_orders_are_refused() -> None:
    with pytest.raises(ValueError, match="order is one of left, random, confidence, margin, entropy"):
        Unmask(num=0)
