"""Problems in text files, one a line."""

import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Problems:
    """The problems of a source, the first `limit` of them; a file is read anew at each iteration, so it may be long.

    comment: begins what is no part of a problem; empty if nothing does.
    """

    source: Path | list[str]
    limit: int | None = None
    comment: str = "#"

    def __iter__(self) -> Iterator[str]:
        return islice(self.source if isinstance(self.source, list) else self._in_file(self.source), self.limit)

    def _in_file(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            yield from lines_of(file, str(path), self.comment)

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
    """The problems of a file."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a text file with one problem a line")
    if not path.exists():
        raise ValueError(f"there is no file {path}; give a text file with one problem a line")
    return Problems(path, comment=comment)


def standard_input(comment: str) -> Problems:
    return Problems(list(lines_of(sys.stdin.buffer, "standard input", comment)))


def lines_of(data: Iterable[bytes], name: str, comment: str = "#") -> Iterator[str]:
    """Raises ValueError for what is not text, and at the end if there was no problem at all."""
    empty = True
    for chunk in data:
        try:
            text = chunk.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError(f"{name} is not a text file; give one problem a line") from None
        for line in text.splitlines():
            problem = (line.partition(comment)[0] if comment else line).strip()
            if problem:
                empty = False
                yield problem
    if empty:
        raise ValueError(f"{name} is empty; give one problem a line")
