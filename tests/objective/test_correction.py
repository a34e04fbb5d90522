"""Corrections: every state leads to the next by its edits, from any wrong sequence to any right one."""

from hypothesis import given
from hypothesis import strategies as st

from apmdm.objective.correction import correction
from apmdm.objective.self_supervised import labelled
from apmdm.step import transition
from apmdm.vocab import MASK

BEGIN = 9
sequences = st.lists(st.integers(2, 5), max_size=7).map(lambda tokens: [BEGIN, *tokens])


@given(sequences, sequences)
def test_each_state_becomes_the_next_and_the_last_one_stays(wrong: list[int], right: list[int]) -> None:
    rows = correction(wrong, right)
    states = [[spot.token for spot in row] for row in rows]
    assert (states[0], states[-1]) == (wrong, right)
    for row, following in zip(rows, [*states[1:], right], strict=True):
        batch = labelled([row])
        after = transition(batch.state, batch.edits)
        assert after.sequence(0).ids.tolist() == following


def test_only_what_differs_is_masked() -> None:
    rows = correction([BEGIN, 2, 3, 4, 5], [BEGIN, 2, 4, 5, 2, 3])
    assert [[spot.token for spot in row] for row in rows[1:-1]] == [
        [BEGIN, 2, MASK, 4, 5, MASK],
        [BEGIN, 2, 4, 5, 2, MASK],
    ]
    assert [[spot.token for spot in row] for row in correction([BEGIN, 2], [BEGIN, 2])] == [[BEGIN, 2]]
