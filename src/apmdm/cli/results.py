"""Results saved one a line while many problems are solved, so that an interrupted run goes on where it was cut."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

from apmdm import outputs


@dataclass
class Results:
    """What a file holds: for each problem 1 if its result is there, how many are solved, and how many failed."""

    path: Path
    done: bytearray
    solved: int = 0
    failed: int = 0

    def append(self, record: dict[str, Any]) -> None:
        """Write one record: from then on the end of this process, however it comes, does not lose it."""
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self.solved += record["verified"] is True
        self.failed += record["verified"] is False


@contextmanager
def only_writer_of(path: Path, resume: bool) -> Iterator[None]:
    """Keep other runs away from a file of results, new or empty unless the run is resumed."""
    outputs.writable(path)
    if resume and not path.exists():
        raise ValueError(f"there are no results to go on with at {path}; leave --resume out to begin")
    with outputs.locked(path):
        if not resume and path.stat().st_size:
            raise ValueError(f"{path} is there already; --resume goes on with it, or give another file")
        yield


def begun(path: Path, number: int) -> Results:
    """An empty file for the results of `number` problems."""
    return Results(path, bytearray(number))


def taken_up(path: Path, told: Iterable[dict[str, Any]], number: int) -> Results:
    """The results that an earlier run left; a last line that was cut off is removed.

    told: how each problem is told in its result. Raises ValueError if the file does not hold results of these `number`
    problems. Runs end in any order, so two sums of hashes are compared, and no problem is held in memory.
    """
    results, mismatch = Results(path, bytearray(number)), 0
    foreign = ValueError(f"{path} does not hold results of these problems; give the file that --out wrote for them")
    problems = iter(told)
    first = next(problems, {})
    with path.open("rb+") as file:
        end = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                record = json.loads(line)
                index, verified = record["index"], record["verified"]
                results.done[index] = 1
                mismatch ^= _hash(index, {key: record[key] for key in first})
            except (ValueError, KeyError, TypeError, IndexError):
                raise foreign from None
            results.solved += verified is True
            results.failed += verified is False
        for index, problem in enumerate(chain([first], problems)):
            if results.done[index]:
                mismatch ^= _hash(index, problem)
        if mismatch:
            raise foreign
        file.truncate(end)
    return results


def _hash(index: int, problem: dict[str, Any]) -> int:
    return hash((index, json.dumps(problem, sort_keys=True, default=str)))
