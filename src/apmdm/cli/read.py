"""What the user typed, turned into problems, a device, a folder; raises ValueError with what is allowed."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console

from apmdm import weights

T = TypeVar("T")
SHOWN = 100
"""Characters of an argument that a message repeats."""


@dataclass(frozen=True)
class Problems:
    """The problems of a source, the first `limit` of them; a file is read anew at each iteration, so it may be long."""

    source: Path | list[str]
    limit: int | None = None

    def __iter__(self) -> Iterator[str]:
        return islice(self.source if isinstance(self.source, list) else self._in_file(self.source), self.limit)

    def _in_file(self, path: Path) -> Iterator[str]:
        with path.open("rb") as file:
            yield from lines_of(file, str(path))


def problems(source: str, is_problem: Callable[[str], bool], form: str) -> Problems:
    """The problems that an argument names: one written out, a file with one a line, or `-` for standard input.

    form: what a problem looks like, in words. Empty lines and what follows a `#` are skipped.
    """
    if source == "-":
        return Problems(list(lines_of(sys.stdin.buffer, "standard input")))
    if os.path.exists(source):
        return lines(Path(source))
    if source and is_problem(source):
        return Problems([source])
    raise ValueError(f"{source[:SHOWN]!r} is neither {form} nor a file that exists")


def lines(path: Path) -> Problems:
    """The problems of a file."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a text file with one problem a line")
    if not path.exists():
        raise ValueError(f"there is no file {path}; give a text file with one problem a line")
    return Problems(path)


def lines_of(data: Iterable[bytes], name: str) -> Iterator[str]:
    """Raises ValueError for what is not text, and at the end if there was no problem at all."""
    empty = True
    for chunk in data:
        try:
            text = chunk.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValueError(f"{name} is not a text file; give one problem a line") from None
        for line in text.splitlines():
            problem = line.partition("#")[0].strip()
            if problem:
                empty = False
                yield problem
    if empty:
        raise ValueError(f"{name} is empty; give one problem a line")


def device(name: str) -> str:
    """cpu or cuda; auto takes the GPU if there is one."""
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("there is no GPU that PyTorch can use here; --device cpu or auto works")
    return ("cuda" if torch.cuda.is_available() else "cpu") if name == "auto" else name


def stderr() -> Console:
    """Where progress goes, so that output stays clean."""
    return Console(stderr=True)


def writable(path: Path) -> Path:
    """The path, if a file can be written there; checked before the work, so that nothing is lost after it."""
    parent = path.parent
    if path.is_dir() or not parent.is_dir() or not os.access(parent, os.W_OK):
        raise ValueError(f"cannot write {path}: its folder must exist and be writable, and it must not be a folder")
    return path


def writable_folder(path: Path) -> Path:
    """The path of a folder, made if there is none, in which files can be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise ValueError(
            f"cannot write in {path}: {error.strerror}; give a folder that is there or can be made"
        ) from None


def folder_without_weights(path: Path) -> Path:
    """The path of a folder, made if there is none, in which files can be written and no weights would be lost."""
    if (path / weights.TENSORS).is_file():
        raise ValueError(f"{path} holds weights already; choose another folder")
    return writable_folder(path)


def each(parse: Callable[[str], T], problems: Problems) -> Iterator[T]:
    """Every problem parsed; a ValueError says which one it was, unless it was written out alone."""
    alone = isinstance(problems.source, list) and len(problems.source) == 1
    for number, problem in enumerate(problems, 1):
        try:
            parsed = parse(problem)
        except ValueError as error:
            raise ValueError(str(error) if alone else f"problem {number}: {error}") from None
        yield parsed


def count(parse: Callable[[str], object], problems: Problems) -> int:
    """How many problems there are; every one is looked at, so that a bad one is told before the work begins."""
    return sum(1 for _ in each(parse, problems))
