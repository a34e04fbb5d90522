"""Text is read whatever its encoding and the ends of its lines, and from what can be read only once."""

import gzip
import os
from dataclasses import replace
from pathlib import Path

import pytest

from apmdm.lines import Problems, Text, lines, read_text, text_at, visible


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_encoding_and_end_of_line_is_read(tmp_path: Path, encoding: str, end: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(end.join(("ä", "", "b\u2028c")).encode(encoding))
    assert read_text(path) == "ä\n\nb\u2028c\n"


def test_utf_16_of_the_other_end_is_read(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xfe\xff" + "ä\n".encode("utf-16-be"))
    assert read_text(path) == "ä\n"


@pytest.mark.parametrize("content", [b"\xff\x00", b"\x00\x01", "ab\n".encode("utf-16-le"), b"\xff\xfea"])
def test_what_is_no_text_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"file is not a text file in UTF-8; give a list$"):
        read_text(path, "a list")


def test_a_compressed_text_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(b"1\n"))
    with pytest.raises(ValueError, match=r"file.gz is compressed by gzip; give a list$"):
        read_text(path, "a list")


def test_a_pipe_is_read_once() -> None:
    reading, writing = os.pipe()
    os.write(writing, b"1\n2\n")
    os.close(writing)
    text = text_at(Path(f"/dev/fd/{reading}"), "a list")
    os.close(reading)
    assert list(text) == list(text) == ["1", "2"]


def test_a_file_is_not_held_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1\n")
    assert text_at(path, "a list") == Text(path, str(path), "a list")


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(ValueError, match=r"standard input is closed; give a list"):
        read_text(Path("-"), "a list")


def test_a_folder_and_nothing_at_all(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"is a folder; give a list"):
        read_text(tmp_path, "a list")
    with pytest.raises(ValueError, match=r"there is no file .*none; give a list"):
        read_text(tmp_path / "none", "a list")


def test_problems_are_read_again_and_again(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("# some\n01  # one\n\n10\n")
    problems = Problems(text_at(path, "a list"))
    assert list(problems) == list(problems) == list(lines(path)) == ["01", "10"]


def test_lines_are_numbered_as_in_an_editor(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("# some\n1\n\none\n2\n")
    problems = Problems(text_at(path, "a list"), parse=int)
    assert list(problems) == [1, 2]
    assert [number for number, _ in problems.read()] == [2, 4, 5]
    with pytest.raises(ValueError, match=r"^line 4: invalid literal"):
        list(problems.each())
    assert list(replace(problems, limit=1).read()) == [(2, 1)]


def test_what_is_beyond_the_limit_is_not_looked_at(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one\ntwo\n3\n")
    assert len(list(Problems(text_at(path, "a list"), parse=int, limit=2).read())) == 2


def test_a_file_without_problems_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("\n# nothing\n")
    with pytest.raises(ValueError, match="file is empty; give one problem a line"):
        list(lines(path))


def test_an_answer_of_blanks_can_be_seen() -> None:
    assert [visible(answer) for answer in ("", " ", "a b", 12, ["a"])] == ["''", "' '", "a b", "12", "['a']"]


@pytest.mark.parametrize(("content", "places"), [('["ab", "c\\"#"]', [1, 1]), ('[\n\t"ab",\n\n\t"c\\"#"\n]\n', [2, 4])])
def test_an_array_of_texts_in_a_json_file_is_read_as_its_texts(tmp_path: Path, content: str, places: list[int]) -> None:
    path = tmp_path / "words.json"
    path.write_text(content)
    assert list(lines(path, "")) == ["ab", 'c"#']
    assert [number for number, _ in Problems(text_at(path, "a list")).texts()] == places


@pytest.mark.parametrize("content", ['{"a": "b"}', '["ab", 1]', '[["a"]]', "ab\ncd", '["a\\nb"]', '["a",]', '"ab"'])
def test_other_json_where_lines_are_expected_is_refused_in_one_line(tmp_path: Path, content: str) -> None:
    path = tmp_path / "words.JSON"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"read: an array of texts without line breaks.*; give that or") as raised:
        list(lines(path))
    assert "\n" not in str(raised.value)


def test_a_problem_of_several_lines_that_is_refused_is_told_with_all_of_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("1\n2\n3")
    problems = Problems(text_at(path, "a list"), split=lambda _: iter([(1, "1"), (2, "a\nb")]), parse=int)
    assert str(list(problems.read())[1][1]).startswith("lines 2-3: ")
