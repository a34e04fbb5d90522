"""The process against rules on symbols, its words against the language, its windows against those of real runs."""

from collections.abc import Sequence as Seq

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.policy import Stochastic
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.process import (
    CROWDED_CHANCE,
    CUTOFF,
    FUEL,
    HOP_CHANCE,
    KIND,
    LETTER,
    LETTERS,
    MASKED,
    OUTSIDE,
    PAIR,
    REACH,
    START_CHANCE,
    VOCAB,
    decode,
    encode,
    process,
)
from apmdm.tasks.dyck.task import Dyck, WordRequest
from apmdm.tasks.dyck.uniform import num_words
from apmdm.tasks.dyck.verify import is_word
from apmdm.tasks.dyck.windows import WIDTH, around, reachable
from apmdm.theory.support import chain, words

MASK, MASK_ID = "<mask>", VOCAB.ids["<mask>"]
NONE = ""


def slow_rules(symbols: Seq[str], i: int) -> tuple[float, float, float, dict[str, float]]:
    """Chances of remask, insert and delete at a position, and of each content if it is unmasked there."""

    def at(offset: int) -> str:
        return symbols[i + offset] if 0 <= i + offset < len(symbols) else NONE

    def kind(offset: int) -> str:
        name = at(offset).split("@")[0]
        return "letter" if name in LETTERS else name

    def of(offset: int) -> str:
        return at(offset).split("@")[1]

    landed = kind(1) == "letter" and kind(2) == "FUEL"
    if kind(0) == MASK:
        if kind(1) == "PAIR":
            return 0, 0, 0, {of(1): 1}
        if kind(-1) == "PAIR":
            return 0, 0, 0, {LETTERS[LETTERS.index(of(-1)) ^ 1]: 1}
        if kind(-1) == "FUEL" and kind(1) != "HOP" and not landed:
            hop = HOP_CHANCE if kind(1) == "letter" else 0
            letters = "([{" if of(-1) == "brackets" else LETTERS[: 2 * int(of(-1)[1])]
            pairs = {f"PAIR@{letter}": (1 - hop) / len(letters) for letter in letters}
            return 0, 1, 0, pairs | ({f"HOP@{of(-1)}": hop} if hop else {})
        if kind(-1) == "letter" and kind(-2) == "HOP" and kind(1) != "HOP" and not landed:
            return 0, 0, 0, {f"FUEL@{of(-2)}": 1}
        return 0, 0, 1, {}
    if kind(0) == "FUEL":
        if kind(1) in ("PAIR", "HOP"):
            return float(kind(2) == MASK), 0, 0, {}
        waits = kind(1) == MASK or landed
        return 0, 0 if waits else CROWDED_CHANCE if kind(1) == "FUEL" else START_CHANCE, 0, {}
    if kind(0) == "HOP":
        return float(landed), 0, 0, {}
    if kind(0) == "PAIR":
        return float(kind(-1) == "letter"), 0, 0, {}
    if kind(0) == "letter" and kind(-1) == "HOP":
        return 0, float(kind(1) not in (MASK, "PAIR", "HOP", "FUEL") and not landed), 0, {}
    return 0, 0, 0, {}


@settings(max_examples=200)
@given(st.lists(st.sampled_from([s for s in VOCAB.symbols if s != "<pad>"]), min_size=1, max_size=9))
def test_agrees_with_the_rules_on_symbols(symbols: list[str]) -> None:
    said = process(State.stack([Sequence(torch.tensor(VOCAB.encode(symbols)))]))
    for i in range(len(symbols)):
        *bits, contents = slow_rules(symbols, i)
        found = [float(bit[0, i].sigmoid()) for bit in (said.remask, said.insert, said.delete)]
        assert found == pytest.approx(bits, abs=1e-6), (symbols, i)
        if contents:
            chances = said.content[0, i].softmax(-1).tolist()
            possible = {VOCAB.symbols[y]: chance for y, chance in enumerate(chances) if chance > 1e-9}
            assert possible == pytest.approx(contents)


@pytest.mark.parametrize(
    ("language", "length"), [("k1", 0), ("k1", 8), ("k2", 2), ("k2", 6), ("k3", 4), ("brackets", 6)]
)
def test_number_of_words(language: str, length: int) -> None:
    assert num_words(language, length) == len(words(language, length))


@pytest.mark.parametrize(("language", "length"), [("k1", 6), ("k2", 4), ("brackets", 4)])
def test_every_word_can_be_written_and_nothing_else(language: str, length: int) -> None:
    """All states that can follow from the start, and all ends."""
    ends = {state for state, following in chain(process, language, length).items() if set(following) == {state}}
    assert {decode(Sequence(torch.tensor(state))) for state in ends} == set(words(language, length))


@pytest.mark.parametrize(("language", "length", "num"), [("k1", 6, 1000), ("brackets", 4, 1000)])
def test_every_short_word_is_drawn_and_nothing_else(language: str, length: int, num: int) -> None:
    drawn = list(Dyck().solve(process, [WordRequest(language, length)] * num, seed=0, batch_size=num))
    assert all(word.solved and word.run.stop == "fixed point" for word in drawn)
    assert {word.answer for word in drawn} == set(words(language, length))


@pytest.mark.parametrize(("language", "length"), [("k8", 30), ("k3", 1000), ("brackets", 200)])
def test_long_words_are_valid_and_of_the_length_asked_for(language: str, length: int) -> None:
    drawn = list(Dyck().solve(process, [WordRequest(language, length)] * 4, seed=1))
    assert all(word.solved for word in drawn)
    assert len({word.answer for word in drawn}) == 4


@pytest.mark.parametrize(
    ("word", "valid"),
    [
        ("", True),
        ("aA", True),
        ("Aa", True),
        ("abBA", True),
        ("aBAb", False),
        ("a", False),
        ("([]{})", True),
        ("([)]", False),
        (")(", False),
        ("(a[]A)", True),
    ],
)
def test_membership(word: str, valid: bool) -> None:
    assert is_word(word) == valid


@pytest.mark.parametrize(
    ("language", "length", "message"), [("k9", 4, "k8, brackets, not k9"), ("k2", 3, "even"), ("k2", -2, "even")]
)
def test_what_cannot_be_asked_for(language: str, length: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        encode(language, length)


def test_only_letters_are_a_word() -> None:
    for symbols, word in (
        (["START", "a", "A", "END"], "aA"),
        (["START", MASK, "END"], None),
        (["a", "A", "END"], None),
        ([], None),
    ):
        assert decode(Sequence(torch.tensor(VOCAB.encode(symbols), dtype=torch.long))) == word


def test_the_windows_of_real_runs_are_among_the_reachable() -> None:
    known, met = set(reachable()), set()
    policy = Stochastic(cutoff=CUTOFF, generator=torch.Generator().manual_seed(0))
    starts = [encode("k2", length) for length in (2, 6, 10, 20, 40) for _ in range(40)]
    for run in rollouts(process, starts, policy, record=True, batch_size=200):
        for step in run.steps:
            kinds = [OUTSIDE] * REACH + KIND[list(step.tokens)].tolist() + [OUTSIDE] * REACH
            met |= {tuple(kinds[first : first + WIDTH]) for first in range(len(step.tokens))}
    assert met <= known
    assert len(met) > 200


def test_a_pair_writes_a_letter_on_either_side_and_goes() -> None:
    """What makes every word valid: at a PAIR only these neighbours occur, and they lead from one to the next."""
    beside = {(window[REACH - 1], window[REACH + 1]) for window in reachable() if window[REACH] == PAIR}
    assert beside == {(FUEL, MASKED), (MASKED, LETTER), (LETTER, LETTER)}


def test_each_window_has_a_sequence_of_reachable_windows_around_it() -> None:
    known = reachable()
    for window, kinds in zip(known, around(), strict=True):
        whole = (OUTSIDE,) * REACH + kinds + (OUTSIDE,) * REACH
        within = [whole[first : first + WIDTH] for first in range(len(kinds))]
        assert window in within
        assert set(within) <= set(known)
