"""Bars of the sampler on Sudoku: busy batch slots, overhead beyond the forward pass, and two samplers to compare with.

On a GPU if there is one; then also the shares that forward passes have of the rates of a matrix product and of a copy.

A static batch waits for its slowest member: the row evaluations that it would need follow from the measured runs.
The per-token sampler decides position by position in a Python loop, as the paper's public release does.

    python benchmarks/sampler.py [FILE [FIGURE]]     one puzzle a line, freshly generated ones if left out; FIGURE: a
                                                     plot of the lengths of runs and of the rate by batch size
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import torch
from matplotlib.figure import Figure
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from apmdm import weights
from apmdm.edits import Edits
from apmdm.lines import lines
from apmdm.model.encoder import Encoder
from apmdm.model.graphed import Graphed
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor, Run
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.tasks.sudoku.data import generated, teacher_steps
from apmdm.tasks.sudoku.grid import NINE, encode
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.vocab import MASK

BATCH, NUM_FRESH, PER_TOKEN_STEPS = 256, 1000, 200
BATCHES, SECONDS = [4**power for power in range(6)], 3.0
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def now() -> float:
    """Seconds, when everything launched has ended."""
    if DEVICE == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Clocked:
    """A model that notes the rows and the seconds of each of its calls."""

    def __init__(self, model: Predictor) -> None:
        self.model, self.seconds = model, 0.0
        self.rows: list[int] = []
        self.drained = 0

    def __call__(self, state: State) -> Prediction | Edits:
        began = now()
        said = self.model(state)
        self.seconds += now() - began
        self.rows.append(len(state))
        return said


def feed(puzzles: torch.Tensor, clocked: Clocked) -> Iterator[list[int]]:
    """The puzzles; notes at which call of the model none is left."""
    yield from puzzles.tolist()
    clocked.drained = len(clocked.rows)


def static_rows(runs: list[Run]) -> int:
    """Row evaluations of batches in the order of the file, each as long as its slowest member."""
    times = [1 + run.time for run in sorted(runs, key=lambda run: run.index)]
    return sum(
        max(times[first : first + BATCH]) * len(times[first : first + BATCH]) for first in range(0, len(times), BATCH)
    )


def per_token_steps(model: Encoder, puzzles: torch.Tensor) -> Iterator[None]:
    """Decoding steps of one puzzle after the other, every position decided by itself."""
    for puzzle in puzzles:
        tokens, moved = encode(puzzle[None]).ids[0].tolist(), True
        while moved:
            prediction = model(State.stack([Sequence(torch.tensor(tokens), NINE.coordinates)]).to(DEVICE))
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


def forward_rates(model: Predictor, puzzles: torch.Tensor) -> dict[int, float]:
    """Rows a second of the model alone, by the number of rows at once."""
    rates = {}
    for size in BATCHES:
        state = encode(puzzles[torch.arange(size) % len(puzzles)]).to(DEVICE)
        model(state)
        rates[size] = round(size * rate(partial(model, state)), 1)
    return rates


def rate(run: Callable[[], object]) -> float:
    """How often a second."""
    times, began = 0, now()
    while now() < began + SECONDS:
        run()
        times += 1
    return times / (now() - began)


class Moved(TorchDispatchMode):
    """Counts the bytes that operations read and write."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **kwargs or {})
        if not function.is_view:
            tensors = [leaf for leaf in tree_leaves((args, kwargs, result)) if isinstance(leaf, torch.Tensor)]
            self.bytes += sum(tensor.numel() * tensor.element_size() for tensor in tensors)
        return result


def ceilings(model: Encoder, puzzles: torch.Tensor, rates: dict[int, float]) -> dict[str, float]:
    """What one large matrix product and one large copy reach, in float32, and what share of it forward passes."""
    square, block = torch.randn(2, 8192, 8192, device=DEVICE), torch.randn(2**28, device=DEVICE)
    copy = torch.empty_like(block)
    flops = 2 * len(square[0]) ** 3 * rate(lambda: square[0] @ square[1])
    bandwidth = 2 * block.nbytes * rate(lambda: copy.copy_(block))
    size = max(rates, key=lambda size: rates[size])
    with Moved() as moved:
        model(encode(puzzles[torch.arange(size) % len(puzzles)]).to(DEVICE))
    return {
        "matmul_flops": flops,
        "copy_bytes_per_second": bandwidth,
        "share_of_matmul": round(2 * model.multiply_adds(NINE.length) * rates[size] / flops, 3),
        "share_of_copy": round(moved.bytes / size * rates[size] / bandwidth, 3),
    }


def draw(solutions: list[Solution], steps_of_teacher: torch.Tensor, rates: dict[int, float], out: Path) -> None:
    figure = Figure(figsize=(11, 4), layout="constrained")
    lengths, batches = figure.subplots(1, 2)
    solved = sorted(solution.run.time for solution in solutions if solution.solved)
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
    puzzles = torch.tensor(list(lines(path).each(NINE.parse))) if path else generated(NUM_FRESH, seed=1)
    if len(puzzles) <= BATCH:
        sys.exit(f"give more than {BATCH} puzzles, so that there is a queue; {path} has {len(puzzles)}")
    model = weights.load_encoder("sudoku", NINE.vocab).to(DEVICE)
    quick = Graphed(model) if DEVICE == "cuda" else model
    clocked = Clocked(quick)
    began = time.perf_counter()
    solutions = list(Sudoku().solve(clocked, feed(puzzles, clocked), batch_size=BATCH, device=DEVICE))
    seconds = time.perf_counter() - began
    runs = [solution.run for solution in solutions]
    evaluations, busy = sum(clocked.rows), clocked.rows[: clocked.drained]
    steps, slow_began = 0, time.perf_counter()
    for _ in per_token_steps(model, puzzles):
        steps += 1
        if steps == PER_TOKEN_STEPS:
            break
    slow_rate = steps / (time.perf_counter() - slow_began)
    rates = forward_rates(quick, puzzles)
    if len(sys.argv) > 2:
        draw(solutions, teacher_steps(puzzles), rates, Path(sys.argv[2]))
    record = {
        "benchmark": "sampler",
        "puzzles": len(runs),
        "solved": sum(solution.solved for solution in solutions),
        "puzzles_per_second": round(len(runs) / seconds, 2),
        "busy_slots": round(sum(busy) / (BATCH * len(busy)), 4),
        "overhead_beyond_forward": round(seconds / clocked.seconds - 1, 4),
        "row_evaluations": evaluations,
        "row_evaluations_static": static_rows(runs),
        "static_ratio": round(static_rows(runs) / evaluations, 2),
        "speed_over_per_token": round(evaluations / seconds / slow_rate, 1),
        "forward_rows_per_second": rates,
        "device": torch.cuda.get_device_name() if DEVICE == "cuda" else DEVICE,
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record | (ceilings(model, puzzles, rates) if DEVICE == "cuda" else {})))


if __name__ == "__main__":
    main()
