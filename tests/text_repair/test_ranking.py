"""Whole repairs beside each other: what settles which of them is meant."""

import json

import pytest

from apmdm.text_repair import ranking
from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.ranking import Candidate, Members, looks, surprises
from apmdm.text_repair.repair import distinct, repair
from apmdm.text_repair.search import cheapest
from apmdm.text_repair.tokens import tokens_of
from apmdm.text_repair.ways import Mode, Way

SETTLED = {
    "an array opened twice": (
        '{"syntax": "x", "groups": [["CSS Images"], "status": "standard"}',
        {"syntax": "x", "groups": ["CSS Images"], "status": "standard"},
    ),
    "a missing opener before the only item": (
        '{"syntax": "mod", "groups": "CSS Values and Units"], "status": "standard"}',
        {"syntax": "mod", "groups": ["CSS Values and Units"], "status": "standard"},
    ),
}


@pytest.mark.parametrize("kind", SETTLED)
def test_what_stands_around_an_edit_settles(kind: str) -> None:
    broken, right = SETTLED[kind]
    found = distinct(broken, cheapest(Json(tokens_of(broken))))
    assert json.loads(found[0].text) != right
    assert json.loads(repair(broken, min_probability=0.0).text or "") == right


def test_shares_add_up_to_1_and_follow_the_repairs() -> None:
    broken = '{"a": [[1, 2], [3, 4, [5, 6]]}'
    found = distinct(broken, cheapest(Json(tokens_of(broken))))
    shares = ranking.compared(broken, found)
    assert len(shares) == len(found) > 1
    assert sum(shares) == pytest.approx(1)
    assert ranking.compared(broken, found[:1]) == [found[0].share]


def test_text_that_looks_like_structure_counts_against_a_repair() -> None:
    assert looks(Members([("a", 'one", "b": "two')]))["text: like structure"] == 1
    assert looks(Members([("a", "one"), ("b", "two")])) == {}


@pytest.mark.parametrize(
    ("group", "alike", "apart"),
    [
        ("lengths", "[[1, 2], [3, 4], [5, 6]]", "[[1], [3, 4, 5], [6, 7]]"),
        ("places", '{"a": {"b": {"x": 1}, "c": {"x": 2}}}', '{"a": {"b": {"x": 1, "c": {"x": 2}}}}'),
        ("order", '{"a": 1, "b": 2, "c": 3, "d": 4}', '{"a": 1, "c": 3, "b": 2, "d": 4}'),
    ],
)
def test_documents_that_are_like_themselves_surprise_less(group: str, alike: str, apart: str) -> None:
    less, more = (surprises(json.loads(text, object_pairs_hook=Members))[group] for text in (alike, apart))
    assert less < more


def test_documents_too_deep_to_be_read_keep_their_shares() -> None:
    way = Way(0.0, 0, Mode.DONE, None)
    deep = "[" * 100_000 + "]" * 100_000
    assert ranking.compared(deep[:-1], [Candidate(deep, way, 0.75), Candidate("[]", way, 0.25)]) == [0.75, 0.25]
