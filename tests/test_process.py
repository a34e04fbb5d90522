"""Processes on symbols: ways against a breadth-first search, runs that end and that do not, symbols of every kind."""

from collections.abc import Callable, Iterator
from functools import cache
from itertools import count, pairwise, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apmdm import process as module
from apmdm.edits import edits_between
from apmdm.process import BEGIN, END, Alphabet, Symbols, Tokens, labelled, reach, states_of, way, with_ways
from apmdm.sampler import Run
from apmdm.state import same_rows
from apmdm.step import transition
from apmdm.vocab import MASK, MASK_SYMBOL
from reference import slow_run, slow_transition
from support import Edit, rows_of_edits, stack, tokens_of

FIRST, LAST, A, B = 2, 3, 4, 5


def assert_one_step(before: Tokens, after: Tokens) -> None:
    state, following = stack(before), stack(after)
    assert bool(same_rows(transition(state, edits_between(state, following)), following).all())


@cache
def successors(state: Tokens, longest: int) -> frozenset[Tokens]:
    """Every state that one step leads to, of those that are not too long; the ends stay."""
    found: set[Tokens] = {()}
    for token in state:
        edits = [Edit(), Edit(insert=True)] if token != LAST else [Edit()]
        if token in (A, B):
            edits += [Edit(remask=True), Edit(remask=True, insert=True)]
        if token == MASK:
            edits = [Edit(content, insert=insert) for content in (MASK, A, B) for insert in (False, True)]
            edits += [Edit(delete=True)]
        after = {slow_transition((token,), None, [edit])[0] for edit in edits}
        found = {left + right for left in found for right in after if len(left) + len(right) <= longest}
    return frozenset(found)


def least_steps(before: Tokens, after: Tokens) -> int:
    """By breadth-first search."""
    met, front, longest = {before}, {before}, max(len(before), len(after)) + 1
    for steps in count(1):
        front = set().union(*(successors(state, longest) for state in front)) - met
        if after in front:
            return steps
        met |= front
    raise AssertionError


WORDS = [(FIRST, *word, LAST) for length in range(4) for word in product((A, B), repeat=length)]
FAR = [(before, after) for before in WORDS for after in WORDS if before != after and least_steps(before, after) > 1]


def test_a_way_goes_in_steps_that_the_transition_can_do() -> None:
    for before, after in FAR:
        for step in pairwise([before, *way(before, after), after]):
            assert_one_step(*step)


def test_a_way_is_a_shortest_one_unless_something_is_inserted_beside_what_stays() -> None:
    """`a` becomes `aaa` in two steps if the middle one stays, and in three if an outer one does."""
    for before, after in FAR:
        more = len(way(before, after)) + 1 - least_steps(before, after)
        assert more == 0 or (more == 1 and len(after) > len(before))


texts = st.text("abc", max_size=8)


@given(st.lists(texts, min_size=1, max_size=5))
def test_runs_are_joined_by_ways_and_keep_their_states(run: list[str]) -> None:
    states = [Alphabet("abc").encode(text) for text in run]
    (whole,) = with_ways([states])
    for step in pairwise(whole):
        assert_one_step(*step)
    left = iter(whole)
    assert all(state in left for state in states)


def shorter(symbols: Symbols) -> Symbols | None:
    return symbols[:-1] if symbols else None


def counting(symbols: Symbols) -> Iterator[Symbols]:
    while symbols:
        symbols.pop()
        yield symbols
        yield symbols


def spoiling(symbols: Symbols) -> Symbols:
    """Works in the list that it is given."""
    del symbols[-1:]
    return symbols


@pytest.mark.parametrize("process", [shorter, counting, spoiling, lambda symbols: tuple(symbols[:-1])])
def test_states_of_a_function_and_of_a_generator(process: Callable[..., Any]) -> None:
    assert states_of(process, list("aba")) == [list("aba"), list("ab"), list("a"), []]
    assert states_of(process, []) == [[]]


def test_a_generator_may_come_back_to_a_state_and_a_function_may_not() -> None:
    def there_and_back(symbols: Symbols) -> Iterator[Symbols]:
        yield ["b"]
        yield ["a"]

    assert states_of(there_and_back, ["a"]) == [["a"], ["b"], ["a"]]
    with pytest.raises(ValueError, match="never ends: it comes back to ab after 3 steps"):
        states_of(lambda symbols: {"a": ["a", "b"], "ab": ["b"], "b": ["a", "b"]}["".join(symbols)], ["a"])


def growing(symbols: Symbols) -> Symbols:
    return [*symbols, "a"]


def endless(symbols: Symbols) -> Iterator[Symbols]:
    for number in count():
        yield ["a"] * (number % 3)


def stuck(symbols: Symbols) -> Iterator[Symbols]:
    while True:
        yield symbols


@pytest.mark.parametrize("process", [growing, endless, stuck])
def test_what_does_not_end_is_told(process: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_STATES", 50)
    with pytest.raises(ValueError, match="has not ended after 50 steps, from ab"):
        states_of(process, ["a", "b"])


@pytest.mark.parametrize(
    ("process", "message"),
    [
        (lambda symbols: [symbols[2]], "IndexError: list index out of range"),
        (lambda symbols: 7, "TypeError: 'int' object is not iterable"),
        (lambda symbols: [{}], "TypeError: unhashable type: 'dict'"),
    ],
)
def test_what_fails_is_told_with_the_state(process: Callable[..., Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"the process fails after ab: {message}"):
        states_of(process, ["a", "b"])


@pytest.mark.parametrize(
    ("symbols", "message"),
    [
        ([1, "1"], "1 and '1' are spelt alike"),
        ([("a",), "a"], "spelt alike"),
        (["<begin>"], "'<begin>' is reserved"),
        (["a", MASK_SYMBOL], "'<mask>' is reserved"),
        (["<pad>"], "'<pad>' is reserved"),
        ([""], "not empty"),
    ],
)
def test_symbols_that_cannot_be_are_refused(symbols: Symbols, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        assert Alphabet(symbols).vocab


PARTS = [(digit, state) for digit in (0, 1) for state in ("old", "new")]


@pytest.mark.parametrize(
    "symbols",
    [
        list("ab"),
        [0, 1, -1, 2.5, None],
        PARTS,
        [*PARTS, 0, "old", ("old", 0)],
        ["@", "%", "%40", "a@b", "a%40b", "a", "b", ("a", "b"), ("b", "a"), ("a@b", "%")],
        ["0", ("0", "0"), ("0", "0", "0"), ()],
    ],
)
def test_symbols_of_every_kind_come_back(symbols: Symbols) -> None:
    alphabet = Alphabet(symbols)
    whole = [*symbols, MASK_SYMBOL, *reversed(symbols)]
    assert alphabet.decode(alphabet.encode(whole)) == whole
    assert len(alphabet.vocab) == 4 + len(symbols)


def test_a_tuple_is_a_product_of_its_parts_at_their_places() -> None:
    vocab = Alphabet([*PARTS, ("new", 1)]).vocab
    assert vocab.symbols[4:] == ("0@1:old", "0@1:new", "1@1:old", "1@1:new", "new@1:1")
    assert len(vocab.atoms) == 4 + len({"0", "1", "new", "1:old", "1:new", "1:1"})


def test_an_unknown_symbol_is_refused_with_what_is_known() -> None:
    with pytest.raises(ValueError, match="'c' is not a symbol of this task; its symbols are 'a', 'b'"):
        Alphabet("ab").encode("abc")
    with pytest.raises(ValueError, match=r"its symbols are .*, \.\.\."):
        Alphabet(range(20)).encode([20])


def test_a_state_without_its_ends_says_nothing() -> None:
    alphabet = Alphabet("ab")
    begin, end, a = alphabet.vocab.encode([BEGIN, END, "a"])
    for tokens in ((), (begin,), (begin, a), (a, end), (end, begin), (begin, end, end), (begin, begin, end)):
        assert alphabet.decode(tokens) is None
    assert alphabet.decode((begin, end)) == []


def runs(process: Callable[..., Any], alphabet: str, longest: int) -> list[list[Tokens]]:
    words: list[Symbols] = [list(word) for length in range(longest + 1) for word in product(alphabet, repeat=length)]
    return with_ways([[*map(Alphabet(alphabet).encode, states_of(process, word))] for word in words])


def sorting(symbols: Symbols) -> Symbols:
    """The first b that stands before an a."""
    text = "".join(map(str, symbols))
    return list(text.replace("ba", "ab", 1))


def without_a(symbols: Symbols) -> Symbols:
    return [symbol for symbol in symbols if symbol != "a"]


def forgetting(symbols: Symbols) -> Symbols:
    """Every a that is two places before a c becomes MASK."""
    return [
        MASK_SYMBOL if symbol == "a" and symbols[place + 2 : place + 3] == ["c"] else symbol
        for place, symbol in enumerate(symbols)
    ]


def parity(symbols: Symbols) -> Symbols:
    return ["ab"[symbols.count("b") % 2]]


def test_how_far_a_process_looks() -> None:
    assert reach(labelled(runs(without_a, "ab", 7)), most=4) == 1
    assert reach(labelled(runs(sorting, "ab", 7)), most=4) is None
    assert reach(labelled(runs(parity, "ab", 6)), most=2) is None


def test_a_step_that_depends_on_two_places_further_reaches_so_far() -> None:
    alphabet = Alphabet("abc")
    words: list[Symbols] = [list(word) for length in range(7) for word in product("abc", repeat=length)]
    steps = [[alphabet.encode(word), alphabet.encode(forgetting(word))] for word in words]
    assert reach(labelled(steps), most=4) == 2
    assert reach(labelled(steps), most=1) is None


def test_a_few_states_show_nothing() -> None:
    assert reach(labelled(runs(without_a, "ab", 1)), most=4) is None


def test_labels_lead_along_the_runs_and_change_nothing_at_the_end() -> None:
    whole = runs(sorting, "ab", 5)
    wanted = {step for run in whole for step in pairwise([*run, run[-1]])}
    found = set()
    for batch in labelled(whole):
        following = transition(batch.state, batch.edits)
        found |= {(tokens_of(batch.state, row), tokens_of(following, row)) for row in range(len(following))}
    assert found == wanted


def test_a_run_is_counted_as_the_sampler_does() -> None:
    (states,) = with_ways([[*map(Alphabet("abc").encode, ("abc", "cab", "a", "abcabc"))]])
    after = dict(pairwise(states))

    def process(tokens: Tokens) -> list[Edit]:
        state = stack(tokens)
        return rows_of_edits(state, edits_between(state, stack(after.get(tokens, tokens))))[0]

    slow, run = slow_run(process, states[0], max_steps=100, max_length=100), Run.through(3, states, record=True)
    assert (run.index, run.time, run.space, run.work, run.stop) == (3, slow.time, slow.space, slow.work, slow.stop)
    assert [*(step.tokens for step in run.steps), tuple(run.final.ids.tolist())] == slow.history
    assert Run.through(0, states, record=False).steps == ()
