"""The search for corrections finds what trying everything finds, and its runs are legal."""

import math
from collections import defaultdict
from itertools import product

import pytest
import torch

from apmdm import corrections
from apmdm.corrections import corrected
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import MASK, Vocab
from support import sequence, stack, tokens_of

VOCAB = Vocab.of("BEGIN", "a", "b")
BEGIN, A, B = VOCAB.encode(["BEGIN", "a", "b"])


@pytest.fixture
def model() -> Encoder:
    torch.manual_seed(0)
    encoder = Encoder(VOCAB, Shape(width=16, layers=1, heads=2, rotary=True)).eval()
    for parameter in encoder.parameters():
        parameter.data.mul_(2)
    return encoder


def quiet(state: State) -> Prediction:
    """Nothing is wrong, and every MASK is an `a`."""
    content = torch.zeros(*state.ids.shape, len(VOCAB))
    content[..., A] = 9.0
    never = torch.full(state.ids.shape, -9.0)
    return Prediction(content, never, never, never)


def nothing_wrong(said: Prediction) -> float:
    bits = torch.cat((said.remask[0, 1:], said.insert[0])).sigmoid()
    return max(1e-9, 1 - float(bits.sum()), corrections.LEAST * float((1 - bits).prod()))


def tried(model: Encoder, tokens: tuple[int, ...], chance: float = 1.0, filling: bool = False) -> dict[tuple, float]:
    """The probability of every end, by trying every first step and every way to decide the surest MASK."""
    state, found = stack(tokens), defaultdict[tuple, float](float)
    with torch.no_grad():
        said = model(state)
    content, delete = said.content[0].softmax(-1), said.delete[0].sigmoid()
    if MASK in tokens:
        at = max((i for i, token in enumerate(tokens) if token == MASK), key=lambda i: float(content[i].max()))
        ways = [(float(delete[at]), tokens[:at] + tokens[at + 1 :])]
        for token in range(len(VOCAB)):
            ways.append((float((1 - delete[at]) * content[at, token]), (*tokens[:at], token, *tokens[at + 1 :])))
        for share, after in ways:
            if share > 0:
                for end, probability in tried(model, after, chance * share, filling=True).items():
                    found[end] += probability
        return found
    found[tokens] += chance * nothing_wrong(said)
    if filling:
        return found
    for remask in product((False, True), repeat=len(tokens) - 1):
        for insert in product((False, True), repeat=len(tokens)):
            fired = [*said.remask[0, 1:][list(remask)].sigmoid(), *said.insert[0][list(insert)].sigmoid()]
            if fired:
                bits = torch.tensor([[False, *remask]]), torch.tensor([insert])
                edits = Edits(torch.zeros_like(state.ids), *bits, torch.zeros_like(state.masked))
                after = tokens_of(transition(state, edits), 0)
                for end, probability in tried(model, after, chance * math.prod(map(float, fired)), True).items():
                    found[end] += probability
    return found


@pytest.mark.parametrize("tokens", [(BEGIN, A), (BEGIN, A, B), (BEGIN, MASK, B), (BEGIN, B, MASK, MASK)])
def test_a_search_without_limits_finds_what_trying_everything_finds(
    model: Encoder, tokens: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WIDTH", "DOUBTED", "FLIPPED", "WRITTEN"):
        monkeypatch.setattr(corrections, name, 10_000)
    (runs,) = corrected(model, [sequence(tokens)])
    expected = tried(model, tokens)
    assert {tokens_of(State.stack([run.final]), 0) for run in runs} == expected.keys()
    chances = [run.log_probability for run in runs]
    assert chances == sorted(chances, reverse=True)
    for run in runs:
        assert math.exp(run.log_probability) == pytest.approx(expected[tokens_of(State.stack([run.final]), 0)], 1e-3)


def test_runs_are_legal_and_counted(model: Encoder) -> None:
    for run in next(corrected(model, [sequence((BEGIN, A, B, B))], record=True)):
        state = stack((BEGIN, A, B, B))
        for step in run.steps:
            state = transition(state, step.edits())
        assert tokens_of(state, 0) == tokens_of(State.stack([run.final]), 0)
        assert run.time == len(run.steps)
        assert run.computed > run.work


def test_what_is_right_stays_and_a_gap_is_filled() -> None:
    right, gap = corrected(quiet, [sequence((BEGIN, B, B)), sequence((BEGIN, B, MASK))])
    assert [(tokens_of(State.stack([one[0].final]), 0), one[0].time) for one in (right, gap)] == [
        ((BEGIN, B, B), 0),
        ((BEGIN, B, A), 1),
    ]
