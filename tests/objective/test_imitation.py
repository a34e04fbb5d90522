"""The loss of probabilities is the mean of the losses of edits drawn from them."""

from itertools import product

import torch

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.objective.imitation import imitation_loss
from apmdm.objective.supervised import HEADS, supervised_loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.vocab import MASK, PAD
from support import stack

SYMBOLS = 5


def prediction(seed: int, rows: int, length: int) -> Prediction:
    random = torch.Generator().manual_seed(seed)
    content = torch.randn(rows, length, SYMBOLS, generator=random)
    content[..., [PAD, MASK]] = -torch.inf
    return Prediction(content, *torch.randn(3, rows, length, generator=random).unbind())


def none(state: State) -> Batch:
    return Batch(state, Edits.of(torch.zeros_like(state.ids)))


def test_it_is_the_mean_over_all_edits() -> None:
    state = stack((MASK,))
    teacher, model = prediction(0, 1, 1), prediction(1, 1, 1)
    found = imitation_loss(lambda _: teacher)(model, none(state))
    shares = [
        torch.stack((1 - bit, bit)).flatten()
        for bit in (teacher.remask.sigmoid(), teacher.insert.sigmoid(), teacher.delete.sigmoid())
    ]
    contents = teacher.content.softmax(-1).flatten()
    mean = dict.fromkeys(("content", "remask", "insert", "delete"), 0.0)
    for token, *bits in product(range(MASK + 1, SYMBOLS), (0, 1), (0, 1), (0, 1)):
        chance = contents[token] * torch.stack([share[bit] for share, bit in zip(shares, bits, strict=True)]).prod()
        edits = Edits(torch.tensor([[token]]), *(torch.tensor([[bool(bit)]]) for bit in bits))
        loss = supervised_loss(model, Batch(state, edits))
        for name in mean:
            mean[name] += float(chance * getattr(loss, name))
    for name, value in mean.items():
        torch.testing.assert_close(float(getattr(found, name)), value, atol=1e-5, rtol=1e-5)


def test_padding_and_tokens_that_cannot_be_written_weigh_nothing() -> None:
    short, long = stack((MASK, 2)), stack((MASK, 2), (3, 4, 2, MASK))
    teacher, model = prediction(0, 2, 4), prediction(1, 2, 4)

    def first(of: Prediction, length: int) -> Prediction:
        return of.map(lambda logits: logits[:1, :length])

    alone = imitation_loss(lambda _: first(teacher, 2))(first(model, 2), none(short))
    padded = imitation_loss(lambda _: first(teacher, 4))(first(model, 4), none(long[:1]))
    assert all(torch.isfinite(getattr(padded, name)) for name in HEADS)
    for name in HEADS:
        torch.testing.assert_close(getattr(alone, name), getattr(padded, name))
