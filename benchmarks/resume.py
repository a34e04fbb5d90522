"""A long file solved although the process is killed again and again: no puzzle lost, none solved twice.

Symmetry copies of freshly generated puzzles; the solver is killed (SIGKILL) after a growing number of results, resumed,
and left alone at last.

    python benchmarks/resume.py [NUM]     20,000 puzzles if left out
"""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

from apmdm.tasks.sudoku.data import generated
from apmdm.tasks.sudoku.grid import NINE, to_text
from apmdm.tasks.sudoku.symmetry import random_symmetries
from apmdm.tasks.sudoku.verify import is_solution

NUM, SOURCES, SEED, KILLS = 20_000, 200, 5, 3
SOLVE = [sys.executable, "-c", "from apmdm.cli import main; main()", "solve", "sudoku"]


def copies(num: int) -> list[str]:
    """Different puzzles, many from few."""
    random = torch.Generator().manual_seed(SEED)
    sources = generated(SOURCES, SEED)
    return [to_text(puzzle) for puzzle in random_symmetries(num, random)(sources[torch.arange(num) % SOURCES]).tolist()]


def lines_of(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def main() -> None:
    puzzles = copies(int(sys.argv[1]) if len(sys.argv) > 1 else NUM)
    with TemporaryDirectory() as folder:
        file, out = Path(folder, "puzzles.txt"), Path(folder, "results.jsonl")
        file.write_text("\n".join(puzzles))
        killed_at: list[int] = []
        for kill in range(1, KILLS + 1):
            again = ["--resume"] if killed_at else []
            solver = subprocess.Popen([*SOLVE, file, "--out", out, *again], stderr=subprocess.DEVNULL)
            while lines_of(out) < kill * len(puzzles) // (KILLS + 1) and solver.poll() is None:
                time.sleep(0.01)
            solver.kill()
            solver.wait()
            killed_at.append(lines_of(out))
        ended = subprocess.run([*SOLVE, file, "--out", out, "--resume"], stdout=subprocess.DEVNULL, check=False)
        records = [json.loads(line) for line in out.read_text().splitlines()]
    times = Counter(record["index"] for record in records)
    record = {
        "benchmark": "resume",
        "puzzles": len(puzzles),
        "different": len(set(puzzles)),
        "killed_after": killed_at,
        "exit_code": ended.returncode,
        "lost": len(puzzles) - len(times),
        "solved_twice": sum(number > 1 for number in times.values()),
        "solved": sum(
            record["puzzle"] == puzzles[record["index"]]
            and is_solution(NINE.parse(record["puzzle"]), NINE.parse(record["answer"]))
            for record in records
            if record["answer"]
        ),
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
