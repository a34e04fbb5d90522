"""What the user typed, turned into problems, a device, a folder; raises ValueError with what is allowed."""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console

T = TypeVar("T")
SHOWN = 100
"""Characters of an argument that a message repeats."""


def problems(source: str, is_problem: Callable[[str], bool], form: str) -> list[str]:
    """The problems that an argument names: one written out, a file with one a line, or `-` for standard input.

    form: what a problem looks like, in words. Empty lines and what follows a `#` are skipped.
    """
    if source == "-":
        return lines_of(sys.stdin.buffer.read(), "standard input")
    if os.path.exists(source):
        return lines(Path(source))
    if source and is_problem(source):
        return [source]
    raise ValueError(f"{source[:SHOWN]!r} is neither {form} nor a file that exists")


def lines(path: Path) -> list[str]:
    """The problems of a file."""
    if path.is_dir():
        raise ValueError(f"{path} is a folder; give a text file with one problem a line")
    if not path.exists():
        raise ValueError(f"there is no file {path}; give a text file with one problem a line")
    return lines_of(path.read_bytes(), str(path))


def lines_of(data: bytes, name: str) -> list[str]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{name} is not a text file; give one problem a line") from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    if not any(lines):
        raise ValueError(f"{name} is empty; give one problem a line")
    return [line for line in lines if line]


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


def each(parse: Callable[[str], T], lines: list[str]) -> list[T]:
    """Every line parsed; a ValueError says which problem it was if there are several."""
    parsed = []
    for number, line in enumerate(lines, 1):
        try:
            parsed.append(parse(line))
        except ValueError as error:
            raise ValueError(f"problem {number}: {error}" if len(lines) > 1 else str(error)) from None
    return parsed
