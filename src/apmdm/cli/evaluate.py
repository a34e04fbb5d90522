"""`apmdm eval`: what a model can do, measured."""

import math
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from random import Random

import torch
from rich.progress import track

from apmdm import weights
from apmdm.cli import read
from apmdm.cli.solve import sudoku_model
from apmdm.tasks.dyck import process as dyck
from apmdm.tasks.dyck.uniform import num_words
from apmdm.tasks.dyck.words import draw
from apmdm.tasks.parity import process as parity
from apmdm.tasks.parity import solve as bits
from apmdm.tasks.sudoku.data import answers_of, generated, teacher_run, training_puzzles
from apmdm.tasks.sudoku.grid import decode
from apmdm.tasks.sudoku.solve import Report, solve
from apmdm.tasks.sudoku.symmetry import leaks

FRESH_PUZZLES = 1000
"""Freshly generated when no file is given."""
DRAWN, LETTERS, LENGTH = 100_000, 2, 8
"""Words drawn, their number of letters and their length."""


def evaluate_sudoku(
    data: Path | None, model_name: str, device: str, seed: int, num: int | None = None
) -> dict[str, object]:
    """Free-running greedy rollouts, one a puzzle, every answer verified."""
    model, board = sudoku_model(model_name, device)
    if data:
        puzzles = torch.tensor(list(read.each(board.parse, read.lines(data))))
    else:
        puzzles = generated(num or FRESH_PUZZLES, seed, board)
    began = time.perf_counter()
    rollouts = solve(model, puzzles, board, device=device)
    solutions = list(track(rollouts, "solving", len(puzzles), console=read.stderr()))
    seconds = time.perf_counter() - began
    final, teacher_steps = teacher_run(puzzles)
    report = Report.of(solutions, teacher_steps)
    return asdict(report) | {
        "leaked": len(leaks(answers_of(training_puzzles(board)).tolist(), decode(final).tolist())),
        "parameters": model.num_parameters(),
        "mean_multiply_adds": round(model.multiply_adds(board.length) * (1 + report.mean_steps)),
        "seconds": round(seconds, 1),
    }


def evaluate_parity(data: Path | None, model_name: str, device: str, seed: int) -> dict[str, object]:
    """1,000 random strings of every length from 1 to 64 and ten of a million bits, or those of a file."""
    model = weights.load(model_name, parity.VOCAB).to(device)
    problems = read.Problems(_random_strings(seed)) if data is None else read.lines(data)
    total = read.count(parity.encode, problems)
    strings = sorted(problems, key=len)
    right, steps, stops = Counter(), 0, Counter()
    began = time.perf_counter()
    for run in track(bits.solve(model, strings, device=device), "parity", total, console=read.stderr()):
        string = strings[run.index]
        right[len(string)] += parity.decode(run.final) == string.count("1") % 2
        steps = max(steps, run.time)
        stops[run.stop] += 1
    return {
        "strings": total,
        "right": sum(right.values()),
        "lengths with errors": [
            length for length, number in Counter(map(len, strings)).items() if right[length] < number
        ],
        "longest": len(strings[-1]),
        "max_steps": steps,
        "stops": dict(stops),
        "parameters": model.num_parameters(),
        "seconds": round(time.perf_counter() - began, 1),
    }


def _random_strings(seed: int) -> list[str]:
    random = Random(seed)
    lengths = [length for length in range(1, 65) for _ in range(1000)] + [1_000_000] * 10
    return [f"{random.getrandbits(length):0{length}b}" for length in lengths]


def evaluate_dyck(data: Path | None, model_name: str, device: str, seed: int) -> dict[str, object]:
    """Words of length 8 over two letters: validity, how many of all words came, and the distance from uniform."""
    if data is not None:
        raise ValueError("eval dyck draws its words itself; leave --data out")
    model = weights.load(model_name, dyck.VOCAB).to(device)
    began = time.perf_counter()
    words = draw(model, f"k{LETTERS}", LENGTH, DRAWN, seed, batch_size=4096, device=device)
    drawn = list(track(words, "dyck", DRAWN, console=read.stderr()))
    counts = Counter(word.text for word in drawn if word.valid)
    total = num_words(f"k{LETTERS}", LENGTH)
    valid = counts.total()
    return {
        "words": DRAWN,
        "valid": valid,
        "distinct": len(counts),
        "all words": total,
        "KL to uniform (nats)": round(sum(n / valid * math.log(n / valid * total) for n in counts.values()), 4),
        "mean_steps": round(sum(word.run.time for word in drawn) / DRAWN, 2),
        "stops": dict(Counter(word.run.stop for word in drawn)),
        "parameters": model.num_parameters(),
        "seconds": round(time.perf_counter() - began, 1),
    }
