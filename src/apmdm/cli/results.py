"""Results saved one a line while many puzzles are solved, so that an interrupted run goes on where it was cut."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass
class Results:
    """What a file holds: for each puzzle 1 if its result is there, and how many are solved."""

    path: Path
    done: bytearray
    solved: int = 0

    def append(self, record: dict[str, object]) -> None:
        """Write one record: from then on the end of this process, however it comes, does not lose it."""
        with self.path.open("a") as file:
            file.write(json.dumps(record) + "\n")
        self.solved += record["status"] == "solved"


def begun(path: Path, number: int) -> Results:
    """A new file for the results of `number` puzzles."""
    if path.exists():
        raise ValueError(f"{path} is there already; --resume goes on with it, or give another file")
    path.touch()
    return Results(path, bytearray(number))


def taken_up(path: Path, puzzles: Iterable[str], number: int) -> Results:
    """The results that an earlier run left; a last line that was cut off is removed.

    Raises ValueError if they are not results of these `number` puzzles. Runs end in any order, so two sums of
    hashes are compared, and no puzzle is held in memory.
    """
    if not path.exists():
        raise ValueError(f"there are no results to go on with at {path}; leave --resume out to begin")
    results, mismatch = Results(path, bytearray(number)), 0
    foreign = ValueError(f"{path} does not hold results of these puzzles; give the file that --out wrote for them")
    with path.open("rb+") as file:
        end = 0
        for line in file:
            if not line.endswith(b"\n"):
                break
            end += len(line)
            try:
                record = json.loads(line)
                index, puzzle, status = record["index"], record["puzzle"], record["status"]
                results.done[index] = 1
                mismatch ^= hash((index, puzzle))
            except (ValueError, KeyError, TypeError, IndexError):
                raise foreign from None
            results.solved += status == "solved"
        for index, puzzle in enumerate(puzzles):
            if results.done[index]:
                mismatch ^= hash((index, puzzle))
        if mismatch:
            raise foreign
        file.truncate(end)
    return results
