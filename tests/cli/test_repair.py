"""`apmdm repair`: what comes out, what a file becomes, and what is refused."""

import json
import subprocess
import sys
import tracemalloc
from collections.abc import Callable
from io import BufferedReader, BytesIO, TextIOWrapper
from pathlib import Path

import pytest

from apmdm.cli.repair import run

Ends = Callable[..., tuple[int, str, str]]
BROKEN, MENDED = '{\r\n  "a": [1, 2,\r\n  "b": 3\r\n}', '{\r\n  "a": [1, 2],\r\n  "b": 3\r\n}'


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.json"
    path.write_bytes(BROKEN.encode())
    return path


def test_a_repaired_text_is_printed_and_what_was_done_told(apmdm: Ends, broken: Path) -> None:
    code, out, err = apmdm("repair", str(broken))
    assert (code, json.loads(out)) == (0, {"a": [1, 2], "b": 3})
    assert "repaired with a probability of" in err
    assert "line 2, column" in err


def test_a_file_is_changed_in_place_and_keeps_its_line_ends(apmdm: Ends, broken: Path) -> None:
    broken.chmod(0o640)
    assert apmdm("repair", str(broken), "--in-place")[:2] == (0, "")
    assert json.loads(broken.read_bytes()) == {"a": [1, 2], "b": 3}
    assert broken.read_bytes().count(b"\r\n") == BROKEN.count("\r\n")
    assert broken.stat().st_mode & 0o777 == 0o640
    assert [path.name for path in broken.parent.iterdir()] == [broken.name]


def test_a_diff_shows_lines_before_and_after(apmdm: Ends, broken: Path) -> None:
    code, out, _ = apmdm("repair", str(broken), "--diff")
    assert code == 0
    assert '-  "a": [1, 2,' in out


def test_json_tells_text_probability_edits_and_alternatives(apmdm: Ends, broken: Path) -> None:
    code, out, _ = apmdm("repair", str(broken), "--json", "--num", "2")
    found = json.loads(out)
    assert code == 0
    assert json.loads(found["text"]) == {"a": [1, 2], "b": 3}
    assert 0 < found["probability"] <= 1
    assert {"line", "column", "what", "before", "after"} == set(found["edits"][0])
    assert len(found["alternatives"]) <= 1


def test_what_is_not_probable_enough_is_refused_and_left_alone(apmdm: Ends, broken: Path) -> None:
    code, out, err = apmdm("repair", str(broken), "--in-place", "--min-probability", "1")
    assert (code, out) == (1, "")
    assert "refused" in err
    assert "less than 1" in err
    assert broken.read_bytes() == BROKEN.encode()


LINES = b'{"a":\t1.0, "a": 1e400}\r\n\n{"a": 2\n"\xff"\n[1, 2,] \n["\xe2\x80\xa8"]'
LINES_MENDED = LINES.replace(b'{"a": 2', b'{"a": 2}').replace(b"2,]", b"2]")


def test_each_line_of_a_jsonl_file_is_a_document(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(LINES)
    code, out, err = apmdm("repair", str(path))
    assert (code, out.encode()) == (1, LINES_MENDED.replace(b'"\xff"\n', b""))
    assert "line 3: repaired" in err
    assert "  line 3, column 8: " in err
    assert "line 4: refused: no repair was found\n  line 4, column 2: no UTF-8\n" in err
    assert apmdm("repair", str(path), "--in-place")[:2] == (1, "")
    assert path.read_bytes() == LINES_MENDED
    assert list(tmp_path.iterdir()) == [path]


def test_lines_of_a_pipe_are_mended_one_by_one(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "apmdm", "repair", "-", "--language", "jsonl"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin
        assert program.stdout
        for broken, mended in ((b'{"a": 1}\n', b'{"a": 1}\n'), (b"[1, 2,]\n", b"[1, 2]\n")):
            program.stdin.write(broken)
            program.stdin.flush()
            assert program.stdout.readline() == mended
        program.stdin.close()
        assert program.wait(30) == 0


def test_lines_take_no_more_memory_the_more_they_are(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "rows.ndjson"
    with path.open("w") as file:
        file.writelines(
            f'["{"x" * 1_000_000}",]\n' if number % 10 == 0 else f'["{"x" * 1_000_000}"]\n' for number in range(40)
        )
    tracemalloc.start()
    assert apmdm("repair", str(path), "--in-place")[0] == 0
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert path.stat().st_size == 40 * 1_000_005


def test_blank_lines_alone_are_no_text(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text("\n\n")
    code, _, err = apmdm("repair", str(path))
    assert code == 2
    assert "is empty" in err


def test_what_is_valid_comes_out_byte_for_byte_and_silently(apmdm: Ends, tmp_path: Path) -> None:
    path = tmp_path / "valid.json"
    path.write_bytes('\ufeff{"a":\t1.0,\r\n"a": 1e400}\r\n'.encode())
    code, out, err = apmdm("repair", str(path))
    assert (code, out.encode(), err) == (0, path.read_bytes(), "")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"\xff\x00", "is not UTF-8 at byte 0"),
        (b"\xff\xfe\x00", "is not UTF-16-LE at byte 2"),
        (None, "there is no file"),
    ],
    ids=["empty", "no text", "half a character", "missing"],
)
def test_what_is_no_text_is_refused_in_one_line(
    apmdm: Ends, tmp_path: Path, content: bytes | None, message: str
) -> None:
    path = tmp_path / "x.json"
    if content is not None:
        path.write_bytes(content)
    code, out, err = apmdm("repair", str(path))
    assert (code, out) == (2, "")
    assert message in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_a_text_with_a_byte_order_mark_is_written_back_in_its_encoding(
    apmdm: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    path, mended = tmp_path / "marked.json", '\ufeff["é", 1]\r\n'.encode(encoding)
    path.write_bytes('\ufeff["é", 1,]\r\n'.encode(encoding))
    out = BytesIO()
    with monkeypatch.context() as patched:
        patched.setattr("sys.stdin", TextIOWrapper(BufferedReader(BytesIO(path.read_bytes()))))
        patched.setattr("sys.stdout", TextIOWrapper(out))
        assert run(Path("-"), None, False, False, False, 1, 0.5)
        assert out.getvalue() == mended
    assert apmdm("repair", str(path), "--in-place")[:2] == (0, "")
    assert path.read_bytes() == mended


def test_a_folder_and_standard_input_in_place_are_refused(apmdm: Ends, tmp_path: Path) -> None:
    assert "is a folder" in apmdm("repair", str(tmp_path))[2]
    assert "--in-place changes a file" in apmdm("repair", "-", "--in-place")[2]


def test_the_language_is_told_by_the_name_of_a_file_or_by_an_option(apmdm: Ends, tmp_path: Path) -> None:
    module, program = tmp_path / "module.py", tmp_path / "main.c"
    module.write_text("def double(a)\n    return [a, a]\n")
    program.write_text("int f() {\n  return g(1;\n}\n")
    code, out, err = apmdm("repair", str(module))
    assert (code, out) == (0, "def double(a):\n    return [a, a]\n")
    assert "line 1, column 14: missing colon" in err
    code, out, _ = apmdm("repair", str(program), "--language", "brackets", "--min-probability", "0")
    assert (code, out.count(")")) == (0, 2)
    code, _, err = apmdm("repair", str(module), "--language", "cobol")
    assert code == 2
    assert "unknown language 'cobol'; known are json, python, brackets, jsonl" in err
