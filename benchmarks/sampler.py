"""Bars of the sampler on Sudoku: busy batch slots, overhead beyond the forward pass, and two samplers to compare with.

A static batch waits for its slowest member: the row evaluations that it would need follow from the measured runs.
The per-token sampler decides position by position in a Python loop, as the paper's public release does.

    python benchmarks/sampler.py [FILE [FIGURE]]     one puzzle a line, freshly generated ones if left out; FIGURE: a
                                                     plot of the lengths of runs and of the rate by batch size
"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from matplotlib.figure import Figure

from apmdm import weights
from apmdm.cli import read
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.sampler import Run
from apmdm.state import Sequence, State
from apmdm.tasks.sudoku.data import generated, teacher_steps
from apmdm.tasks.sudoku.grid import NINE, encode
from apmdm.tasks.sudoku.solve import Solution, solve
from apmdm.vocab import MASK

BATCH, NUM_FRESH, PER_TOKEN_STEPS = 256, 1000, 200
BATCHES, SECONDS = [4**power for power in range(6)], 3.0


class Clocked:
    """A model that notes the rows and the seconds of each of its calls."""

    def __init__(self, model: Encoder) -> None:
        self.model, self.seconds = model, 0.0
        self.rows: list[int] = []
        self.drained = 0

    def __call__(self, state: State) -> Prediction:
        began = time.perf_counter()
        prediction = self.model(state)
        self.seconds += time.perf_counter() - began
        self.rows.append(len(state))
        return prediction


def feed(puzzles: torch.Tensor, clocked: Clocked) -> Iterator[torch.Tensor]:
    """The puzzles; notes at which call of the model none is left."""
    yield from puzzles
    clocked.drained = len(clocked.rows)


def static_rows(runs: list[Run]) -> int:
    """Row evaluations of batches in the order of the file, each as long as its slowest member."""
    times = [1 + run.time for run in sorted(runs, key=lambda run: run.index)]
    return sum(
        max(times[first : first + BATCH]) * len(times[first : first + BATCH]) for first in range(0, len(times), BATCH)
    )


def per_token_steps(model: Encoder, puzzles: torch.Tensor) -> Iterator[None]:
    """Decoding steps of one puzzle after the other, every position decided by itself."""
    device = model.embedding.device
    for puzzle in puzzles:
        tokens, moved = encode(puzzle[None]).ids[0].tolist(), True
        while moved:
            prediction = model(State.stack([Sequence(torch.tensor(tokens), NINE.coordinates)]).to(device))
            after: list[int] = []
            for i, token in enumerate(tokens):
                if token == MASK and prediction.delete[0, i].item() > 0:
                    continue
                if prediction.remask[0, i].item() > 0:
                    after.append(MASK)
                else:
                    after.append(int(prediction.content[0, i].argmax().item()) if token == MASK else token)
                if prediction.insert[0, i].item() > 0:
                    after.append(MASK)
            yield
            tokens, moved = after, after != tokens


def forward_rates(model: Encoder, puzzles: torch.Tensor) -> dict[int, float]:
    """Rows a second of the model alone, by the number of rows at once."""
    rates = {}
    for size in BATCHES:
        state, rows, began = encode(puzzles[torch.arange(size) % len(puzzles)]), 0, time.perf_counter()
        while time.perf_counter() < began + SECONDS:
            model(state)
            rows += size
        rates[size] = round(rows / (time.perf_counter() - began), 1)
    return rates


def draw(solutions: list[Solution], steps_of_teacher: torch.Tensor, rates: dict[int, float], out: Path) -> None:
    figure = Figure(figsize=(11, 4), layout="constrained")
    lengths, batches = figure.subplots(1, 2)
    solved = sorted(solution.run.time for solution in solutions if solution.status == "solved")
    for name, times in (("the model, verified", solved), ("its teacher", sorted(steps_of_teacher.tolist()))):
        shares = [100 * (number + 1) / len(solutions) for number in range(len(times))]
        lengths.step(times, shares, where="post", label=name, linestyle="--" if times is not solved else "-")
    lengths.set(xscale="log", xlabel="decoding steps", ylabel="solved within so many steps (%)")
    lengths.legend()
    batches.plot(list(rates), list(rates.values()), marker="o")
    batches.set(xscale="log", xlabel="rows at once", ylabel="rows a second (forward alone)", ylim=(0, None))
    figure.savefig(out, dpi=110)


@torch.inference_mode()
def main() -> None:
    path = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    puzzles = torch.tensor([NINE.parse(line) for line in read.lines(path)]) if path else generated(NUM_FRESH, seed=1)
    if len(puzzles) <= BATCH:
        sys.exit(f"give more than {BATCH} puzzles, so that there is a queue; {path} has {len(puzzles)}")
    model = weights.load("sudoku", NINE.vocab)
    clocked = Clocked(model)
    began = time.perf_counter()
    solutions = list(solve(clocked, feed(puzzles, clocked), batch_size=BATCH))
    seconds = time.perf_counter() - began
    runs = [solution.run for solution in solutions]
    evaluations, busy = sum(clocked.rows), clocked.rows[: clocked.drained]
    steps, slow_began = 0, time.perf_counter()
    for _ in per_token_steps(model, puzzles):
        steps += 1
        if steps == PER_TOKEN_STEPS:
            break
    slow_rate = steps / (time.perf_counter() - slow_began)
    rates = forward_rates(model, puzzles)
    if len(sys.argv) > 2:
        draw(solutions, teacher_steps(puzzles), rates, Path(sys.argv[2]))
    record = {
        "benchmark": "sampler",
        "puzzles": len(runs),
        "solved": sum(solution.status == "solved" for solution in solutions),
        "puzzles_per_second": round(len(runs) / seconds, 2),
        "busy_slots": round(sum(busy) / (BATCH * len(busy)), 4),
        "overhead_beyond_forward": round(seconds / clocked.seconds - 1, 4),
        "row_evaluations": evaluations,
        "row_evaluations_static": static_rows(runs),
        "static_ratio": round(static_rows(runs) / evaluations, 2),
        "speed_over_per_token": round(evaluations / seconds / slow_rate, 1),
        "forward_rows_per_second": rates,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
