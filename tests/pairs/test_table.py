"""Tables as people have them, and what is said of those that are wrong."""

import re
from pathlib import Path

import pytest

from apmdm.pairs.table import Pair, read_pairs, read_table

AB, CD = Pair("a", "b"), Pair("c", "d", "N;PL")


@pytest.mark.parametrize(
    ("name", "content", "pairs"),
    [
        ("x.tsv", "a\tb\n\n \nc\td\n", [AB, Pair("c", "d")]),
        ("x", "a\tb\t\r\nc\td\tN;PL", [AB, CD]),
        ("x.txt", "\ufeffa\tb\n", [AB]),
        ("x.txt", '"a\tb"\n', [Pair('"a', 'b"')]),
        ("x.tsv", "\ufeffFeatures\tTarget\tid\tSource\nN;PL\td\t7\tc\n", [CD]),
        ("x.csv", 'prompt,completion\na,b\n"c,""\nd",e\n', [AB, Pair('c,"\nd', "e")]),
        ("x.csv", "a,b\r\na,b\r\n", [AB, AB]),
        ("x.csv", "\ufeffsource\ttarget\r\na\tb\r\n", [AB]),
        ("x.CSV", "output,input,tags\nb,a,\nd,c,N;PL\n", [AB, CD]),
        ("x.jsonl", '{"input": "a", "output": "b"}\n\n{"output": "d", "input": "c", "condition": "N;PL"}\n', [AB, CD]),
        ("x.json", '{"source": "\u2028", "target": ""}\r\n', [Pair("\u2028", "")]),
    ],
)
def test_tables(name: str, content: str, pairs: list[Pair], tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_bytes(content.encode())
    assert read_pairs(path) == pairs


def test_columns_by_name(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    path.write_text("target,wrong,right,kind\nx,c,d,N;PL\n")
    assert read_pairs(path, "wrong", "right", "kind") == [CD]
    assert read_pairs(str(path), source="wrong") == [Pair("c", "x")]


@pytest.mark.parametrize(
    ("name", "content", "columns", "error"),
    [
        ("x.tsv", "", {}, "has no pairs"),
        ("x.tsv", "source\ttarget\n", {}, "has no pairs"),
        ("x.tsv", "a\tb\n\nc\n", {}, "line 3: 1 column; allowed are 2, with tabs between them: source, target"),
        (
            "x.tsv",
            "a\tb\tc\td\n",
            {},
            "line 1: 4 columns; allowed are 3, with tabs between them: source, target, features; --source-col",
        ),
        ("x.tsv", "a\nc\n", {}, "line 1: 1 column; allowed are 2, with tabs between them: source, target"),
        (
            "x.tsv",
            "target\tsource\na\tb\tc\n",
            {},
            "line 2: 3 columns; allowed are 2, with tabs between them: target, source",
        ),
        ("x.csv", 'a,b\n"c\n\nd",e\nf\n', {}, "line 5: 1 column; allowed are 2, with commas between them"),
        ("x.csv", 'a,b\n"c,d\ne,f\n', {}, "line 2: unexpected end of data"),
        ("x.csv", "a,b\nc,d\n", {"source": "x"}, "line 2: no column x; there are a, b"),
        ("x.csv", "source,target\nc,d\n", {"features": "tags"}, "line 2: no column tags; there are source, target"),
        ("x.csv", "a,a\nc,d\n", {"source": "a", "target": "a"}, "line 1: every column has another name"),
        ("x.json", '[{"source": "a"}]', {}, "line 1: one JSON object a line is allowed, not"),
        ("x.json", '{"source": "a",\n', {}, "line 1: one JSON object a line is allowed:"),
        ("x.json", '{"source": "a"}\n', {}, "line 1: no column target or output or completion; there are source"),
        ("x.json", '{"source": "a", "target": 1}\n', {}, "line 1: target is a text, not 1"),
    ],
)
def test_what_is_wrong_is_told(name: str, content: str, columns: dict[str, str], error: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(ValueError, match=re.escape(error)) as raised:
        read_pairs(path, **columns)
    assert str(raised.value).startswith(str(path))
    assert "\n" not in str(raised.value)


def test_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "x.tsv"
    path.write_bytes("ä\tb\n".encode("latin-1"))
    with pytest.raises(ValueError, match="not a text file in UTF-8"):
        read_pairs(path)


def test_a_table_without_names_of_columns_says_how_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("alpha2,alpha3,country\nAB,ABC,x\n")
    (note,) = read_table(path).notes
    assert note == f"the first line of {path} is taken as a pair; the columns are source, target, features"
    path.write_text("prompt,completion\nAB,ABC\n")
    assert read_table(path).notes == ()
    assert read_table(path, "completion", "prompt").pairs == [Pair("ABC", "AB")]


def test_empty_cells_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text("source,target\n,a\n,b\nc,\nd,e\n")
    assert read_table(path).notes == (
        f"2 of 4 pairs of {path} have no source",
        f"1 of 4 pairs of {path} have no target",
    )


def test_of_very_many_columns_ten_are_named(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    path.write_text(",".join(f"c{number}" for number in range(1500)) + "\n" + "x," * 1499 + "x\n")
    with pytest.raises(ValueError, match=r"no column text; there are c0, c1, .*, c9 and 1,490 more$"):
        read_pairs(path, source="text")
