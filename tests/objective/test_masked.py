"""Masked and next-token training: what is masked, what is learned, and the bound against the exact likelihood."""

import math
from itertools import permutations, product

import pytest
import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch
from apmdm.objective.masked import bound, log_loss, masked_loss, rest_masked, some_masked
from apmdm.objective.next_token import all_written, next_token_loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.vocab import MASK, PAD, Vocab
from support import stack

VOCAB = Vocab.of("a", "b", "c")
A, B, C = VOCAB.encode("abc")
WORDS = {"abca": 0.3, "abbc": 0.1, "bcab": 0.25, "cccc": 0.15, "cabb": 0.2}


def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def problem(*rows: tuple[tuple[int, ...], tuple[int, ...]]) -> tuple[State, Edits]:
    """Prompts and answers as a state and the edits that write it."""
    state = stack(*(prompt + (MASK,) * len(answer) for prompt, answer in rows))
    content = torch.full(state.ids.shape, PAD)
    for row, (prompt, answer) in enumerate(rows):
        content[row, len(prompt) : len(prompt) + len(answer)] = torch.tensor(answer)
    return state, Edits.of(content)


MANY = problem(*[((A, B), (C, A, B, B)), ((C,), (B, A))] * 2000)


def test_every_number_of_masks_comes_equally_often_and_the_rest_is_the_answer() -> None:
    batch = some_masked(*MANY, random())
    masked, answer = batch.state, batch.edits
    assert bool((masked.masked | (masked.ids == torch.where(MANY[0].masked, answer.content, MANY[0].ids))).all())
    counts = masked.masked.sum(1)[::2].bincount()[1:] / 2000
    assert counts.tolist() == pytest.approx([0.25] * 4, abs=0.03)
    assert (masked.masked.float()[::2].mean(0)[2:] - 0.625).abs().max() < 0.03


def test_masked_arm_learns_the_leftmost_mask_only() -> None:
    batch = rest_masked(*MANY, random())
    masked, edits = batch.state, batch.edits
    written = edits.unmasked(masked)
    assert bool((written.sum(1) == 1).all())
    assert bool((written.long().argmax(1) == masked.masked.long().argmax(1)).all())
    assert (masked.masked.sum(1)[::2].bincount()[1:] / 2000).tolist() == pytest.approx([0.25] * 4, abs=0.03)


def test_losses_by_hand() -> None:
    state, answer = problem(((A,), (B, C, A)), ((A,), (C,)))
    masked = stack((A, MASK, C, MASK), (A, MASK))
    logits = torch.randn(2, 4, len(VOCAB), generator=random())
    nothing = torch.zeros(2, 4)
    prediction, chance = Prediction(logits, nothing, nothing, nothing), logits.log_softmax(-1)
    expected = -torch.stack((1.5 * (chance[0, 1, B] + chance[0, 3, A]), chance[1, 1, C]))
    assert torch.allclose(log_loss(prediction, Batch(masked, answer)), expected)
    assert float(masked_loss(prediction, Batch(masked, answer)).total) == pytest.approx(float(expected.sum()) / 4)
    whole = all_written(state, answer, random())
    assert whole.state.ids.tolist() == [[A, B, C, A], [A, C, PAD, PAD]]
    told = chance[0, 0, B] + chance[0, 1, C] + chance[0, 2, A] + chance[1, 0, C]
    assert float(next_token_loss(prediction, whole).total) == pytest.approx(-float(told) / 4)


def trained() -> Encoder:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=16, layers=2, heads=2, absolute=4))
    solver = torch.optim.AdamW(model.parameters(), 1e-2)
    generator, steps = random(), 400
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(solver, steps)
    words = [((), tuple(VOCAB.encode(word))) for word, chance in WORDS.items() for _ in range(round(chance * 100))]
    for _ in range(steps):
        batch = some_masked(*problem(*words), generator)
        masked_loss(model(batch.state), batch).total.backward()
        solver.step()
        solver.zero_grad()
        schedule.step()
    return model


@torch.no_grad()
def exact(model: Encoder, word: tuple[int, ...]) -> float:
    """The negative log-likelihood of a word whose positions are written in random order: by all orders."""
    known = list(product((False, True), repeat=len(word)))
    states = stack(*(tuple(t if here else MASK for t, here in zip(word, shown, strict=True)) for shown in known))
    chance = model(states).content.log_softmax(-1)[:, range(len(word)), word].double()
    orders = list(permutations(range(len(word))))
    steps = [[(known.index(before(order, i)), order[i]) for i in range(len(word))] for order in orders]
    totals = torch.stack([torch.stack([chance[step] for step in order]).sum() for order in steps])
    return math.log(len(orders)) - float(totals.logsumexp(0))


def before(order: tuple[int, ...], number: int) -> tuple[bool, ...]:
    """Which positions are known when the one with this number in the order is written."""
    return tuple(position in order[:number] for position in range(len(order)))


def test_the_bound_is_within_two_percent_of_the_exact_likelihood() -> None:
    model = trained()
    words = [tuple(VOCAB.encode(word)) for word in WORDS]
    estimate = bound(model, *problem(*[((), word) for word in words] * 400), 20, random()).view(400, -1).mean(0)
    weights = torch.tensor(list(WORDS.values()))
    above, true = float(weights @ estimate), float(weights @ torch.tensor([exact(model, word) for word in words]))
    entropy = -sum(chance * math.log(chance) for chance in WORDS.values())
    assert entropy <= true
    assert true * 0.995 <= above <= true * 1.02
