"""Text files, which may be pipes and of several encodings, and the problems in them, most often one a line."""

import codecs
import io
import json
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

Numbered = Iterator[tuple[int, str]]
"""Texts of problems, each with the number of the line that it begins in, counted as in an editor.

A text of several lines has as many as there are in the file.
"""
STANDARD_INPUT = Path("-")
MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32-le",
    codecs.BOM_UTF32_BE: "utf-32-be",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}
"""The byte order marks at the beginning of a file, with the encodings that they tell; that of UTF-32 before UTF-16."""
GZIP, LONGEST_MARK = b"\x1f\x8b", 4
ONE_A_LINE = "one problem a line"
FILE = f"a text file with {ONE_A_LINE}"
JSON = ".json"
QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')


@dataclass(frozen=True)
class Text:
    """A text that can be read again and again: a file, opened anew each time, or the bytes of what is read once only.

    form: what is to be given, for messages.
    """

    source: Path | bytes
    name: str
    form: str

    def __iter__(self) -> Iterator[str]:
        """Its lines, ended as on any system; raises ValueError for what is not text."""
        try:
            with self._opened() as file:
                for line in file:
                    if "\0" in line:
                        raise UnicodeError
                    yield line.rstrip("\n")
        except UnicodeError:
            kind = "compressed by gzip" if self._start().startswith(GZIP) else "not a text file in UTF-8"
            raise ValueError(f"{self.name} is {kind}; give {self.form}") from None

    def _start(self) -> bytes:
        if isinstance(self.source, bytes):
            return self.source[:LONGEST_MARK]
        with self.source.open("rb") as file:
            return file.read(LONGEST_MARK)

    def _opened(self) -> io.TextIOWrapper:
        file = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")
        mark, encoding = encoding_of(self._start())
        file.seek(len(mark))
        return io.TextIOWrapper(file, encoding)


def encoding_of(start: bytes) -> tuple[bytes, str]:
    """The byte order mark that a file begins with, empty if it has none, and the encoding of what follows."""
    return next(((mark, name) for mark, name in MARKS.items() if start.startswith(mark)), (b"", "utf-8"))


def read_text(path: Path, form: str = "a text file") -> str:
    """All of a text file, in UTF-8 or with a byte order mark, its lines ended by a newline.

    path: a file, a pipe, or `-` for standard input; it is opened once. form: what is to be given, for messages.
    Raises ValueError, in one line, for what cannot be read or is not text.
    """
    return "".join(f"{line}\n" for line in text_at(path, form))


def text_at(path: Path, form: str) -> Text:
    """The text at a path, as `read_text` takes it; what is no regular file is read now, once and for all."""
    if path == STANDARD_INPUT:
        if sys.stdin is None:
            raise ValueError(f"standard input is closed; give {form}")
        return Text(sys.stdin.buffer.read(), "standard input", form)
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give {form}")
    if not path.exists():
        raise ValueError(f"there is no file {path}; give {form}")
    try:
        with path.open("rb") as file:
            return Text(path if path.is_file() else file.read(), str(path), form)
    except OSError as error:
        raise ValueError(f"cannot read {path}: {error.strerror}; give {form}") from None


def visible(answer: object) -> str:
    """An answer in a line of results; one that holds nothing but blanks is in quotes, since it could not be seen."""
    text = str(answer)
    return text if text.strip() else repr(text)


def listed(names: Iterable[str], most: int = 10) -> str:
    """Names in a message: the first few, and how many more there are."""
    shown = list(names)
    more = f" and {len(shown) - most:,} more" if len(shown) > most else ""
    return ", ".join(shown[:most]) + more


def one_a_line(lines: Iterable[str], comment: str = "#") -> Numbered:
    """Every line that holds more than blanks and a comment, or every text of a JSON file.

    comment: begins what is no part of a problem; empty if nothing does. Raises ValueError for other JSON.
    """
    if isinstance(lines, Text) and lines.name.lower().endswith(JSON):
        numbered = _texts_of_json(lines)
    else:
        numbered = enumerate(lines, 1)
    for number, line in numbered:
        problem = (line.partition(comment)[0] if comment else line).strip()
        if problem:
            yield number, problem


def _texts_of_json(file: Text) -> Numbered:
    """The texts of a JSON array, which have no line breaks, each with its line."""
    content = "\n".join(file)
    try:
        texts = json.loads(content)
    except (ValueError, RecursionError):
        texts = None
    if not isinstance(texts, list) or not all(isinstance(text, str) and len(text.splitlines()) < 2 for text in texts):
        allowed = 'an array of texts without line breaks, such as ["one", "two"]'
        raise ValueError(f"{file.name} is not the JSON that can be read: {allowed}; give that or {file.form}")
    number, last = 1, 0
    for text, quoted in zip(texts, QUOTED.finditer(content), strict=True):
        number, last = number + content.count("\n", last, quoted.start()), quoted.start()
        yield number, text


@dataclass(frozen=True)
class Problems:
    """The problems of a text, or one problem written out; read anew at each iteration, so there may be very many.

    split: finds the problems among the lines of the text. parse: a problem from its text.
    limit: only the first so many are looked at.
    """

    source: Text | str
    split: Callable[[Iterable[str]], Numbered] = one_a_line
    parse: Callable[[str], Any] = str
    limit: int | None = None

    def __iter__(self) -> Iterator[Any]:
        """The problems that can be read."""
        return (found for _, found in self.read() if not isinstance(found, ValueError))

    def texts(self) -> Numbered:
        """The text of every problem, of those too that cannot be read."""
        return iter([(1, self.source)]) if isinstance(self.source, str) else self.split(self.source)

    def read(self) -> Iterator[tuple[int, Any]]:
        """Each problem, or the ValueError that says why it is none and names its lines, with the number of the first.

        Raises ValueError at the end if there was nothing at all.
        """
        empty = True
        for number, text in islice(self.texts(), self.limit):
            empty = False
            try:
                found = self.parse(text)
            except ValueError as error:
                alone, last = isinstance(self.source, str), number + text.count("\n")
                where = f"line {number}" if last == number else f"lines {number}-{last}"
                found = ValueError(str(error) if alone else f"{where}: {error}")
            yield number, found
        if empty and isinstance(self.source, Text):
            raise ValueError(f"{self.source.name} is empty; give {ONE_A_LINE}")

    def each(self) -> Iterator[Any]:
        """Every problem; raises ValueError, with its line, for the first one that cannot be read."""
        for _, found in self.read():
            if isinstance(found, ValueError):
                raise found
            yield found


def lines(path: Path, comment: str = "#") -> Iterator[str]:
    """The problems of a file, or of standard input if it is `-`, one a line; raises ValueError if there are none."""
    return Problems(text_at(path, FILE), lambda lines: one_a_line(lines, comment)).each()
