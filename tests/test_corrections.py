"""The search for corrections finds what trying everything finds, and its runs are legal."""

import math
from itertools import product

import pytest
import torch

from apmdm import corrections
from apmdm.corrections import Corrector
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.writing import writing
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import MASK, Vocab
from support import sequence, stack, tokens_of

VOCAB = Vocab.of("BEGIN", "END", "a", "b", "c")
BEGIN, END, A, B, C = VOCAB.encode(["BEGIN", "END", "a", "b", "c"])
LETTERS = A, B, C


@pytest.fixture
def model() -> Encoder:
    torch.manual_seed(1)
    encoder = Encoder(VOCAB, Shape(width=16, layers=1, heads=2, attention="written", rotary=True)).eval()
    for parameter in encoder.parameters():
        parameter.data.mul_(3)
    return encoder


def written(model: Encoder, first: int, text: tuple[int, ...]) -> float:
    """How probable it is that a run from one side writes this text, step by step."""
    total = 0.0
    for place in range(len(text) + 1):
        with torch.no_grad():
            said = model(stack((first, *text[:place], MASK)))
        ends = float(said.delete[0, -1].sigmoid())
        content = said.content[0, -1].log_softmax(-1)
        total += math.log(ends) if place == len(text) else math.log(1 - ends) + float(content[text[place]])
    return total


def once_wrong(text: tuple[int, ...], given: tuple[int, ...]) -> set[str]:
    """By which kinds of one error a text becomes what is given."""
    found = set()
    for place in range(len(text) + 1):
        if (*text[:place], *text[place + 1 :]) == given and place < len(text):
            found.add("removed")
        for letter in LETTERS:
            if (*text[:place], letter, *text[place:]) == given:
                found.add("added")
            if place < len(text) and text[place] != letter and (*text[:place], letter, *text[place + 1 :]) == given:
                found.add("replaced")
    return found


@pytest.mark.parametrize("given", [(A,), (A, B), (C, B, A), (A, A, B)])
def test_with_one_error_a_search_finds_what_trying_everything_finds(
    model: Encoder, given: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("TRIED", "TOLD"):
        monkeypatch.setattr(corrections, name, 10_000)
    monkeypatch.setattr(corrections, "MAX_ERRORS", 1)
    (runs,) = Corrector(model, LETTERS, END).runs([sequence((BEGIN, *given))])
    length, num = len(given), len(LETTERS)
    costs = {"replaced": 3 * length * (num - 1), "removed": 3 * (length + 1), "added": 3 * length * num}
    expected = {given: (written(model, BEGIN, given) + written(model, END, given[::-1])) / 2}
    for text in (t for n in range(1, length + 2) for t in product(LETTERS, repeat=n)):
        for kind in once_wrong(text, given):
            both = written(model, BEGIN, text) + written(model, END, text[::-1])
            expected[text] = both / 2 - math.log(costs[kind])
    whole = math.log(sum(map(math.exp, expected.values())))
    found = {tokens_of(State.stack([run.final]), 0)[1:]: run.log_probability for run in runs}
    assert found.keys() == expected.keys()
    assert list(found.values()) == sorted(found.values(), reverse=True)
    for text, score in expected.items():
        assert found[text] == pytest.approx(score - whole, abs=1e-4)


def test_outcomes_seem_as_probable_as_a_token_between_a_beginning_and_an_end(model: Encoder) -> None:
    given = (A, B, C)

    def begun(first: int, text: tuple[int, ...]) -> float:
        return sum(following(first, text[:place])[text[place]] for place in range(len(text)))

    def following(first: int, text: tuple[int, ...]) -> list[float]:
        with torch.no_grad():
            said = model(stack((first, *text, MASK)))
        ends = float(said.delete[0, -1].sigmoid())
        return [*(said.content[0, -1].log_softmax(-1) + math.log(1 - ends)).tolist(), math.log(ends)]

    expected = dict[tuple[int, ...], float]()
    for start, stop in ((i, j) for i in range(4) for j in range(i, min(i + 3, 4))):
        tokens = LETTERS if stop < start + 2 else (given[stop - 1],)
        for token in tokens:
            before, behind = given[:start], given[stop:]
            beside = following(BEGIN, before)[token] + following(END, behind[::-1])[token]
            after = (*before, token, *behind)
            seems = (
                begun(BEGIN, before)
                + begun(END, behind[::-1])
                + beside
                - math.log(3 * {0: 4, 1: 3 * 2, 2: 3 * 3}[stop - start])
            )
            expected[after] = max(seems, expected.get(after, -math.inf))
    shorter = begun(BEGIN, (A, B)) + following(BEGIN, (A, B))[-1] - math.log(3 * 3 * 3)
    expected[A, B] = max(shorter, expected.get((A, B), -math.inf))
    search = corrections._Search(0, (BEGIN, *given), torch.tensor(LETTERS))
    search.hear(list(corrections._said(model, [(BEGIN, *given)], END, "cpu")))
    seen = {text[1:]: outcome.seems for text, outcome in [*search.tried.items(), *search.open.items()]}
    del expected[given]
    assert seen == pytest.approx(expected, abs=1e-4)


def test_up_to_three_errors_are_undone_and_gaps_filled(model: Encoder) -> None:
    """A model that has learned one text by heart finds it."""
    text = (A, B, C, C, A, B)
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        batch = writing([(BEGIN, *text), (END, *text[::-1])])
        said = model(batch.state)
        content = said.content.log_softmax(-1).gather(-1, batch.edits.content[..., None])[..., 0]
        loss = -content[batch.edits.unmasked(batch.state)].mean()
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(said.delete, batch.edits.delete.float())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    wrong = (
        text,
        (A, C, C, A, B),
        (A, B, B, C, A, A, B),
        (B, B, C, C, B),
        (MASK, B, C, MASK, A, B),
        (A, MASK, C, C, B),
    )
    starts = [sequence((BEGIN, *one)) for one in wrong]
    for start, runs in zip(starts, Corrector(model, LETTERS, END).runs(starts, record=True), strict=True):
        assert tokens_of(State.stack([runs[0].final]), 0) == (BEGIN, *text)
        assert sum(math.exp(run.log_probability) for run in runs) <= 1 + 1e-6
        state = State.stack([start])
        for step in runs[0].steps:
            state = transition(state, step.edits())
        assert tokens_of(state, 0) == (BEGIN, *text)
        assert runs[0].time == len(runs[0].steps)
        (alone,) = Corrector(model, LETTERS, END).runs([start])
        assert runs[0].computed == alone[0].computed >= runs[0].work
    state = State.stack(starts)
    steps = transition(state, Corrector(model, LETTERS, END)(state))
    assert tokens_of(steps, 0) == (BEGIN, *text)
    assert tokens_of(steps, 1) == (BEGIN, A, MASK, C, C, A, B)


def test_many_gaps_and_nothing_at_all_have_answers(model: Encoder, monkeypatch: pytest.MonkeyPatch) -> None:
    """More outcomes than are tried do not keep gaps from being filled, and what has become empty was something."""
    monkeypatch.setattr(corrections, "TRIED", 4)
    starts = [sequence((BEGIN, *text)) for text in ([MASK] * 9, [A, MASK, B, MASK, C, MASK, A, MASK], ())]
    *gaps, nothing = Corrector(model, LETTERS, END).runs(starts, record=True)
    for runs in gaps:
        assert not bool((runs[0].final.ids == MASK).any())
    assert {len(run.final) for run in nothing} >= {1, 2}
