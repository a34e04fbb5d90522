"""What is folded: whole objects and arrays that are laid out line by line, and no others."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from apmdm.text_repair.folding import folded, is_one_value
from apmdm.text_repair.languages import is_json
from apmdm.text_repair.repair import repair
from apmdm.text_repair.tokens import Kind, tokens_of

VALUES = st.recursive(
    st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
)
ROWS = [{"id": number, "at": {"x": number, "y": 2}, "tags": ["a", "b"]} for number in range(100)]


@given(VALUES, st.sampled_from([None, 1, "\t"]))
def test_what_is_folded_parses_and_has_lines_of_its_own(value: object, indent: int | str | None) -> None:
    tokens = folded(tokens_of("x " + json.dumps(value, indent=indent)))
    for at, kind in enumerate(tokens.kinds):
        if kind in (Kind.WHOLE_OBJECT, Kind.WHOLE_ARRAY):
            assert indent is not None
            assert is_json(tokens.text(at))


@given(VALUES)
def test_a_document_laid_out_line_by_line_is_one_token(value: object) -> None:
    tokens = tokens_of(json.dumps(value, indent=1))
    assume(not any(map(tokens.hardly_meant, range(len(tokens)))))
    assert not isinstance(value, dict | list) or len(folded(tokens)) == (2 if value else 3)


def test_what_holds_a_path_with_escapes_stays_open() -> None:
    tokens = folded(tokens_of(json.dumps([{"a": "C:\new"}, {"b": "C:\\new"}], indent=1)))
    assert [tokens.text(at) for at in range(len(tokens))][-3:] == ['{\n  "b": "C:\\\\new"\n }', "]", ""]


@given(VALUES.filter(bool), st.integers(0, 30))
def test_one_value_is_what_a_parser_takes(value: object, cut: int) -> None:
    text = json.dumps([value])
    broken = text[:cut] + text[cut + 1 :]
    assert is_one_value(tokens_of(text))
    assert not is_one_value(tokens_of(broken)) or is_json(broken)


def test_a_missing_closer_keeps_what_is_around_it_open() -> None:
    text = json.dumps({"a": {"x": [1]}, "b": {"y": [2]}}, indent=1).replace("]\n }", "]", 1)
    kinds = folded(tokens_of(text)).kinds
    assert kinds.count(Kind.OPEN_OBJECT) >= 2


@pytest.mark.parametrize("indent", [None, 1], ids=["on one line", "indented"])
def test_a_long_document_is_repaired_where_it_is_broken(indent: int | None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apmdm.text_repair.folding.MANY", 1000)
    text = json.dumps(ROWS, indent=indent)
    place = text.index('"id": 50')
    broken = text[:place] + text[place + 1 :]
    assert len(folded(tokens_of(broken)).kinds) < 300
    assert json.loads(repair(broken).text or "") == ROWS


@pytest.mark.parametrize("mark", ['"', "[", '{"a":', ",", "\\"], ids=["quote", "array", "object", "comma", "slash"])
def test_hostile_text_ends(mark: str) -> None:
    found = repair(mark * 300, min_probability=0.0)
    assert found.text is None or is_json(found.text)


def test_what_is_left_may_be_too_much(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apmdm.text_repair.languages.LONGEST", 100)
    assert repair("[,]{" * 60).text is None
