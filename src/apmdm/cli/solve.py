"""`apmdm solve`: problems in, one line or one JSON object each out."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from torch import Tensor

from apmdm import weights
from apmdm.cli import read, results
from apmdm.model.encoder import Encoder
from apmdm.sampler import Run
from apmdm.tasks.parity import process as parity
from apmdm.tasks.parity import solve as bits
from apmdm.tasks.sudoku import view
from apmdm.tasks.sudoku.grid import BOARDS, NINE, SIXTEEN, Board, to_text
from apmdm.tasks.sudoku.solve import Solution, solve
from apmdm.trace import Trace

DEMO = Path(view.__file__).with_name("demo_puzzles.txt")
PUZZLE = "a puzzle (81 characters, 1 to 9 and . or 0 for an empty cell, or 256 with 1 to 9 and A to G)"
ROW = "{:>6}  {:<10}  {:>6}  {:>10}  {:>8}  {}"


def looks_like_sudoku(text: str) -> bool:
    return len(text) in (NINE.cells, SIXTEEN.cells) or set(text) <= set(f"{NINE.digits}.0")


def sudoku_weights(problems: read.Problems) -> str:
    """The shipped weights for puzzles as long as the first one."""
    return "sudoku-16x16" if len(next(iter(problems), "")) == SIXTEEN.cells else "sudoku"


def sudoku_model(name: str, device: str) -> tuple[Encoder, Board]:
    """The model of these weights, and the board that it is for."""
    model = weights.load(name, *(board.vocab for board in BOARDS.values()))
    return model.to(device), next(board for board in BOARDS.values() if board.vocab == model.vocab)


def solve_sudoku(
    problems: read.Problems, model_name: str, device: str, *, as_json: bool, watch: bool, trace: Path | None
) -> bool:
    """Print what came of each puzzle; True if every one was solved and verified."""
    model, board = sudoku_model(model_name, device)
    number = read.count(board.parse, problems)
    if trace is not None and number > 1:
        raise ValueError(f"--trace writes the run of one puzzle, there are {number}; add --limit 1")
    puzzles = map(torch.tensor, read.each(board.parse, problems))
    console = Console()
    can_draw = sys.stdout.isatty() and not console.is_dumb_terminal and not as_json
    drawn = view.watched(model, torch.stack(list(puzzles)), board, console, device) if watch and can_draw else None
    if not as_json:
        typer.echo(ROW.format("puzzle", "status", "steps", "backtracks", "seconds", "answer"))
    num_solved, began = 0, time.perf_counter()
    for solution in drawn or solve(model, puzzles, board, record=True, device=device):
        seconds = time.perf_counter() - began
        if as_json:
            extra = {"backtracks": solution.backtracks, "seconds": round(seconds, 3)}
            typer.echo(json.dumps(sudoku_record(solution) | extra))
        else:
            typer.echo(sudoku_row(solution, seconds))
        num_solved += solution.status == "solved"
        if trace is not None:
            trace.write_text(sudoku_trace(solution, board).to_json())
    if not as_json:
        typer.echo(f"{num_solved} of {number} solved and verified")
    return num_solved == number


def solve_sudoku_into(out: Path, problems: read.Problems, model_name: str, device: str, resume: bool) -> bool:
    """Save what came of each puzzle, one JSON object a line, as runs end; True if every one was solved and verified."""
    model, board = sudoku_model(model_name, device)
    number = read.count(board.parse, problems)
    texts = map(to_text, read.each(board.parse, problems))
    saved = results.taken_up(out, texts, number) if resume else results.begun(out, number)
    numbers: dict[int, int] = {}

    def remaining() -> Iterator[Tensor]:
        left = (pair for pair in enumerate(read.each(board.parse, problems)) if not saved.done[pair[0]])
        for number, (index, puzzle) in enumerate(left):
            numbers[number] = index
            yield torch.tensor(puzzle)

    with _progress() as progress:
        task = progress.add_task("solving", total=number, completed=sum(saved.done), solved=saved.solved)
        for solution in solve(model, remaining(), board, device=device):
            saved.append(sudoku_record(solution) | {"index": numbers.pop(solution.run.index)})
            progress.update(task, advance=1, solved=saved.solved)
    typer.echo(f"{saved.solved} of {number} solved and verified")
    return saved.solved == number


def _progress() -> Progress:
    counts = MofNCompleteColumn(), TextColumn("{task.fields[solved]} solved")
    return Progress(BarColumn(), *counts, TimeElapsedColumn(), TimeRemainingColumn(), console=read.stderr())


def sudoku_row(solution: Solution, seconds: float) -> str:
    run = solution.run
    answer = {
        "solved": to_text(solution.answer),
        "unsolvable": "proved to have no solution",
        "unsolved": f"no answer; stopped: {run.stop}",
    }[solution.status]
    return ROW.format(run.index + 1, solution.status, run.time, solution.backtracks, f"{seconds:.2f}", answer)


def sudoku_record(solution: Solution) -> dict[str, object]:
    solved = solution.status == "solved"
    return {
        "index": solution.run.index,
        "puzzle": to_text(solution.puzzle),
        "status": solution.status,
        "answer": to_text(solution.answer) if solved else None,
        "verified": solved,
    } | cost(solution.run)


def sudoku_trace(solution: Solution, board: Board) -> Trace:
    places = tuple(tuple(place) for place in board.coordinates.tolist())
    about = {"task": "sudoku", "puzzle": to_text(solution.puzzle), "status": solution.status}
    run = solution.run
    return Trace(board.vocab, run.steps, tuple(run.final.ids.tolist()), places, about)


def solve_parity(problems: read.Problems, model_name: str, device: str, *, as_json: bool) -> bool:
    """Print the parity of each string; True if the model was right about every one."""
    read.count(parity.encode, problems)
    lines = list(problems)
    model = weights.load(model_name, parity.VOCAB).to(device)
    num_right = 0
    for run in sorted(bits.solve(model, lines, device=device), key=lambda run: run.index):
        answer, truth = parity.decode(run.final), lines[run.index].count("1") % 2
        num_right += answer == truth
        if as_json:
            record = {"index": run.index, "length": len(lines[run.index]), "parity": answer}
            typer.echo(json.dumps(record | {"verified": answer == truth} | cost(run)))
        else:
            named = f"{answer} ({'odd' if answer else 'even'})"
            verdict = named if answer == truth else f"no right answer; stopped: {run.stop}"
            typer.echo(f"parity {verdict}  bits {len(lines[run.index])}  steps {run.time}")
    return num_right == len(lines)


def cost(run: Run) -> dict[str, object]:
    counts: dict[str, object] = {"stop": run.stop, "steps": run.time, "space": run.space, "work": run.work}
    return counts | {"log_probability": round(run.log_probability, 6)}
