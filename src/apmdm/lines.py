"""Text files, which may be pipes and of several encodings, and the problems in them, one a line."""

import codecs
import io
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
STANDARD_INPUT = Path("-")
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
"""The byte order marks at the beginning of a file, with the encodings that they tell; that of UTF-32 before UTF-16."""
ONE_A_LINE = "one problem a line"


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
            raise ValueError(f"{self.name} is not a text file; give {self.form}") from None

    def _opened(self) -> io.TextIOWrapper:
        file = io.BytesIO(self.source) if isinstance(self.source, bytes) else self.source.open("rb")
        start = file.read(4)
        file.seek(0)
        encoding = next((name for mark, name in MARKS.items() if start.startswith(mark)), "utf-8")
        return io.TextIOWrapper(file, encoding)


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


@dataclass(frozen=True)
class Problems:
    """The problems of a source, the first `limit` of them; a file is read anew at each iteration, so it may be long.

    comment: begins what is no part of a problem; empty if nothing does.
    """

    source: Text | list[str]
    limit: int | None = None
    comment: str = "#"

    def __iter__(self) -> Iterator[str]:
        return islice(self.source if isinstance(self.source, list) else self._in_text(self.source), self.limit)

    def _in_text(self, text: Text) -> Iterator[str]:
        """Raises ValueError at the end if there was no problem at all."""
        empty = True
        for line in text:
            problem = (line.partition(self.comment)[0] if self.comment else line).strip()
            if problem:
                empty = False
                yield problem
        if empty:
            raise ValueError(f"{text.name} is empty; give {ONE_A_LINE}")

    def each(self, parse: Callable[[str], T]) -> Iterator[T]:
        """Every problem parsed; a ValueError says which one it was, unless it was written out alone."""
        alone = isinstance(self.source, list) and len(self.source) == 1
        for number, problem in enumerate(self, 1):
            try:
                parsed = parse(problem)
            except ValueError as error:
                raise ValueError(str(error) if alone else f"problem {number}: {error}") from None
            yield parsed


def lines(path: Path, comment: str = "#") -> Problems:
    """The problems of a file, or of standard input if it is `-`."""
    return Problems(text_at(path, f"a text file with {ONE_A_LINE}"), comment=comment)
