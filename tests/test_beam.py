"""Beam search against all runs that there are, and answers against runs found from either side."""

import math
from collections import defaultdict

import pytest
import torch

from apmdm.beam import likeliest
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder, Shape
from apmdm.pairs.answers import answers, log_probabilities
from apmdm.pairs.sequence import RELATIONS, Code
from apmdm.pairs.table import Pair
from apmdm.pairs.writing import Writer
from apmdm.policy import Greedy
from apmdm.prediction import Prediction
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.step import transition
from apmdm.trace import Trace

CODE = Code(("a", "b"), ("N",))
SHAPE = Shape(width=16, layers=2, heads=2, attention="written", rotary=True, relations=RELATIONS)


def model_of(seed: int = 0) -> Encoder:
    """Deletes and stops often, so that few runs are long."""
    torch.manual_seed(seed)
    model = Encoder(CODE.vocab, SHAPE).eval().requires_grad_(False)
    model.controls.bias[:] = torch.tensor([0.0, -2.0, 0.5])
    for token in range(len(CODE.vocab)):
        if token not in CODE.character_ids:
            model.never[token] = -torch.inf
    return model


def every_run(model: Encoder, start: Sequence, least: float) -> list[tuple[float, tuple[int, ...]]]:
    """All runs with at least this log-probability: one decision at a time, one state at a time."""
    found, waiting = [], [(0.0, State.stack([start]))]
    writer = Writer(model)
    while waiting:
        score, state = waiting.pop()
        if not bool(state.masked.any()):
            found.append((score, tuple(state.ids[0].tolist())))
            continue
        said, at = writer(state), int(state.masked[0].int().argmax())
        assert isinstance(said, Prediction)
        here = Greedy()(said, state)
        for token in (None, *CODE.character_ids):
            for more in (False, True) if token is not None else (False,):
                content, insert, delete = (field.clone() for field in (here.content, here.insert, here.delete))
                content[0, at], insert[0, at], delete[0, at] = token or 0, more, token is None
                edits = type(here)(content, here.remask, insert, delete)
                total = score + float(said.log_probability(state, edits))
                if total >= least:
                    waiting.append((total, transition(state, edits)))
    return sorted(found, reverse=True)


@pytest.mark.parametrize("seed", range(3))
def test_a_wide_beam_finds_the_likeliest_runs(seed: int) -> None:
    model, start = model_of(seed), CODE.encode("ab", "N")
    (found,) = likeliest(Cached(model).at_first_mask, [start], 200)
    expected = every_run(model, start, found[9].log_probability - 1e-4)
    for run, (score, tokens) in zip(found[:10], expected, strict=False):
        assert run.log_probability == pytest.approx(score, abs=1e-4)
        assert run.stop == "fixed point"
        assert tuple(run.final.ids.tolist()) in [other for near, other in expected if abs(near - score) < 1e-4] + [
            tokens
        ]


def test_a_beam_of_one_is_the_greedy_run_of_single_decisions() -> None:
    """Where the likeliest single decision is the greedy one."""
    model = model_of(1)
    model.controls.bias[:] = torch.tensor([0.0, -6.0, -6.0])
    starts = [CODE.encode(source, "N") for source in ("ab", "", "abba")]
    greedy = sorted(rollouts(Writer(model), starts), key=lambda run: run.index)
    for (run,), other in zip(likeliest(Cached(model).at_first_mask, starts, 1, record=True), greedy, strict=True):
        assert run.final.ids.equal(other.final.ids)
        assert (run.index, run.time, run.space, run.work) == (other.index, other.time, other.space, other.work)
        assert run.log_probability == pytest.approx(other.log_probability, abs=1e-4)
        trace = Trace(CODE.vocab, run.steps, tuple(run.final.ids.tolist()))
        assert trace.states()[-1].ids.equal(run.final.ids)


def test_runs_that_do_not_end_are_cut_off() -> None:
    model = model_of()
    model.controls.bias[:] = torch.tensor([0.0, 9.0, -9.0])
    (found,) = likeliest(Cached(model).at_first_mask, [CODE.encode("a")], 2, max_steps=7)
    assert [(run.stop, run.time) for run in found] == [("step budget", 7)] * 2


def test_answers_pool_both_sides() -> None:
    """The score of a text is the mean of its log-probabilities from both sides, each summed over all its runs."""
    model, problems = model_of(), [Pair("ab", "", "N"), Pair("", "")]
    model.controls.bias[1] = -6.0
    for pair, told in zip(problems, answers(model, CODE, problems, 60), strict=True):
        sides = []
        for mirrored in (False, True):
            sums = defaultdict(float)
            for score, ids in every_run(model, CODE.encode(pair.source, pair.features, mirrored), -11.0):
                text = CODE.decode(pair.source, Sequence(torch.tensor(ids)))
                assert text is not None
                sums[text] += math.exp(score)
            sides.append(sums)
        for answer in told[:4]:
            assert answer.text is not None
            assert answer.score == pytest.approx(sum(math.log(side[answer.text]) for side in sides) / 2, abs=0.02)
        assert [answer.score for answer in told] == sorted((answer.score for answer in told), reverse=True)


def test_a_text_that_one_side_did_not_find_is_scored_by_the_lessons_run() -> None:
    model, pair = model_of(), Pair("ab", "bab", "N")
    for mirrored in (False, True):
        (score,) = log_probabilities(model, CODE, [(pair, mirrored)])
        runs = every_run(model, CODE.encode(pair.source, pair.features, mirrored), score - 1e-3)
        assert any(one == pytest.approx(score, abs=1e-4) for one, _ in runs)
