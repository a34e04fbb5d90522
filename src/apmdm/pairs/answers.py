"""The most probable answers to problems of pairs, found by beam search from both ends."""

import math
from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from typing import Any

import torch

from apmdm.beam import likeliest
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder
from apmdm.pairs.lessons import labelled, lesson
from apmdm.pairs.sequence import Code
from apmdm.pairs.table import Pair
from apmdm.pairs.writing import only_at
from apmdm.sampler import Run

PER_PASS = 256
"""Answers whose probability is computed at once."""


@dataclass(frozen=True)
class Answer:
    """A text, and the most probable run that writes it, from the left if possible. Without text no run has ended.

    score: the mean of its log-probabilities from the left and from the right.
    """

    text: str | None
    score: float
    run: Run


def answers(
    model: Encoder, code: Code, problems: Seq[Pair], width: int, *, device: str = "cpu", **limits: Any
) -> list[list[Answer]]:
    """For each problem the texts that a beam of this width finds from either end, the most probable first.

    From each side the probability of a text is summed over the runs that were found, or that of the run that lessons
    show if none was.
    """
    starts = [code.encode(pair.source, pair.features, mirrored) for pair in problems for mirrored in (False, True)]
    runs = likeliest(Cached(model).at_first_mask, starts, width, device=device, **limits)
    sides = [_by_text(code, problems[number // 2].source, found) for number, found in enumerate(runs)]
    missing = [
        (number, text) for number in range(len(sides)) for text in sides[number ^ 1] if text not in sides[number]
    ]
    asked = [(replace(problems[number // 2], target=text), bool(number % 2)) for number, text in missing]
    for (number, text), score in zip(missing, log_probabilities(model, code, asked, device), strict=True):
        sides[number][text] = score, None
    return [
        _pooled(*sides[first : first + 2]) or [Answer(None, -math.inf, runs[first][0])]
        for first in range(0, len(sides), 2)
    ]


def log_probabilities(
    model: Encoder, code: Code, asked: Seq[tuple[Pair, bool]], device: str = "cpu"
) -> Iterator[float]:
    """How probable it is, in nats, that a model writes the target of a pair as lessons do, mirrored or not."""
    for first in range(0, len(asked), PER_PASS):
        batch = labelled([lesson(code, pair, mirrored=mirrored) for pair, mirrored in asked[first : first + PER_PASS]])
        batch = batch.to(torch.device(device))
        with torch.no_grad():
            said = model(batch.state)
        decided = only_at(batch.state.masked, said, batch.state)
        yield from decided.log_probability(batch.state, batch.edits).tolist()


def _by_text(code: Code, source: str, runs: list[Run]) -> dict[str, tuple[float, Run | None]]:
    found: dict[str, tuple[float, Run | None]] = {}
    for run in runs:
        text = code.decode(source, run.final)
        if text is not None:
            score, best = found.get(text, (-math.inf, run))
            found[text] = float(torch.logaddexp(torch.tensor(score), torch.tensor(run.log_probability))), best
    return found


def _pooled(left: dict[str, tuple[float, Run | None]], right: dict[str, tuple[float, Run | None]]) -> list[Answer]:
    found = []
    for text, (score, run) in left.items():
        other, mirrored = right[text]
        shown = run or mirrored
        assert shown is not None
        found.append(Answer(text, (score + other) / 2, shown))
    return sorted(found, key=lambda answer: -answer.score)
