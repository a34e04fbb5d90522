"""The repair process on every short string, the shipped model on long ones, distances against trying everything."""

from functools import cache
from itertools import product
from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm import weights
from apmdm.model.skipping import NEVER, Skipping
from apmdm.sampler import Predictor
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.process import ALPHABETS, LANGUAGES, LETTERS
from apmdm.tasks.dyck.uniform import damaged, num_words, random_word
from apmdm.tasks.dyck.verify import distance, distance_to_language, is_word
from apmdm.tasks.dyck_repair.process import DONE_ID, VOCAB, decode, encode, process
from apmdm.tasks.dyck_repair.task import DyckRepair, broken_word


@pytest.mark.parametrize(
    ("alphabet", "length"), [("aA", 1), ("aA", 9), ("aAbB", 4), ("aAbB", 6), ("()[]", 5), ("aA(]", 5), ("abcABC", 4)]
)
def test_every_short_string_is_repaired_and_words_are_left_alone(alphabet: str, length: int) -> None:
    strings = ["".join(letters) for letters in product(alphabet, repeat=length)]
    for fixed in DyckRepair().solve(process, strings, batch_size=2048):
        string = strings[fixed.run.index]
        assert fixed.solved, (string, fixed.answer)
        assert not is_word(string) or fixed.answer == string


@pytest.mark.parametrize(
    ("broken", "fixed"),
    [
        ("", ""),
        ("aacAA", "aaAA"),
        ("abcBA", "abBA"),
        ("([}])", "([])"),
        ("[))]", "[()]"),
        ("{((}", "{()}"),
        ("((", "()"),
        ("(", ""),
    ],
)
def test_repairs_by_hand(broken: str, fixed: str) -> None:
    (found,) = DyckRepair().solve(process, [broken])
    assert found.answer == fixed


@pytest.fixture(scope="module", params=["process", "shipped"])
def repairer(request: pytest.FixtureRequest) -> Predictor:
    return process if request.param == "process" else weights.load_encoder("dyck-repair", VOCAB)


@pytest.mark.parametrize(
    ("word", "steps"),
    [
        ("()" * 1000, 4),
        ("([]{})" * 300, 8),
        ("(" * 50 + ")" * 50, 102),
        ("abBA" * 300, 8),
        ("aA" * 50, 53),
        ("(()[])" * 200 + "{()}", 8),
    ],
)
def test_flat_words_are_matched_all_at_once(repairer: Predictor, word: str, steps: int) -> None:
    """Steps go by the depth, and by the length of runs whose letters could match on either side."""
    (found,) = DyckRepair().solve(repairer, [word])
    assert (found.answer, found.run.stop) == (word, "fixed point")
    assert found.run.time <= steps


@pytest.mark.parametrize(
    "word", ["((", "))", "((((((((((", "[[[[[[", "))))))", "(]", "([{([{", "]})]})", "aaaaaa", "(}[])]"]
)
def test_one_edit_is_made_where_one_is_enough(repairer: Predictor, word: str) -> None:
    """Two letters that are open take one replacement."""
    (found,) = DyckRepair().solve(repairer, [word])
    assert found.solved
    assert distance(word, found.answer) == distance_to_language(word)


def test_a_few_errors_in_a_long_word_take_a_few_edits(repairer: Predictor) -> None:
    random = Random(5)
    words = [damaged(random_word("brackets", 600, random), 3, "brackets", random) for _ in range(8)]
    found = list(DyckRepair().solve(repairer, words))
    assert all(word.solved for word in found)
    edits = sum(distance(word.problem, word.answer) for word in found)
    assert edits <= (1.5 if repairer is process else 2.5) * sum(distance_to_language(word) for word in words)


def test_the_shipped_model_repairs_words_longer_than_trained_on() -> None:
    random = Random(0)
    words = [broken_word(100, random) for _ in range(60)]
    fixed = list(DyckRepair().solve(weights.load_encoder("dyck-repair", VOCAB), words))
    assert all(word.solved for word in fixed)
    assert {word.run.stop for word in fixed} == {"fixed point"}


def test_only_a_word_whose_letters_are_all_matched_is_told() -> None:
    for symbols, word in (
        (["START", "DONE@a", "DONE@A", "END"], "aA"),
        (["START", "DONE@a", "A", "END"], None),
        (["START", "END"], ""),
        (["DONE@a"], None),
    ):
        assert decode(Sequence(torch.tensor(VOCAB.encode(symbols)))) == word
    with pytest.raises(ValueError, match="not 'x'"):
        encode("ax")


def test_hidden_tokens_are_not_seen_and_nothing_happens_to_them() -> None:
    seen = []

    def model(state: State):
        seen.append(state)
        return process(state)

    rows = [["START", "a", "DONE@b", "DONE@B", "A", "END"], ["START", "DONE@b", "DONE@B", "END"]]
    whole = State.stack([Sequence(torch.tensor(VOCAB.encode(row))) for row in rows])
    said = Skipping(model, DONE_ID)(whole)
    assert [VOCAB.decode(seen[0].sequence(row).ids.tolist()) for row in (0, 1)] == [
        ["START", "a", "A", "END"],
        ["START", "END"],
    ]
    assert said.insert[0, 1] > 0
    assert bool((said.insert[0, 2:4] == NEVER).all())
    assert bool((said.insert[1] < 0).all())


def test_training_states_show_what_is_open_once() -> None:
    states = [tuple(VOCAB.decode(state.ids.tolist())) for state in DyckRepair().open_states(["aA", "aA", "abBA"])]
    assert ("START", "a", "<mask>", "A", "END") in states
    assert ("START", "END") in states
    assert len(set(states)) == len(states)
    assert not any("DONE" in symbol for state in states for symbol in state)


short = st.text("aAbB()", max_size=4)


@given(short)
def test_the_least_number_of_edits_is_that_to_the_nearest_word(string: str) -> None:
    assert distance_to_language(string) == min(distance(string, word) for word in _words("aAbB()", len(string)))


@cache
def _words(alphabet: str, longest: int) -> list[str]:
    """One of the nearest is no longer: instead of inserting a letter its partner may be deleted."""
    strings = ("".join(letters) for n in range(longest + 1) for letters in product(alphabet, repeat=n))
    return [string for string in strings if is_word(string)]


@given(short, short)
def test_distance_is_a_shortest_path_of_single_edits(first: str, second: str) -> None:
    def slow(x: str, y: str) -> int:
        if not x or not y:
            return len(x) + len(y)
        return min(slow(x[1:], y) + 1, slow(x, y[1:]) + 1, slow(x[1:], y[1:]) + (x[0] != y[0]))

    assert distance(first, second) == slow(first, second)


@pytest.mark.parametrize(("language", "length"), [("k1", 6), ("k2", 4), ("brackets", 4)])
def test_random_words_are_all_words_equally_often(language: str, length: int) -> None:
    random, num = Random(0), num_words(language, length)
    drawn = [random_word(language, length, random) for _ in range(100 * num)]
    assert all(is_word(word) and len(word) == length for word in drawn)
    assert {word for word in drawn if drawn.count(word) > 50} == set(drawn)
    assert len(set(drawn)) == num


def test_damage_is_of_the_number_and_language_asked_for() -> None:
    random = Random(0)
    for language, numbers in zip(LANGUAGES, ALPHABETS, strict=True):
        for num in range(4):
            word = random_word(language, 20, random)
            broken = damaged(word, num, language, random)
            assert distance(word, broken) <= num
            assert set(broken) <= {LETTERS[number] for number in numbers}
