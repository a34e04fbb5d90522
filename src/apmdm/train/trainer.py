"""The training loop: batches in, weights out; knows no task, no sampler and no file but its own folder."""

import copy
import math
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import Literal, NamedTuple

import torch
from accelerate import Accelerator
from jaxtyping import Bool
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.tensorboard import SummaryWriter

from apmdm.allocator import keep_freed_memory
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder
from apmdm.objective.supervised import HEADS, Loss, supervised_loss
from apmdm.state import State
from apmdm.train import checkpoint
from apmdm.train.optimizer import optimizers, rate

CLIP = 1.0

Batches = Callable[[int], tuple[State, Edits]]
Evaluate = Callable[[Encoder], dict[str, float]]
Objective = Callable[..., Loss]
"""The loss of a prediction, a state and its edits, and of the hints if there are any."""


class Hints(NamedTuple):
    """What a teacher looks up in a state on the way to its edits, as `number` bits for every position, and
    after them `conclusions` more that follow from these.

    They train a middle layer, conclusions the one after it, and are not needed afterwards; the CLRS benchmark (arXiv
    2205.15659) has the word.
    """

    number: int
    of: Callable[[State], Bool[Tensor, "batch length hints"]]
    conclusions: int = 0


@dataclass(frozen=True)
class Settings:
    """Everything the loop may vary. The rates follow apmdm.train.optimizer.rate.

    focus: only one row in so many of each batch is trained on, those whose edits the model holds for least probable;
    so that a model that is nearly always right learns from where it is not (selective backpropagation, arXiv
    1910.00762).
    precision: of forward passes, with float32 weights: no is float32, auto bf16 where the machine has units for it, as
    newer GPUs and CPUs with AMX have; others compute bf16 more slowly than float32.
    """

    steps: int = 1000
    matrix_rate: float = 0.02
    other_rate: float = 0.01
    warmup: int = 100
    focus: int = 1
    average: float = 0.999
    evaluate_every: int = 1000
    checkpoint_every: int = 500
    precision: Literal["no", "bf16", "auto"] = "no"

    def __post_init__(self) -> None:
        if self.precision not in ("no", "bf16", "auto"):
            raise ValueError(f"precision is no, bf16 or auto, not {self.precision!r}")
        if min(self.steps, self.focus, self.evaluate_every, self.checkpoint_every) < 1:
            raise ValueError("steps, focus and the intervals evaluate_every and checkpoint_every are at least 1")
        if not (0 <= self.average < 1 and self.warmup >= 0):
            raise ValueError("average is in [0, 1), warmup not negative")
        if not (0 <= self.matrix_rate < math.inf and 0 <= self.other_rate < math.inf):
            raise ValueError("matrix_rate and other_rate are finite and not negative")

    def autocast(self, device: str) -> torch.autocast:
        """The context of a forward pass on a device of this type."""
        half = self.precision == "bf16"
        if self.precision == "auto":
            amx = torch.cpu.get_capabilities().get("amx_bf16", False)
            half = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else amx
        return torch.autocast(device, torch.bfloat16, half)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the averaged model, the steps done, whether it finished, the last evaluation, the losses."""

    model: Encoder
    step: int
    finished: bool
    evaluation: dict[str, float]
    losses: list[float]


def train(
    model: Encoder,
    batches: Batches,
    evaluate: Evaluate,
    settings: Settings,
    folder: Path,
    *,
    objective: Objective = supervised_loss,
    hints: Hints | None = None,
    resume: bool = False,
    device: str = "cpu",
) -> Outcome:
    """Train on batches(0), batches(1), ... and save the averaged weights in `folder`.

    A batch is a pure function of its number, so a resumed run has the losses of an uninterrupted one.
    hints are for a model that was made to read as many.
    With several processes each takes its own share of the numbers. SIGINT and SIGTERM end the run after the
    step under way, with a checkpoint. Raises ValueError if there is nothing to resume, or the loss is not finite;
    OSError if `folder` cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    keep_freed_memory()
    accelerator = Accelerator(mixed_precision="no", cpu=device == "cpu")
    run = _Run.of(model.to(accelerator.device), accelerator, settings, objective, hints)
    first = checkpoint.load(folder, run.modules, run.solvers) if resume else 0
    if first > settings.steps:
        raise ValueError(
            f"the run in {folder} has done {first} steps already, more than the {settings.steps} asked for"
        )
    done, losses, evaluation = first, [], {}
    board = SummaryWriter(folder) if accelerator.is_main_process else None
    with _stop_on_signals() as stopping, _progress(accelerator) as progress:
        task = progress.add_task("training", total=settings.steps, completed=first, loss="")
        while done < settings.steps and not accelerator.check_trigger():
            state, edits = batches(done * accelerator.num_processes + accelerator.process_index)
            scalars = run.step(state.to(accelerator.device), edits.to(accelerator.device), done)
            done += 1
            losses.append(scalars["loss/total"])
            progress.update(task, completed=done, loss=f"loss {losses[-1]:.5f}")
            if stopping.is_set():
                accelerator.set_trigger()
            if board is None:
                continue
            if done % settings.evaluate_every == 0 or done == settings.steps:
                evaluation = evaluate(run.average)
                scalars |= {f"evaluation/{name}": value for name, value in evaluation.items()}
                shares = "  ".join(f"{name} {value:.4f}" for name, value in evaluation.items())
                progress.console.print(f"step {done}  loss {losses[-1]:.5f}  {shares}", soft_wrap=True)
            for name, value in scalars.items():
                board.add_scalar(name, value, done)
            if done % settings.checkpoint_every == 0 or done == settings.steps or stopping.is_set():
                checkpoint.save(folder, run.modules, run.solvers, done)
    if board is not None:
        board.close()
        _save_weights(run.average, folder)
    return Outcome(run.average.requires_grad_(), done, done == settings.steps, evaluation, losses)


@dataclass(frozen=True)
class _Run:
    """What a step changes: the model (and its wrapper for several processes), its average, the optimizers."""

    accelerator: Accelerator
    settings: Settings
    model: Encoder
    wrapped: nn.Module
    average: Encoder
    solvers: list[Optimizer]
    objective: Objective
    hints: Hints | None

    @classmethod
    def of(
        cls,
        model: Encoder,
        accelerator: Accelerator,
        settings: Settings,
        objective: Objective,
        hints: Hints | None,
    ) -> "_Run":
        average = copy.deepcopy(model).eval().requires_grad_(False)
        solvers = [accelerator.prepare(s) for s in optimizers(model, settings.matrix_rate, settings.other_rate)]
        return cls(accelerator, settings, model, accelerator.prepare(model), average, solvers, objective, hints)

    @property
    def modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def step(self, state: State, edits: Edits, number: int) -> dict[str, float]:
        """One step of every optimizer on one batch; returns what the board shows."""
        share = rate(number, self.settings.steps, self.settings.warmup)
        for solver, base in zip(self.solvers, (self.settings.matrix_rate, self.settings.other_rate), strict=True):
            for group in solver.param_groups:
                group["lr"] = base * share
        if self.settings.focus > 1:
            state, edits = self._least_probable(state, edits)
        with self.settings.autocast(self.accelerator.device.type):
            prediction = self.wrapped(state)
        loss = self.objective(prediction, state, edits, *([self.hints.of(state)] if self.hints else []))
        if not loss.total.isfinite():
            raise ValueError(
                f"the loss of step {number + 1} is {loss.total.item()}; smaller rates may help: training.matrix_rate, "
                "training.other_rate. An earlier checkpoint is untouched"
            )
        self.accelerator.backward(loss.total)
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), CLIP)
        for solver in self.solvers:
            solver.step()
            solver.zero_grad()
        self._average(number)
        heads = {head: getattr(loss, head).item() for head in ("total", *HEADS)}
        return {f"loss/{head}": value for head, value in heads.items()} | {
            "gradient_norm": torch.as_tensor(norm).item(),
            "rate": share,
        }

    @torch.no_grad()
    def _least_probable(self, state: State, edits: Edits) -> tuple[State, Edits]:
        """One row in `focus`; in parts of that size, which fit caches and memory as the training step does."""
        size = -(-len(state) // self.settings.focus)
        probability = []
        with self.settings.autocast(self.accelerator.device.type):
            for first in range(0, len(state), size):
                rows = slice(first, first + size)
                probability.append(self.model(state[rows]).log_probability(state[rows], edits[rows]))
        chosen = torch.cat(probability).argsort(stable=True)[:size]
        return state[chosen], edits[chosen]

    @torch.no_grad()
    def _average(self, number: int) -> None:
        """Exponential averaging whose memory grows with the steps done until it reaches settings.average."""
        memory = min(self.settings.average, (1 + number) / (10 + number))
        get_ema_multi_avg_fn(memory)(list(self.average.parameters()), list(self.model.parameters()), 0)


def _save_weights(model: Encoder, folder: Path) -> None:
    try:
        model.save_pretrained(folder)
    except SafetensorError as error:
        raise OSError(f"could not write the weights in {folder}: {error}; the checkpoint there is complete") from error


@contextmanager
def _stop_on_signals() -> Iterator[Event]:
    """An event that is set by Ctrl-C or SIGTERM, so that the step under way can finish."""
    stopping = Event()
    previous = {number: signal.signal(number, lambda *_: stopping.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stopping
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.1f} steps/s")


def _progress(accelerator: Accelerator) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
        console=Console(stderr=True),
        disable=not accelerator.is_main_process,
    )
