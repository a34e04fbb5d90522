"""Pairs of texts, with features if there are any, read from a table. It knows nothing of tokens."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from apmdm.lines import listed, read_text

KNOWN = {
    "source": ("source", "input", "prompt"),
    "target": ("target", "output", "completion"),
    "features": ("features", "tags", "condition"),
}
Columns = dict[str, str | None]
"""The name of the column of source, target and features; None stands for the names in KNOWN."""
Records = Iterator[tuple[int, dict[str, object]]]
"""For each record the number of its line, counted as in an editor, and its columns."""


@dataclass(frozen=True)
class Pair:
    """A source text and its target text.

    features: conditions that the target depends on, separated by `;` or spaces.
    """

    source: str
    target: str
    features: str = ""

    def mirrored(self) -> "Pair":
        """Both texts from their last character to their first."""
        return Pair(self.source[::-1], self.target[::-1], self.features)


class Table(NamedTuple):
    """The pairs of a file. notes: what may have been read otherwise than it was meant."""

    pairs: list[Pair]
    notes: tuple[str, ...] = ()


def read_pairs(
    path: Path | str, source: str | None = None, target: str | None = None, features: str | None = None
) -> list[Pair]:
    """The pairs of a file, as `read_table` finds them."""
    return read_table(path, source, target, features).pairs


def read_table(
    path: Path | str, source: str | None = None, target: str | None = None, features: str | None = None
) -> Table:
    """The pairs of a file.

    path: a .csv file has commas (tabs, if its first line has tabs alone), a .jsonl or .json file has one object a line,
    any other file has tabs and no quotes.
    source, target, features: the names of the columns, needed only if they are not among KNOWN. In a file without a
    line of names, the columns are source, target and, if there are three, features.
    Raises ValueError that names the file and the line.
    """
    path, columns = Path(path), {"source": source, "target": target, "features": features}
    suffix, file = path.suffix.lower(), io.StringIO(read_text(path, "a table of pairs"))
    try:
        is_json = suffix in (".jsonl", ".json")
        commas = suffix == ".csv" and not _has_tabs_alone(file.getvalue())
        rows = [] if is_json else list(_numbered(file, "," if commas else "\t"))
        header = _header(*rows[0], columns) if rows else []
        names = header or list(KNOWN)[: max(2, len(rows[0][1]))] if rows else []
        between = "commas" if commas else "tabs"
        records = _objects(file) if is_json else _records(rows[1:] if header else rows, names, between)
        pairs = [Pair(**_cells(line, record, columns)) for line, record in records]
    except ValueError as error:
        raise ValueError(f"{path}, {error}") from None
    if not pairs:
        raise ValueError(f"{path} has no pairs; one a line is needed")
    nameless = f"the first line of {path} is taken as a pair; the columns are {', '.join(names)}"
    return Table(pairs, tuple([nameless] * bool(rows and not header) + _empty(path, pairs)))


def _has_tabs_alone(text: str) -> bool:
    """Whether the first line has tabs and no commas."""
    first = text.lstrip().partition("\n")[0]
    return "\t" in first and "," not in first


def _empty(path: Path, pairs: list[Pair]) -> list[str]:
    """What is told of pairs that lack a text."""
    empty = {name: sum(not getattr(pair, name) for pair in pairs) for name in ("source", "target")}
    return [f"{number:,} of {len(pairs):,} pairs of {path} have no {name}" for name, number in empty.items() if number]


def _cells(line: int, record: dict[str, object], columns: Columns) -> dict[str, str]:
    """The cells of a record under the names of the fields of Pair."""
    cells = dict[str, str]()
    for field, name in columns.items():
        names = KNOWN[field] if name is None else (name,)
        column = next((column for column in record if column in names), None)
        if column is None and (name is not None or field != "features"):
            raise ValueError(f"line {line}: no column {' or '.join(names)}; there are {listed(record) or 'none'}")
        cell = "" if column is None else record[column]
        if not isinstance(cell, str):
            raise ValueError(f"line {line}: {column} is a text, not {cell!r}")
        cells[field] = cell
    return cells


def _objects(file: io.StringIO) -> Records:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"line {number}: one JSON object a line is allowed: {error}") from None
        if not isinstance(record, dict):
            raise ValueError(f"line {number}: one JSON object a line is allowed, not {line.strip()[:40]!r}")
        yield number, record


def _records(rows: list[tuple[int, list[str]]], names: list[str], between: str) -> Records:
    for number, row in rows:
        if len(row) != len(names):
            allowed = f"allowed are {len(names)}, with {between} between them: {listed(names)}"
            if len(row) > len(KNOWN) == len(names):
                allowed += "; --source-col and --target-col choose among others, if a first line names them"
            raise ValueError(f"line {number}: {len(row)} column{'s' * (len(row) != 1)}; {allowed}")
        yield number, dict(zip(names, row, strict=True))


def _header(number: int, row: list[str], columns: Columns) -> list[str]:
    """The names of the columns in a first line; none if it holds a pair already."""
    names = [cell.strip() for cell in row]
    if not any(columns.values()):
        names = [name.lower() for name in names]
        if not all(set(KNOWN[field]) & set(names) for field in ("source", "target")):
            return []
    if len(set(names)) < len(names):
        raise ValueError(f"line {number}: every column has another name, not {listed(names)}")
    return names


def _numbered(file: io.StringIO, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Every row that is not blank, with the number of its first line."""
    quoting = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    reader, first = csv.reader(file, delimiter=delimiter, quoting=quoting, strict=True), 1
    try:
        for row in reader:
            if len(row) > 1 or "".join(row).strip():
                yield first, row
            first = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"line {first}: {error}; quotes are closed, and doubled within quotes") from None
