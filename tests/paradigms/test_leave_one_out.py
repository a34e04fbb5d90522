"""A mask-only model's doubt in a token is its probability of any other, with the token masked."""

import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.paradigms.leave_one_out import LeaveOneOut
from apmdm.vocab import MASK, Vocab
from support import stack

VOCAB = Vocab.of("BEGIN", "a", "b")
BEGIN, A, B = VOCAB.encode(["BEGIN", "a", "b"])


@torch.no_grad()
def test_doubt_by_hand() -> None:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=16, layers=1, heads=2, rotary=True))
    found = LeaveOneOut(model)(stack((BEGIN, A, B, A), (BEGIN, B)))
    for masked, row, place, token in (((BEGIN, MASK, B, A), 0, 1, A), ((BEGIN, MASK), 1, 1, B)):
        chance = model(stack(masked)).content[0, place].softmax(-1)[token]
        assert torch.isclose(found.remask[row, place].sigmoid(), 1 - chance, atol=1e-5)
    assert not bool(found.remask[:, 0].sigmoid().any() | found.insert.sigmoid().any() | found.delete.sigmoid().any())
