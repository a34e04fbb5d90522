"""The fast oracle against a slow one on random states, and where following it leads."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.edits import Edits
from apmdm.pairs.oracle import oracle
from apmdm.pairs.sequence import END_ID, GO_ID, SEP_ID
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State, same_rows
from apmdm.step import transition
from apmdm.vocab import MASK, PAD
from support import stack

A, B, C = range(GO_ID + 1, GO_ID + 4)
Bits = tuple[list[int], list[bool], list[bool], list[bool]]
PAIR, DROP, MISS = range(3)


def slow_oracle(copy: list[int], target: list[int]) -> Bits:
    """Content, remask, insert, delete of GO and the copy after it."""

    @cache
    def cheapest(i: int, j: int) -> tuple[int, tuple[int, ...]]:
        """Cost and moves from copy[i:] to target[j:]; of equal costs the first move in the order of their numbers."""
        options = list[tuple[int, tuple[int, ...]]]()
        if (i, j) == (len(copy), len(target)):
            return 0, ()
        for move, cost in (
            (PAIR, pairing(i, j) if i < len(copy) and j < len(target) else None),
            (DROP, (0.4 if copy[i] == MASK else 1.001) if i < len(copy) else None),
            (MISS, 1.0 if j < len(target) else None),
        ):
            if cost is not None:
                rest, moves = cheapest(i + (move != MISS), j + (move != DROP))
                options.append((round(1000 * cost) + rest, (move, *moves)))
        return min(options)

    def pairing(i: int, j: int) -> float:
        return 0.0 if copy[i] == target[j] else 0.01 if copy[i] == MASK else 1.0

    content = [PAD] * (len(copy) + 1)
    remask, insert, delete = ([False] * (len(copy) + 1) for _ in range(3))
    before, places, missing, i, j = 0, list[tuple[int, int]](), 0, 0, 0

    def close_gap() -> None:
        for rank, (position, wanted) in enumerate(places):
            insert[position] = rank < missing
            remask[position] = copy[position - 1] != MASK or missing > 0
            content[position] = PAD if remask[position] else wanted
        if missing and not places:
            insert[before] = True

    for move in cheapest(0, 0)[1]:
        i, j = i + (move != MISS), j + (move != DROP)
        if move == DROP:
            delete[i], remask[i] = copy[i - 1] == MASK, copy[i - 1] != MASK
        elif move == MISS:
            missing += 1
        elif copy[i - 1] == target[j - 1]:
            close_gap()
            before, places, missing = i, [], 0
        else:
            places.append((i, target[j - 1]))
    close_gap()
    return content, remask, insert, delete


tokens = st.lists(st.sampled_from([MASK, A, B, C]), max_size=7)
targets = st.lists(st.sampled_from([A, B, C]), max_size=7)
cases = st.lists(st.tuples(tokens, targets), min_size=1, max_size=6)


def state_of(copies: list[list[int]]) -> State:
    """Each with a read-only part of another length."""
    return stack(*((SEP_ID, *[A] * row, END_ID, GO_ID, *copy) for row, copy in enumerate(copies)))


@given(cases)
def test_it_agrees_with_a_slow_one(rows: list[tuple[list[int], list[int]]]) -> None:
    state = state_of([copy for copy, _ in rows])
    edits = oracle(state, [target for _, target in rows])
    for row, (copy, target) in enumerate(rows):
        go = row + 2
        fields = (edits.content, edits.remask, edits.insert, edits.delete)
        content, *bits = (field[row, go : go + 1 + len(copy)].tolist() for field in fields)
        assert (content, *bits) == slow_oracle(copy, target)
        assert not any(field[row, :go].any() or field[row, go + 1 + len(copy) :].any() for field in fields)


def teacher(goal: list[int]) -> Callable[[State], Edits]:
    return lambda state: oracle(state, [goal] * len(state))


@given(st.lists(tokens, min_size=1, max_size=6), targets)
def test_from_every_state_it_leads_to_the_target_and_halts(copies: list[list[int]], goal: list[int]) -> None:
    state = state_of(copies)
    for run in rollouts(teacher(goal), [state.sequence(row) for row in range(len(state))]):
        assert run.final.ids.tolist() == [*state.ids[run.index, : run.index + 3].tolist(), *goal]
        assert run.stop == "fixed point"
        assert run.time <= 2 + len(goal).bit_length()


@pytest.mark.parametrize(
    ("copy", "goal", "steps"),
    [
        ("abc", "abc", []),
        ("abc", "abb", ["ab.", "abb"]),
        ("abc", "ac", ["a.c", "ac"]),
        ("a", "abbbb", ["a.", "a..", "a....", "abbbb"]),
        ("c", "abbbb", ["..", "....", ".....", "abbbb"]),
        ("", "ab", [".", "..", "ab"]),
        ("..", "", [""]),
        ("a..", "ab", ["ab"]),
        ("ab", "aba", ["ab.", "aba"]),
        ("aa", "a", ["a.", "a"]),
    ],
)
def test_runs_by_hand(copy: str, goal: str, steps: list[str]) -> None:
    ids = {".": MASK, "a": A, "b": B, "c": C}
    state, found = stack((GO_ID, *(ids[letter] for letter in copy))), list[str]()
    for _ in range(10):
        next_state = transition(state, oracle(state, [[ids[letter] for letter in goal]]))
        if same_rows(state, next_state).all():
            break
        state = next_state
        found.append("".join("?.???abc"[token] for token in state.ids[0, 1:].tolist()))
    assert found == steps


def test_without_go_nothing_fires() -> None:
    edits = oracle(stack((SEP_ID, A, MASK), (GO_ID, MASK)), [[B], [B]])
    assert not any(field[0].any() for field in (edits.content, edits.remask, edits.insert, edits.delete))
    assert edits.content[1].tolist() == [PAD, B, PAD]
    assert oracle(State.stack([]), []).content.shape == (0, 0)


def test_every_row_needs_a_target() -> None:
    with pytest.raises(ValueError, match="got 1 targets for 2 rows"):
        oracle(State.stack([Sequence(torch.tensor([GO_ID]))] * 2), [[A]])
