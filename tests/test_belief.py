"""Probabilities of answers: what a belief tells, and how it is fitted."""

import math

import pytest

from apmdm.belief import Belief, fitted

PAIR, UNLIKE = [-1.0, -1.0], [-1.0, -3.0]


def test_beliefs_are_fitted_to_what_was_right() -> None:
    """Of texts with equal scores each is right as often; where the right one is not found, something else is."""
    found = fitted([(PAIR, 0), (PAIR, 1), (PAIR, None)] * 300, Belief())
    assert found.of(PAIR) == pytest.approx([1 / 3] * 2, abs=0.01)
    found = fitted(([(UNLIKE, 0)] * 9 + [(UNLIKE, 1)]) * 100, Belief())
    assert found.of(UNLIKE)[0] == pytest.approx(0.9, abs=0.01)
    assert fitted([(PAIR, None)], Belief()).of(PAIR) == pytest.approx(Belief().of(PAIR), abs=0.1)


def test_what_a_belief_tells() -> None:
    first = 1 / (2 + math.exp(-2))
    assert Belief(0.0, 0.0, 1.0).of([-1.0, -1.0, -3.0]) == pytest.approx([first, first, 1 - 2 * first], abs=1e-5)
    assert Belief(0.0, 1.0, 0.0).of([0.0, 0.0]) == pytest.approx([1 / 2, 1 / 4])
    assert Belief().of([-math.inf]) == [0.0]
    assert Belief().of([]) == []
