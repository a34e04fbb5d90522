"""`apmdm repair`: a broken document mended, and what that changed."""

import difflib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import typer

from apmdm.lines import STANDARD_INPUT, encoding_of
from apmdm.text_repair.languages import JSON, language_of
from apmdm.text_repair.repair import Repair, repair

LINES = {".jsonl", ".ndjson"}
SHOWN = 20
"""Changes that are told one by one."""
LONG, SECONDS = 200_000, 10e-6
"""Characters from which on it is said how long it takes, and the time for one."""


def run(
    path: Path, language: str | None, in_place: bool, diff: bool, as_json: bool, num: int, min_probability: float
) -> bool:
    """Repair a file, or each line of one; False if something was refused."""
    if in_place and path == STANDARD_INPUT:
        raise ValueError("--in-place changes a file, and standard input is none; leave it out or name a file")
    language = language or language_of(path).name
    text, encoding = read(path)
    if len(text) > LONG:
        typer.echo(f"{len(text) / 1e6:.1f} million characters: about {len(text) * SECONDS:.0f} seconds", err=True)
    one_a_line = path.suffix.lower() in LINES and language == JSON.name
    parts = text.splitlines(keepends=True) if one_a_line else [text]
    found = (
        repair(part, num=num, min_probability=min_probability, language=language)
        if part.strip()
        else Repair(part, 1.0, ())
        for part in parts
    )
    show_diff = diff or (sys.stdout.isatty() and not in_place and not as_json)
    mended, refused = list[str](), 0
    for number, (part, repaired) in enumerate(zip(parts, found, strict=True), 1):
        refused += repaired.text is None
        mended.append(part if repaired.text is None else repaired.text)
        tell(repaired, min_probability, f"line {number}: " if one_a_line else "")
        if as_json:
            typer.echo(json.dumps(as_object(repaired)))
        elif show_diff:
            for line in changed_lines(part, mended[-1], number if one_a_line else 1):
                typer.echo(line)
        elif not in_place and repaired.text is not None:
            write_out(repaired.text.encode(encoding))
    if in_place and mended != parts:
        replace(path, "".join(mended).encode(encoding))
    return not refused


def read(path: Path) -> tuple[str, str]:
    """All of a file as it is, its line ends and its byte order mark too, and its encoding.

    Raises ValueError for what is no text.
    """
    form = "a text in UTF-8, or in UTF-16 or UTF-32 with a byte order mark, or - for standard input"
    try:
        content = sys.stdin.buffer.read() if path == STANDARD_INPUT else path.read_bytes()
    except IsADirectoryError:
        raise ValueError(f"{path} is a folder; give {form}") from None
    except FileNotFoundError:
        raise ValueError(f"there is no file {path}; give {form}") from None
    _, encoding = encoding_of(content)
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not {encoding.upper()} at byte {error.start}; give {form}") from None
    if not text.strip("\ufeff \t\r\n"):
        raise ValueError(f"{path} is empty; give {form}")
    return text, encoding


def tell(repaired: Repair, min_probability: float, where: str) -> None:
    """What was done, on stderr; nothing for what was valid."""
    if repaired.text is None:
        best = f"the most probable repair has {repaired.probability:.2f}, less than {min_probability:g}"
        typer.echo(f"{where}refused: {best if repaired.edits else 'no repair was found'}", err=True)
    elif repaired.edits:
        typer.echo(f"{where}repaired with a probability of {repaired.probability:.2f}", err=True)
    for change in repaired.edits[:SHOWN]:
        unsure = "unsure, " if repaired.text is None else ""
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


def write_out(content: bytes) -> None:
    sys.stdout.buffer.write(content)
    sys.stdout.flush()


def replace(path: Path, content: bytes) -> None:
    """Write a file anew, all of it or nothing, with the mode that it has."""
    target = path.resolve()
    with tempfile.NamedTemporaryFile("wb", dir=target.parent, delete=False) as file:
        file.write(content)
    Path(file.name).chmod(target.stat().st_mode)
    Path(file.name).replace(target)
