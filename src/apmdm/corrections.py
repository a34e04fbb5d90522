"""The most probable right sequences for one with errors: a noisy channel (Kernighan, Church and Gale 1990).

How probable a sequence is, a model says that writes it, from the left and from the right. How probable it is that
random errors make of it what is given, follows from how `with_errors` draws them: each replaces, removes or adds a
token equally often, and 0 to MAX_ERRORS errors are equally probable.

The search undoes one error after another. What an edit leads to is a token between a beginning and an end that stay.
How probable it seems is how probable the beginning is from the left, the end from the right, and the token beside
either. The outcomes that seem best are tried, and the best of these are edited further. A MASK stands for any token.
"""

import math
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from itertools import islice
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import logsigmoid, pad

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder
from apmdm.objective.correction import correction
from apmdm.objective.self_supervised import MAX_ERRORS
from apmdm.objective.writing import with_places
from apmdm.sampler import Run
from apmdm.state import Sequence, State
from apmdm.vocab import MASK

Tokens = tuple[int, ...]
AT_ONCE, TRIED, EDITED, TOLD = 16, 32, 8, 50
"""Sequences searched at once; outcomes that are tried for each in a round, those of them that are edited further, and
those that are told in the end."""
POSITIONS = 2**14
"""How many a model is given at once, about."""


@dataclass(frozen=True)
class Corrector:
    """What a model that writes sequences makes of those that have errors.

    tokens: those that sequences are made of, behind the one that all begin with. end: the one that they begin with when
    they are read from the right. A Corrector takes, as a step, the first one towards the most probable right sequence.
    """

    model: Encoder
    tokens: Seq[int]
    end: int

    def __call__(self, state: State) -> Edits:
        starts = [state.sequence(row) for row in range(len(state))]
        device, nothing = str(state.ids.device), Edits.of(torch.zeros(1, 0, dtype=torch.long))
        best = [runs[0].steps for runs in self.runs(starts, record=True, device=device)]
        steps = [steps[0].edits() if steps else nothing for steps in best]
        padded = (one.map(lambda field: pad(field, (0, state.ids.shape[1] - field.shape[1]))) for one in steps)
        return Edits(*map(torch.cat, zip(*(one.tensors for one in padded), strict=True))).to(device)

    def runs(self, starts: Iterable[Sequence], *, record: bool = False, device: str = "cpu") -> Iterator[list[Run]]:
        """For each start runs to the most probable right sequences, the most probable first.

        The probability of a run is its share of all outcomes that were thought of.
        """
        numbered, tokens = enumerate(starts), torch.tensor(self.tokens)
        while group := list(islice(numbered, AT_ONCE)):
            searches = [_Search(index, tuple(start.ids.tolist()), tokens) for index, start in group]
            while texts := [text for search in searches for text in search.tried]:
                said = iter(_said(self.model, texts, self.end, device))
                for search in searches:
                    search.hear(list(islice(said, len(search.tried))))
            yield from (search.runs(record) for search in searches)


class _Said(NamedTuple):
    """How probable a model takes each token to be between a beginning and an end of a sequence, as logarithms.

    A row is for a place between tokens. left: what comes behind the tokens before it. right: what comes in front of
    those behind it. The last column of both is that nothing comes. before and behind: how probable these tokens are.
    whole: how probable the sequence is, the geometric mean from both sides.
    """

    left: Float[Tensor, "places columns"]
    right: Float[Tensor, "places columns"]
    before: Float[Tensor, "places"]
    behind: Float[Tensor, "places"]
    whole: float


def _said(model: Encoder, texts: Seq[Tokens], end: int, device: str) -> Iterator[_Said]:
    size = max(1, POSITIONS // (2 * max(map(len, texts))))
    for first in range(0, len(texts), size):
        yield from _said_at_once(model, texts[first : first + size], end, device)


@torch.no_grad()
def _said_at_once(model: Encoder, texts: Seq[Tokens], end: int, device: str) -> Iterator[_Said]:
    left = _from_one_side(model, texts, device)
    right = _from_one_side(model, [(end, *text[:0:-1]) for text in texts], device)
    for number, text in enumerate(texts):
        (after, before, whole), (ahead, behind, other) = (
            (side[0][number, : len(text)], side[1][number, : len(text)], side[2][number]) for side in (left, right)
        )
        yield _Said(after, ahead.flip(0), before, behind.flip(0), (whole + other) / 2)


def _from_one_side(
    model: Encoder, texts: Seq[Tokens], device: str
) -> tuple[Float[Tensor, "texts places columns"], Float[Tensor, "texts places"], list[float]]:
    """What comes next at each place, how probable the tokens before it are, and each whole text."""
    state = State.stack([with_places(text) for text in texts])
    said, tokens = model(state.to(device)), state.ids[:, 2::2]
    content, delete = said.content[:, 1::2].float().log_softmax(-1), said.delete[:, 1::2, None].float()
    after = torch.cat((content + logsigmoid(-delete), logsigmoid(delete)), -1).cpu()
    own = after[:, :-1].gather(2, tokens[..., None])[..., 0].masked_fill(tokens <= MASK, 0.0)
    before = pad(own.cumsum(1), (1, 0))
    last = torch.arange(len(texts)), state.lengths // 2 - 1
    return after, before, (before[last] + after[*last, -1]).tolist()


@dataclass(frozen=True)
class _Outcome:
    """seems: how probable it seems. chance: that errors make of it what is given. errors: how many these are."""

    seems: float = 0.0
    chance: float = 0.0
    errors: int = 0


class _Search:
    """The search for one sequence. Probabilities are logarithms.

    open: outcomes of edits that were not tried. tried: those that are tried now. found: how probable each is that was
    tried. costs: how probable an error is that removes, replaces or adds a token.
    """

    def __init__(self, index: int, given: Tokens, tokens: Tensor) -> None:
        length, num = max(1, len(given) - 1), len(tokens)
        self.costs = [-math.log(3 * ways) for ways in (length + 1, length * max(1, num - 1), length * num)]
        self.index, self.given, self.tokens, self.computed = index, given, tokens, 0
        self.rounds = MAX_ERRORS + given.count(MASK)
        self.open = dict[Tokens, _Outcome]()
        self.tried, self.found = {given: _Outcome()}, dict[Tokens, float]()

    def hear(self, said: Seq[_Said]) -> None:
        """Edit the best of what was tried, and choose what is tried next, what has the fewest MASKs first."""
        for (text, outcome), one in zip(self.tried.items(), said, strict=True):
            self.computed += 4 * len(text)
            self.found[text] = outcome.chance + one.whole
        heard = list(zip(self.tried.items(), said, strict=True))
        heard.sort(key=lambda one: (one[0][0].count(MASK), -self.found[one[0][0]]))
        for (text, outcome), one in heard[:EDITED]:
            for after, more in self._filled(text, outcome, one) if MASK in text else self._edited(text, outcome, one):
                known = self.open.get(after)
                if after not in self.found and (known is None or known.seems < more.seems):
                    self.open[after] = more
        best = sorted(self.open, key=lambda text: (text.count(MASK), -self.open[text].seems))
        best = best[: TRIED if self.rounds > 0 else 0]
        self.tried, self.rounds = {text: self.open.pop(text) for text in best}, self.rounds - 1

    def _filled(self, text: Tokens, outcome: _Outcome, said: _Said) -> Iterator[tuple[Tokens, _Outcome]]:
        """The sequences with a token for the first MASK."""
        at = text.index(MASK)
        seems = said.before[at - 1] + said.behind[at] + (said.left[at - 1] + said.right[at])[self.tokens]
        best = (seems + outcome.chance).topk(min(TRIED, len(seems)))
        for score, token in zip(best.values.tolist(), self.tokens[best.indices].tolist(), strict=True):
            yield (*text[:at], token, *text[at + 1 :]), replace(outcome, seems=score)

    def _edited(self, text: Tokens, outcome: _Outcome, said: _Said) -> Iterator[tuple[Tokens, _Outcome]]:
        """The sequences with one error less: a token is put in, replaced or taken out."""
        if outcome.errors == MAX_ERRORS:
            return
        own, columns = torch.tensor(text[1:], dtype=torch.long), self.tokens
        left, right = said.left[:, columns], said.right[:, columns]
        kinds = [(said.before + said.behind)[:, None] + left + right]
        if len(own):
            replaced = (said.before[:-1] + said.behind[1:])[:, None] + left[:-1] + right[1:]
            kinds.append(replaced.masked_fill(columns == own[:, None], -math.inf))
        if len(own) > 1:
            following = pad(own[1:], (0, 1), value=said.left.shape[1] - 1)[:, None]
            taken_out = said.before[:-1] + said.left[:-1].gather(1, following)[:, 0]
            taken_out[:-1] += said.behind[2:] + said.right[2:].gather(1, following[:-1])[:, 0]
            kinds.append(taken_out[:, None])
        for kind, seems in enumerate(kinds):
            cost = self.costs[kind] + math.log(outcome.errors + 1)
            best = (seems.flatten() + outcome.chance + cost).topk(min(TRIED, seems.numel()))
            for score, number in zip(best.values.tolist(), best.indices.tolist(), strict=True):
                at, column = divmod(number, seems.shape[1])
                token = () if kind == 2 else (int(columns[column]),)
                after = (*text[: 1 + at], *token, *text[1 + at + (kind > 0) :])
                yield after, _Outcome(score, outcome.chance + cost, outcome.errors + 1)

    def runs(self, record: bool) -> list[Run]:
        ends = sorted(((score, text) for text, score in self.found.items() if MASK not in text), reverse=True)
        scores = [score for score, _ in ends] + [outcome.seems for outcome in self.open.values()]
        whole = float(torch.tensor(scores).logsumexp(0))
        return [replace(self._run(text, record), log_probability=score - whole) for score, text in ends[:TOLD]]

    def _run(self, right: Tokens, record: bool) -> Run:
        states = [tuple(spot.token for spot in spots) for spots in correction(self.given, right)]
        return replace(Run.through(self.index, list(dict.fromkeys(states)), record), computed=self.computed)
