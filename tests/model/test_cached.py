"""Keys and values that are kept change no prediction, whatever rows leave, come or change places."""

import pytest
import torch

from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder, Shape
from apmdm.policy import Append
from apmdm.prediction import Prediction
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, Vocab
from support import sequence

VOCAB = Vocab.of("a", "b", "c", "END", "ONE", "OTHER")
A, B, C, END = VOCAB.encode(["a", "b", "c", "END"])
SHAPES = [
    Shape(width=16, layers=2, heads=2, attention="causal", rotary=True),
    Shape(width=16, layers=2, heads=2, attention="causal", absolute=24),
]


def encoder(shape: Shape, conditions: tuple[str, ...] = ()) -> Encoder:
    """With large weights, so that what it says depends on all it sees. It writes no condition."""
    torch.manual_seed(0)
    model = Encoder(VOCAB, shape, conditions=conditions)
    with torch.no_grad():
        model.content.bias[-2:] = -100
        for name, parameter in model.named_parameters():
            if name.endswith("widen"):
                parameter.normal_(std=0.1)
        for parameter in model.layers.parameters():
            parameter.mul_(2)
        model.content.weight.mul_(5)
    return model


def prompts(count: int) -> list[Sequence]:
    random = torch.Generator().manual_seed(1)
    lengths = torch.randint(1, 7, (count,), generator=random).tolist()
    first = VOCAB.encode(["a", "ONE", "OTHER"])
    return [sequence((first[n % 3], *torch.randint(A, END, (n,), generator=random).tolist(), MASK)) for n in lengths]


@pytest.mark.parametrize("shape", SHAPES, ids=["rotary", "absolute"])
@pytest.mark.parametrize("conditions", [(), ("ONE", "OTHER")], ids=["", "conditions"])
@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_a_cache_changes_nothing(shape: Shape, conditions: tuple[str, ...], batch_size: int) -> None:
    """Along whole runs, with rows that end and others that take their places."""
    model = encoder(shape, conditions)
    cached, furthest = Cached(model), 0.0

    def both(state: State) -> Prediction:
        nonlocal furthest
        kept, plain = cached(state), model(state)
        read = (state.lengths - 1 - state.masked.sum(1))[:, None]
        row = torch.arange(len(state))[:, None]
        for name in ("content", "remask", "insert", "delete"):
            gap = (getattr(kept, name)[row, read] - getattr(plain, name)[row, read]).nan_to_num().abs()
            furthest = max(furthest, float(gap.max()))
        return kept

    runs = list(rollouts(both, prompts(8), Append(END), batch_size=batch_size, max_length=16))
    assert len(runs) == 8
    assert max(run.time for run in runs) > 5
    assert furthest < 1e-5


def test_only_the_new_token_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    model, computed = encoder(SHAPES[0]), []
    real = Encoder.predict_at
    monkeypatch.setattr(
        Encoder, "predict_at", lambda self, ids, *rest: computed.append(ids.shape) or real(self, ids, *rest)
    )
    cached = Cached(model)
    for length in (3, 4, 5):
        cached(State.stack([sequence((*[A] * length, MASK)), sequence((*[B] * length, MASK))]))
    assert computed == [(2, 3), (2, 1), (2, 1)]


def test_an_encoder_that_looks_ahead_is_refused() -> None:
    with pytest.raises(ValueError, match="in a causal encoder, or in one of written attention, only"):
        Cached(encoder(Shape(width=16, layers=1, heads=2)))
