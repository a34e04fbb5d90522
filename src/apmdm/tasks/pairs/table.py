"""Pairs of texts, with conditions if need be, read from a table. Knows nothing of tokens."""

import csv
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

KNOWN = {
    "source": ("source", "input", "prompt"),
    "target": ("target", "output", "completion"),
    "features": ("features", "tags", "condition"),
}


@dataclass(frozen=True)
class Pair:
    """A text, what is to become of it, and under which conditions: atoms between `;` or spaces."""

    source: str
    target: str
    features: str = ""


def read_pairs(
    path: Path | str, source: str | None = None, target: str | None = None, features: str | None = None
) -> list[Pair]:
    """The pairs of a file: .csv has commas, .jsonl and .json an object a line, everything else tabs and no quotes.

    source, target, features: names of columns, unless they are KNOWN ones. Without any names in the first line two
    columns are source and target, three source, target and features. Raises ValueError, naming file and line.
    """
    path = Path(path)
    chosen = {"source": source, "target": target, "features": features}
    pairs = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if path.suffix.lower() in (".jsonl", ".json"):
                records = _objects(file)
            else:
                records = _rows(file, "," if path.suffix.lower() == ".csv" else "\t", chosen)
            for line, record in records:
                try:
                    pairs.append(Pair(**_cells(record, chosen)))
                except ValueError as error:
                    raise _WrongLineError(line, str(error)) from None
    except UnicodeDecodeError as error:
        raise ValueError(f"{path} is not UTF-8: {error.reason} after {error.start} bytes") from None
    except _WrongLineError as error:
        raise ValueError(f"{path}, line {error.line}: {error.what}") from None
    if not pairs:
        raise ValueError(f"{path} has no pairs; one a line is needed")
    return pairs


class _WrongLineError(Exception):
    def __init__(self, line: int, what: str) -> None:
        self.line, self.what = line, what


def _cells(record: dict[str, object], chosen: dict[str, str | None]) -> dict[str, str]:
    """The chosen columns, or the known ones, under the names that a Pair has for them."""
    cells = {}
    for field, name in chosen.items():
        names = KNOWN[field] if name is None else (name,)
        column = next((column for column in record if column in names), None)
        if column is None and (name is not None or field != "features"):
            raise ValueError(f"no column {' or '.join(names)}; there are {', '.join(record) or 'none'}")
        cell = "" if column is None else record[column]
        if not isinstance(cell, str):
            raise ValueError(f"{column} is a text, not {cell!r}")
        cells[field] = cell
    return cells


def _objects(file: TextIO) -> Iterator[tuple[int, dict[str, object]]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError as error:
            raise _WrongLineError(number, f"one JSON object a line is allowed: {error}") from None
        if not isinstance(record, dict):
            raise _WrongLineError(number, f"one JSON object a line is allowed, not {line.strip()[:40]!r}")
        yield number, record


def _rows(file: TextIO, delimiter: str, chosen: dict[str, str | None]) -> Iterator[tuple[int, dict[str, object]]]:
    names: list[str] = []
    for number, row in _numbered(file, delimiter):
        if not names:
            names = _header(row, chosen)
            if names:
                if len(set(names)) < len(names):
                    raise _WrongLineError(number, f"every column has another name, not {', '.join(names)}")
                continue
            if len(row) not in (2, 3):
                allowed = "2 (source, target) or 3 (source, target, features) without names in the first line"
                raise _WrongLineError(number, f"{_columns(row)}; allowed are {allowed}")
            names = list(KNOWN)[: len(row)]
        if len(row) != len(names):
            raise _WrongLineError(number, f"{_columns(row)}; allowed are {len(names)}: {', '.join(names)}")
        yield number, dict(zip(names, row, strict=True))


def _header(row: list[str], chosen: dict[str, str | None]) -> list[str]:
    """The names in a first line; none if it has neither names that were asked for nor known ones."""
    names = [cell.strip() for cell in row]
    known = all(set(KNOWN[field]) & {name.lower() for name in names} for field in ("source", "target"))
    if any(chosen.values()):
        return names
    return [name.lower() for name in names] if known else []


def _columns(row: Iterable[str]) -> str:
    number = len(list(row))
    return f"{number} column{'s' if number != 1 else ''}"


def _numbered(file: TextIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with the number of the line that it begins in."""
    quoting = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    reader = csv.reader(file, delimiter=delimiter, quoting=quoting, strict=True)
    while True:
        first = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise _WrongLineError(first, f"{error}; quotes are closed, and doubled within quotes") from None
        if any(cell.strip() for cell in row) or len(row) > 1:
            yield first, row
