"""`apmdm repair`: a broken document mended, or each line of a stream, and what that changed."""

import difflib
import filecmp
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, replace
from functools import partial
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import IO, cast

import typer

from apmdm.lines import LONGEST_MARK, STANDARD_INPUT, encoding_of
from apmdm.text_repair.languages import JSON, LANGUAGES, language_of
from apmdm.text_repair.repair import Change, Repair, repair

LINES, ENDINGS = "jsonl", {".jsonl", ".ndjson"}
"""JSON with a document on each line, a language of this command alone, and the endings of its files."""
FORM = "a text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark, or - for standard input"
UNDECODED, NO_TEXT = "surrogateescape", re.compile("[\udc80-\udcff]")
"""How a byte that is no UTF-8 is decoded, and what it then is."""
BLANKS = "\ufeff \t\r\n"
SHOWN = 20
"""Changes that are told one by one."""
LONG, SECONDS = 200_000, 10e-6
"""Characters from which on it is said how long it may take, and the most that one takes."""


def run(
    path: Path, language: str | None, in_place: bool, diff: bool, as_json: bool, num: int, min_probability: float
) -> bool:
    """Repair a file, or each line of one as soon as it is read; False if something was refused."""
    if in_place and path == STANDARD_INPUT:
        raise ValueError("--in-place changes a file, and standard input is none; leave it out or name a file")
    language = language or (LINES if path.suffix.lower() in ENDINGS else language_of(path).name)
    if language not in (*LANGUAGES, LINES):
        raise ValueError(f"unknown language {language!r}; known are {', '.join((*LANGUAGES, LINES))}")
    by_line = language == LINES
    mend = partial(repair, num=num, min_probability=min_probability, language=JSON.name if by_line else language)
    show_diff = diff or (sys.stdout.isatty() and not in_place and not as_json)
    refused = 0
    with opened(path) as source, replaced(path) if in_place else nullcontext(sys.stdout.buffer) as target:
        encoding, parts = lines_of(source, path) if by_line else whole(source, path)
        for number, (part, end) in enumerate(parts, 1):
            repaired = moved(mended(part, mend), number - 1)
            refused += repaired.text is None
            after = part if repaired.text is None else repaired.text
            tell(repaired, min_probability, f"line {number}: " if by_line else "")
            if as_json:
                typer.echo(json.dumps(as_object(repaired)))
            elif show_diff:
                for line in changed_lines(part, after, number):
                    typer.echo(line)
            if in_place or not (as_json or show_diff or repaired.text is None):
                target.write((after + end).encode(encoding, UNDECODED))
                target.flush()
    return not refused


@contextmanager
def opened(path: Path) -> Iterator[BufferedReader]:
    """A file or standard input, as bytes. Raises ValueError if there is no such file."""
    try:
        file = cast(BufferedReader, sys.stdin.buffer) if path == STANDARD_INPUT else path.open("rb")
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder; give {FORM}") from None
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}; give {FORM}") from None
    with file:
        yield file


def whole(file: BufferedReader, path: Path) -> tuple[str, list[tuple[str, str]]]:
    """The encoding and all of a text as it is, its line ends and its byte order mark too, with nothing after it.

    Raises ValueError for what is no text.
    """
    content = file.read()
    _, encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not {encoding.upper()} at byte {error.start}; give {FORM}") from None
    if not text.strip(BLANKS):
        raise ValueError(f"{path} is empty; give {FORM}")
    if len(text) > LONG:
        typer.echo(f"{len(text) / 1e6:.1f} million characters: up to {len(text) * SECONDS:.0f} seconds", err=True)
    return encoding, [(text, "")]


def lines_of(file: BufferedReader, path: Path) -> tuple[str, Iterator[tuple[str, str]]]:
    """The encoding, and each line with its end as soon as it can be read. Raises ValueError if all are blank."""
    _, encoding = encoding_of(file.peek(LONGEST_MARK))

    def lines() -> Iterator[tuple[str, str]]:
        empty = True
        with TextIOWrapper(file, encoding, UNDECODED, newline="\n") as found:
            for line in found:
                text = line.rstrip("\r\n")
                empty &= not text.strip(BLANKS)
                yield text, line[len(text) :]
        if empty:
            raise ValueError(f"{path} is empty; give {FORM}")

    return encoding, lines()


def mended(text: str, mend: Callable[[str], Repair]) -> Repair:
    """The repair of a text; a blank one stays, and one that could not be decoded is refused."""
    if not text.strip(BLANKS):
        return Repair(text, 1.0, ())
    if byte := NO_TEXT.search(text):
        return Repair(None, 0.0, (Change(1, byte.start() + 1, "no UTF-8", byte[0], byte[0]),))
    return mend(text)


def moved(repaired: Repair, lines: int) -> Repair:
    """A repair whose changes stand so many lines further down."""
    return replace(repaired, edits=tuple(replace(each, line=each.line + lines) for each in repaired.edits))


def tell(repaired: Repair, min_probability: float, where: str) -> None:
    """What was done, on stderr; nothing for what was valid."""
    if repaired.text is None:
        best = f"the most probable repair has {repaired.probability:.2f}, less than {min_probability:g}"
        typer.echo(f"{where}refused: {best if repaired.probability else 'no repair was found'}", err=True)
    elif repaired.edits:
        typer.echo(f"{where}repaired with a probability of {repaired.probability:.2f}", err=True)
    for change in repaired.edits[:SHOWN]:
        unsure = "unsure, " if repaired.text is None and repaired.probability else ""
        typer.echo(f"  {unsure}{change}", err=True)
    if len(repaired.edits) > SHOWN:
        typer.echo(f"  and {len(repaired.edits) - SHOWN} more changes", err=True)


def as_object(repaired: Repair) -> dict[str, object]:
    return {
        "text": repaired.text,
        "probability": repaired.probability,
        "edits": [asdict(change) for change in repaired.edits],
        "alternatives": [{"text": other.text, "probability": other.probability} for other in repaired.alternatives],
    }


def changed_lines(before: str, after: str, first: int) -> Iterator[str]:
    """A unified diff, coloured where that is wanted."""
    coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), "broken", "repaired", lineterm="", n=2)
    for line in lines:
        if line.startswith("@@") and first > 1:
            line = f"@@ line {first} @@"
        colour = {"+": typer.colors.GREEN, "-": typer.colors.RED}.get(line[:1])
        yield typer.style(line, fg=colour) if coloured and colour else line


@contextmanager
def replaced(path: Path) -> Iterator[IO[bytes]]:
    """The new content of a file, which takes the place of the old at the end, all of it or nothing, with its mode."""
    target = path.resolve()
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, delete=False) as file:
        written = Path(file.name)
        try:
            yield file
            file.flush()
            if not filecmp.cmp(written, target, shallow=False):
                written.chmod(target.stat().st_mode)
                written.replace(target)
        finally:
            written.unlink(missing_ok=True)
