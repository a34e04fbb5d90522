"""The Dyck generator without sampling: the same chances as weights, and a run for every word."""

from math import inf

import pytest

from apmdm.tasks.dyck.process import process
from apmdm.tasks.dyck.uniform import num_words
from apmdm.theory import dyck, support
from apmdm.theory.compile import compile_policy

ROUNDING = 5e-6
"""Of chances by weights: logits of about 30 in float32. Some CPUs came to 2e-6."""


@pytest.mark.parametrize(("language", "length"), [("k1", 2), ("k2", 2), ("k2", 4)])
def test_weights_have_the_chances_of_the_policy(language: str, length: int) -> None:
    by_policy = support.chain(dyck.policy(31), language, length)
    by_weights = support.chain(compile_policy(dyck.policy(31), 16), language, length)
    assert by_policy.keys() == by_weights.keys()
    for state, chances in by_policy.items():
        assert sum(chances.values()) == pytest.approx(1, abs=1e-12)
        assert by_weights[state] == pytest.approx(chances, abs=ROUNDING)
    written = support.word_chances(by_policy, language, length)
    assert set(written) == set(support.words(language, length))
    assert sum(written.values()) == pytest.approx(1, abs=1e-6)
    assert support.word_chances(by_weights, language, length) == pytest.approx(written, abs=ROUNDING)


@pytest.mark.parametrize("length", [2, 4, 6, 8])
def test_every_word_has_a_run(length: int) -> None:
    wanted = support.words("k2", length)
    assert len(wanted) == num_words("k2", length)
    assert min(support.log_chances(dyck.policy(31), "k2", wanted)) > -inf, "nothing that is ruled out was needed"


def test_what_is_no_word_has_none() -> None:
    with pytest.raises(ValueError, match="no pair of neighbours"):
        support.log_chances(process, "k2", ["abAB"])
