"""Repair of JSON: what comes back parses, what was valid comes back as it is, and people's mistakes are mended."""

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import apmdm
from apmdm.text_repair.completions import completions
from apmdm.text_repair.damage import damaged
from apmdm.text_repair.json_damages import DAMAGES, SHARES
from apmdm.text_repair.languages import is_json
from apmdm.text_repair.repair import repair

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
PIECES = [
    "{",
    "}",
    "[",
    "]",
    ":",
    ",",
    '"',
    "'",
    "\\",
    '\\"',
    "a",
    "12",
    "null",
    " ",
    "\n",
    "// x",
    "/*",
    "*/",
    "...",
    "“",
]

MENDED = {
    "missing closer": ('{"a": [1, 2, "b": 3}', {"a": [1, 2], "b": 3}),
    "missing closer, told by indentation": (
        '{\n  "a": {\n    "x": 1,\n  "b": 2\n}',
        {"a": {"x": 1}, "b": 2},
    ),
    "missing opener": ('{"a": {"x": 1}, "b": "x": 2}, "c": {"x": 3}}', {"a": {"x": 1}, "b": {"x": 2}, "c": {"x": 3}}),
    "wrong closer": ('{"a": [1, 2}}', {"a": [1, 2]}),
    "extra closer": ('{"a": [1, 2]], "b": 3}', {"a": [1, 2], "b": 3}),
    "missing comma": ('{"a": 1 "b": 2}', {"a": 1, "b": 2}),
    "trailing comma": ("[1, 2,]", [1, 2]),
    "double comma": ("[1,, 2]", [1, 2]),
    "missing colon": ('{"a" 1, "b": 2}', {"a": 1, "b": 2}),
    "missing opening quote": ('{"a": 1, b": 2}', {"a": 1, "b": 2}),
    "missing closing quote": ('{"a": "x, "b": "y"}', {"a": "x", "b": "y"}),
    "unescaped quotes": ('{"a": "he said "yes", and left", "b": 1}', {"a": 'he said "yes", and left', "b": 1}),
    "bad escape": (r'{"a": "\d+"}', {"a": r"\d+"}),
    "escapes in a path": (r'{"a": "C:\temp\new\bin", "b": "x\ny",}', {"a": r"C:\temp\new\bin", "b": "x\ny"}),
    "escapes in a path, single quotes": (r"{'a': 'C:\temp\new', 'b': 1}", {"a": r"C:\temp\new", "b": 1}),
    "escapes in a path, some doubled": (r'{"a": "C:\\temp\new \"x\"",}', {"a": r'C:\temp\new "x"'}),
    "raw newline": ('{"a": "one\ntwo"}', {"a": "one\ntwo"}),
    "comments": ('{"a": 1, // one\n "b": /* two */ 2}', {"a": 1, "b": 2}),
    "Python": ("{'a': None, 'b': [True, 'it\\'s']}", {"a": None, "b": [True, "it's"]}),
    "JavaScript": ("{a: 'x', b_1: 2,}", {"a": "x", "b_1": 2}),
    "smart quotes": ("{“a”: “x”}", {"a": "x"}),
    "truncated": ('{"a": [1, {"b": "tex', {"a": [1, {"b": "tex"}]}),
    "truncated in a fence": ('```json\n{"a": [1, {"b": "tex\n```\nDone.', {"a": [1, {"b": "tex"}]}),
    "truncated before running text": ('{"a": [1, {"b": 2,\n\nIs that all?', {"a": [1, {"b": 2}]}),
    "missing value": ('{"a", "b": 1}', {"a": None, "b": 1}),
    "fence": ('Here it is:\n```json\n{"a": 1}\n```\nBye.', {"a": 1}),
    "several documents": ('{"a": 1}\n{"b": 2}', [{"a": 1}, {"b": 2}]),
    "texts added by a plus": ('{"a": "x " + "y"}', {"a": "x y"}),
    "marks of a Chinese keyboard": ("{“a”\uff1a“b”\uff0c“c”\uff1a[1\uff0c2]}", {"a": "b", "c": [1, 2]}),
    "path that ends in a backslash": ('{"path": "C:\\Users\\dana\\", "n": 1}', {"path": "C:\\Users\\dana\\", "n": 1}),
    "word before a quote": ('{"a": hello "b": 1}', {"a": "hello", "b": 1}),
    "literal that was cut off": ('{"a": tru', {"a": True}),
    "no commas": ("[1 2 3]", [1, 2, 3]),
    "semicolons": ('{"a": 1; "b": 2}', {"a": 1, "b": 2}),
    "equals signs": ("{a=1, b=x}", {"a": 1, "b": "x"}),
    "single quotes alone": ("'hello world'", "hello world"),
    "leading zeros": ('{"a": 007, "b": 1}', {"a": "007", "b": 1}),
}


@pytest.mark.parametrize("kind", MENDED)
def test_a_mistake_is_mended_as_a_person_would(kind: str) -> None:
    broken, right = MENDED[kind]
    text = repair(broken, min_probability=0.0).text
    assert text is not None
    assert json.loads(text) == right


@given(JSON, st.sampled_from([None, 2, "\t"]), st.booleans())
def test_what_is_valid_comes_back_as_it_is(value: object, indent: int | str | None, ascii_only: bool) -> None:
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    assert repair(text).text == text


@pytest.mark.parametrize(
    "text",
    ["1e400", "[" + "1" * 5000 + "]", '{"a": 1, "a": 2}', '"\\ud800"', '\ufeff{"a":\r\n1.10}', "[" * 2000 + "]" * 2000],
    ids=["1e400", "long integer", "same keys", "lone surrogate", "byte order mark", "deep"],
)
def test_unusual_but_valid_text_comes_back_as_it_is(text: str) -> None:
    assert repair(text).text == text
    assert repair(text).probability == 1


@given(st.lists(st.sampled_from(PIECES), max_size=30).map("".join))
def test_whatever_comes_back_parses(text: str) -> None:
    found = repair(text, min_probability=0.0)
    for each in (found, *found.alternatives):
        assert each.text is None or is_json(each.text)
    assert 0 <= found.probability <= 1


@pytest.mark.parametrize("text", ["NaN", "[Infinity]", "{'a': 1}", "[1,]", "", "[1] 2", '"\n"'])
def test_what_json_does_not_allow_is_not_valid(text: str) -> None:
    assert not is_json(text)


def test_what_is_not_touched_stays_byte_for_byte() -> None:
    text = '{ "long":1.000000000000000000001,\r\n\t"u":"\\u00e9\\/" , "x" :[1 ,2 }'
    assert repair(text).text == text[:-2] + "] }"


def test_changes_tell_where_and_why() -> None:
    (change,) = repair('{\n  "a": 1,\n  "b": 2,\n}').edits
    assert (change.line, change.column, change.what, change.before, change.after) == (3, 9, "trailing comma", ",", "")


def test_what_is_not_probable_enough_is_refused() -> None:
    found = repair("{'a': b c d", min_probability=1.0)
    assert found.text is None
    assert found.alternatives
    with pytest.raises(ValueError, match="no repair with a probability of 1 or more"):
        apmdm.loads("{'a': b c d", min_probability=1.0)
    assert apmdm.loads("{'a': 1}") == {"a": 1}


@pytest.mark.parametrize(
    "text",
    [
        "the answer is 42 I think",
        "null and void",
        "3.14 is pi",
        'He said "yes" to me',
        "Sure!\nIt is true.",
        "hello world",
        "Error: timed out",
        "<%- JSON.stringify(theme, null, '\\t') %>",
        "1 2 3",
        '"a"\n"b"',
    ],
)
def test_a_plain_value_in_running_text_is_no_document(text: str) -> None:
    assert repair(text).text is None


@pytest.mark.parametrize(
    "text",
    [
        "[General]\nUrl=a/x.xml\n",
        "; settings\n[General]\n",
        "# settings\n[General]\nsize=1\n",
        "[a]\nx=1\n[b]\ny=2\n",
        '[remote "origin"]\n\turl = x\n',
        "[red, green, blue] are colours",
        "Colours: [red, green, blue]",
        "See [abc] and [def] for more.",
        "[error, x] [warn]",
    ],
)
def test_an_array_of_nothing_but_unquoted_words_in_text_is_no_document(text: str) -> None:
    assert repair(text).text is None


@pytest.mark.parametrize("text", ["{x}", "{foo bar}", "{\n  foo\n}", "{1}", "{x} and {y}"])
def test_words_in_braces_are_not_dropped(text: str) -> None:
    assert repair(text).text is None


@pytest.mark.parametrize("mark", ["[", '{"a":'])
def test_brackets_that_were_cut_off_are_closed_however_many(mark: str) -> None:
    text = repair(300 * mark).text
    assert text is not None
    assert text.startswith(290 * mark)
    assert "\\" not in text


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("None", None),
        ("[General] // a word", ["General"]),
        ("Colours: ```\n[red, 'green']\n``` Bye.", ["red", "green"]),
        ('[INFO] Here it is: {"a": 1,}', {"a": 1}),
        ("// nothing\nNaN\n", None),
        ('"abc",', "abc"),
        ("Here it is:\n```json\n42\n```\nBye.", 42),
        ('"a": 1, "b": 2', {"a": 1, "b": 2}),
        ('Here it is: "a": 1}\nBye.', {"a": 1}),
        ('Here it is: {"a": 1,} Bye.', {"a": 1}),
    ],
)
def test_a_plain_value_that_stands_alone_and_brackets_in_text_are_documents(text: str, value: object) -> None:
    assert apmdm.loads(text) == value


@pytest.mark.parametrize(
    ("text", "line", "column"),
    [
        ('{\n  "a": 1,\n  <% if (b) { %>\n  "c": 2,\n  <% } else { %>\n  "c": 3,\n  <% } %>\n  "d": 4\n}', 3, 3),
        ('{"name": <%= name %>, "a": 1}', 1, 10),
        ('{"main": lib/<%= name %>.js}', 1, 14),
        ('{"a": {{ a | tojson }}, "b": 1}', 1, 7),
        ('{"a": ${a}, "b": 1}', 1, 7),
        ('[{% for a in b %}\n"{{a}}",\n{% endfor %}]', 1, 2),
        ('{\n {{#if a}}\n "a": 1,\n {{/if}}\n "b": 2\n}', 2, 2),
    ],
)
def test_template_code_outside_of_strings_is_refused_with_its_place(text: str, line: int, column: int) -> None:
    found = repair(text)
    assert found.text is None
    assert (found.edits[0].what, found.edits[0].line, found.edits[0].column) == ("template code", line, column)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": "<%= b %>", "c": "${d} {{e}} {% f %}",}', {"a": "<%= b %>", "c": "${d} {{e}} {% f %}"}),
        ('{"a": "say "{{b}}" now", "c": 1}', {"a": 'say "{{b}}" now', "c": 1}),
        ('{"a": 1, // <% b %>\n "c": 2}', {"a": 1, "c": 2}),
        ("{{a: 1}}", {"a": 1}),
        ('{{"a": 1}}', {"a": 1}),
    ],
)
def test_template_code_in_strings_and_comments_and_doubled_braces_are_mended(text: str, value: object) -> None:
    assert apmdm.loads(text) == value


@pytest.mark.parametrize(("num", "least"), [(0, 0.5), (5, 1.5), (5, float("nan"))])
def test_numbers_that_make_no_sense_are_refused(num: int, least: float) -> None:
    with pytest.raises(ValueError, match="num is at least 1 and min_probability from 0 to 1"):
        repair("[1", num=num, min_probability=least)


DOCUMENT = json.dumps(
    {"name": 'a first "one"', "path": "C:\\x\ny", "rows": [[1, 2.5], {"k": None, "l": [True]}, ["some words here"]]},
    indent=1,
)


PLAIN = '{"a": "one", "b": ["two", "three"]}'
ON_PLAIN = {"stringified", "apostrophes", "missing brackets"}


@pytest.mark.parametrize("kind", sorted(set(SHARES) - {"truncated"} | set(DAMAGES)))
def test_a_damage_breaks_a_document_whose_value_is_accepted(kind: str) -> None:
    document = PLAIN if kind in ON_PLAIN else DOCUMENT
    found = [damaged(document, 1, Random(seed), ["[1]"], {kind: 1.0}) for seed in range(20)]
    for each in filter(None, found):
        assert each.kinds == (kind,)
        assert each.accepted
        assert not is_json(each.text)
    assert any(found)


def test_completions_of_a_prefix_parse_and_begin_as_it_does() -> None:
    for cut in range(2, len(DOCUMENT)):
        for text in completions(DOCUMENT[:cut]):
            json.loads(text)


@pytest.mark.parametrize(
    ("broken", "right"),
    [("[.5, 1., +2, 0x1F]", "[0.5, 1.0, 2, 31]"), ("{a: -.5e3}", '{"a": -0.5e3}'), ("[+0x]", '["+0x"]')],
)
def test_numbers_of_javascript_become_numbers(broken: str, right: str) -> None:
    assert repair(broken, min_probability=0.0).text == right


def test_many_comments_make_a_repair_no_less_sure() -> None:
    lines = [f'  // what number {number} is\n  "key{number}": {number},' for number in range(60)]
    found = repair("{\n" + "\n".join(lines) + "\n}")
    assert found.text is not None
    assert found.probability > 0.8


@pytest.mark.parametrize(
    ("language", "text", "where"),
    [("json", "{x}", "line 1, column 2"), ("python", "x = 1\nclass:\n", "line 2, column 6")],
)
def test_where_nothing_is_found_the_first_fault_is_told(language: str, text: str, where: str) -> None:
    found = repair(text, language=language)
    assert found.text is None
    assert str(found.edits[0]).startswith(where)
