"""Corruptions are undone by their own labels, and a model that has learned them corrects in turns."""

from random import Random

import torch

from apmdm.objective.batch import Batch
from apmdm.objective.self_supervised import MAX_ERRORS, corrupted
from apmdm.objective.supervised import supervised_loss
from apmdm.policy import Correct
from apmdm.prediction import Prediction
from apmdm.step import transition
from apmdm.vocab import MASK, PAD, Vocab
from support import stack, tokens_of

VOCAB = Vocab.of("BEGIN", "a", "b", "c")
BEGIN, A, B, C = VOCAB.encode(["BEGIN", "a", "b", "c"])
RIGHT = (BEGIN, A, B, C, A, A, B)


def batch(num: int) -> Batch:
    return corrupted([RIGHT] * num, [A, B, C], Random(0))


def test_the_labels_resolve_masks_and_make_room_where_something_was_taken() -> None:
    state, edits = batch(400).state, batch(400).edits
    after = transition(state, edits)
    for row in range(len(state)):
        tokens, left = tokens_of(state, row), tokens_of(after, row)
        assert left[0] == BEGIN
        if row % 2:
            assert MASK in tokens
            assert left == RIGHT
        else:
            assert MASK not in tokens
            kept = [token for token in left if token != MASK]
            assert is_subsequence(kept, RIGHT)
            assert len(RIGHT) - len(kept) <= MAX_ERRORS
            assert bool(edits.insert[row].any() | edits.remask[row].any()) == (tokens != RIGHT or left != RIGHT)


def is_subsequence(part: list[int], whole: tuple[int, ...]) -> bool:
    rest = iter(whole)
    return all(token in rest for token in part)


def test_superfluous_masks_are_the_last_of_their_runs() -> None:
    state, edits = batch(400).state, batch(400).edits
    gone, kept = edits.delete & state.masked, ~edits.delete & state.masked
    assert bool(gone.any())
    assert not bool((gone[:, :-1] & kept[:, 1:]).any())
    assert bool((edits.content[gone] == PAD).all())


def test_every_head_learns() -> None:
    state = batch(20).state
    logits = [torch.zeros(state.ids.shape, requires_grad=True) for _ in range(3)]
    content = torch.zeros(*state.ids.shape, len(VOCAB), requires_grad=True)
    supervised_loss(Prediction(content, *logits), batch(20)).total.backward()
    assert all(tensor.grad is not None and bool(tensor.grad.any()) for tensor in (content, *logits))


def test_correction_takes_turns() -> None:
    """A row without MASKs is looked through; in one with MASKs the superfluous go first, then the surest is written."""
    state = stack((BEGIN, A, B), (BEGIN, MASK, MASK), (BEGIN, MASK, MASK))
    content = torch.zeros(3, 3, len(VOCAB))
    content[:, 1, C], content[:, 2, A] = 1.0, 2.0
    remask = torch.tensor([[-9.0, 9.0, -9.0]] * 3)
    insert = torch.tensor([[9.0, -9.0, -9.0]] * 3)
    delete = torch.tensor([[9.0] * 3, [-9.0, -9.0, 9.0], [-9.0] * 3])
    after = transition(state, Correct()(Prediction(content, remask, insert, delete), state))
    assert [tokens_of(after, row) for row in range(3)] == [(BEGIN, MASK, MASK, B), (BEGIN, MASK), (BEGIN, MASK, A)]
