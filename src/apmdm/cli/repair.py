"""`apmdm solve dyck`, `eval dyck-repair` and `eval brackets`: broken words edited into valid ones."""

import json
import time
from collections import Counter
from pathlib import Path
from random import Random

import typer
from rich.progress import track

from apmdm import weights
from apmdm.cli import read
from apmdm.cli.solve import cost
from apmdm.tasks.dyck.code import standard_library
from apmdm.tasks.dyck.repair import VOCAB, encode
from apmdm.tasks.dyck.repaired import repair
from apmdm.tasks.dyck.uniform import damaged, random_word
from apmdm.tasks.dyck.verify import distance, distance_to_language

WORDS, LANGUAGE, LENGTH, MOST_ERRORS = 1000, "k2", 100, 4
LONGEST_CODE = 600


def solve_dyck(problems: read.Problems, model_name: str, device: str, as_json: bool) -> bool:
    """Print a valid word for each broken one, in their order; True if every one was verified."""
    number = read.count(encode, problems)
    model = weights.load(model_name, VOCAB).to(device)
    broken, num_valid = list(problems), 0
    for fixed in sorted(repair(model, broken, device=device), key=lambda fixed: fixed.run.index):
        before, num_valid = broken[fixed.run.index], num_valid + fixed.valid
        edits = distance(before, fixed.text) if fixed.text is not None else None
        if as_json:
            record = {"index": fixed.run.index, "broken": before, "word": fixed.text, "edits": edits}
            typer.echo(json.dumps(record | {"verified": fixed.valid} | cost(fixed.run)))
        else:
            typer.echo(f"{fixed.text}  edits {edits}" if fixed.valid else f"no word; stopped: {fixed.run.stop}")
    return num_valid == number


def evaluate_repair(data: Path | None, model_name: str, device: str, seed: int) -> dict[str, object]:
    """Uniformly random words over two letters, each with 1 to 4 errors."""
    random = Random(seed)
    words = [random_word(LANGUAGE, LENGTH, random) for _ in range(WORDS)]
    return _evaluate(words, LANGUAGE, data, model_name, device, random)


def evaluate_brackets(data: Path | None, model_name: str, device: str, seed: int) -> dict[str, object]:
    """The brackets of the standard library's modules, each with 1 to 4 errors."""
    return _evaluate(standard_library(LONGEST_CODE), "brackets", data, model_name, device, Random(seed))


def _evaluate(
    words: list[str], language: str, data: Path | None, model_name: str, device: str, random: Random
) -> dict[str, object]:
    if data is not None:
        raise ValueError("this evaluation breaks words of its own; leave --data out")
    model = weights.load(model_name, VOCAB).to(device)
    broken = [damaged(word, random.randint(1, MOST_ERRORS), language, random) for word in words]
    began = time.perf_counter()
    fixed = list(track(repair(model, broken, device=device), "repairing", len(broken), console=read.stderr()))
    seconds = time.perf_counter() - began
    valid = [(words[f.run.index], broken[f.run.index], f.text) for f in fixed if f.valid and f.text is not None]

    def mean(numbers: list[int]) -> float:
        return round(sum(numbers) / max(1, len(numbers)), 3)

    return {
        "words": len(words),
        "longest": max(map(len, words)),
        "valid": len(valid),
        "restored": sum(text == word for word, _, text in valid),
        "mean edits": mean([distance(before, text) for _, before, text in valid]),
        "least possible": mean([distance_to_language(before) for _, before, _ in valid]),
        "mean distance to the original": mean([distance(word, text) for word, _, text in valid]),
        "mean_steps": mean([f.run.time for f in fixed]),
        "max_steps": max(f.run.time for f in fixed),
        "stops": dict(Counter(f.run.stop for f in fixed)),
        "parameters": model.num_parameters(),
        "seconds": round(seconds, 1),
    }
