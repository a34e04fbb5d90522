"""The training loop: batches in, weights out. It knows no task, no sampler and no file but those in its folder."""

import copy
import math
import os
import time
from collections.abc import Callable
from contextlib import closing, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

import torch
from accelerate import Accelerator
from jaxtyping import Float
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import get_ema_multi_avg_fn
from torch.utils.checkpoint import checkpoint as recomputed

from apmdm import processes
from apmdm.model.encoder import Dropout, Encoder
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.supervised import HEADS, Objective, supervised_loss
from apmdm.training import checkpoint
from apmdm.training.curves import Curves
from apmdm.training.optimizer import optimizers, rate
from apmdm.training.progress import TrainingProgress
from apmdm.training.stopping import Stop, Stopping, stop_on_signals

CLIP = 1.0

WEIGHTS = "model.safetensors"
Evaluate = Callable[[Encoder], dict[str, float]]


@dataclass(frozen=True)
class Settings:
    """Everything that varies between training runs.

    matrix_rate, other_rate, warmup: the learning rates of Muon and AdamW, and their schedule (optimizer.rate). In a
    pretrained encoder they are the rates of its own weights and of the new heads.
    focus: train on the least probable 1/focus of each batch, judged by the model itself. A model that is nearly always
    right then learns where it is not (selective backpropagation, arXiv 1910.00762).
    dropout: the share of the values after the embedding, the attention and both halves of the perceptron that are
    hidden in each step (arXiv 1207.0580); which ones, depends on the numbers of processes and parts. A pretrained
    encoder is trained without.
    average: how slowly the averaged weights follow (exponential moving average), which are saved and evaluated.
    precision: of forward passes. Weights are always float32. "auto" is bf16 on GPUs and CPUs that have units for it,
    and float32 on others, which compute bf16 more slowly.
    """

    steps: int = 1000
    matrix_rate: float = 0.02
    other_rate: float = 0.01
    warmup: int = 100
    focus: int = 1
    dropout: float = 0.0
    average: float = 0.999
    evaluate_every: int = 1000
    precision: Literal["no", "bf16", "auto"] = "no"

    def __post_init__(self) -> None:
        if self.precision not in ("no", "bf16", "auto"):
            raise ValueError(f"precision is no, bf16 or auto, not {self.precision!r}")
        if min(self.steps, self.focus, self.evaluate_every) < 1:
            raise ValueError("steps, focus and evaluate_every are at least 1")
        if not (0 <= self.average < 1 and 0 <= self.dropout < 1 and self.warmup >= 0):
            raise ValueError("average and dropout are in [0, 1), warmup not negative")
        if not (0 <= self.matrix_rate < math.inf and 0 <= self.other_rate < math.inf):
            raise ValueError("matrix_rate and other_rate are finite and not negative")

    def autocast(self, device: str) -> torch.autocast:
        """The context of a forward pass on a type of device, such as `cuda`."""
        half = self.precision == "bf16"
        if self.precision == "auto":
            amx = torch.cpu.get_capabilities().get("amx_bf16", False)
            half = torch.cuda.is_bf16_supported(including_emulation=False) if device == "cuda" else amx
        return torch.autocast(device, torch.bfloat16, half)


@dataclass(frozen=True)
class Compute:
    """How a run is computed, which changes its memory and speed, and no result beyond rounding and dropout.

    parts: each process lets its states of a step through the model in so many parts, one after the other, and adds up
    their gradients (gradient accumulation).
    recompute: whether a layer keeps its input alone for the backward pass, and computes the rest anew (activation
    checkpointing).
    workers: processes that draw training data ahead, so that training need not wait for it; of several processes that
    train, each has so many.
    checkpoint_every: the number of steps from one checkpoint to the next.
    """

    parts: int = 1
    recompute: bool = False
    workers: int = 0
    checkpoint_every: int = 500

    def __post_init__(self) -> None:
        for name in ("parts", "checkpoint_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"compute.{name} is at least 1, not {getattr(self, name)}")
        if not 0 <= self.workers <= (os.cpu_count() or 1):
            raise ValueError(f"compute.workers is 0 to {os.cpu_count()}, the CPUs here, not {self.workers}")


@dataclass(frozen=True)
class Outcome:
    """How a run ended: the averaged model, the steps done in all, whether those were all, and the last evaluation.

    losses: the total loss of each step of this call. waited: the share of the time of these steps in which training
    waited for data.
    """

    model: Encoder
    step: int
    finished: bool
    evaluation: dict[str, float]
    losses: list[float]
    waited: float = 0.0


def train(
    model: Encoder,
    batches: Batches,
    evaluate: Evaluate,
    settings: Settings,
    folder: Path,
    *,
    compute: Compute = Compute(),
    objective: Objective = supervised_loss,
    hints: Hints | None = None,
    resume: bool = False,
    device: str = "cpu",
) -> Outcome:
    """Train on batches(0), batches(1), ... and save checkpoints and the averaged weights in `folder`.

    hints: what the model, made with as many, is told besides the edits. resume: go on from the folder's checkpoint. A
    resumed run has the losses of an uninterrupted one. Several processes share the states of each batch, so a run has
    the same losses, up to rounding and dropout, with any number of them. Process 0 writes the files and evaluates.

    In the main thread SIGINT, SIGTERM and SIGHUP end the run with a checkpoint. A step under way is finished first, an
    evaluation is not. A second signal ends the process at once.

    An evaluation that fails is told, and the run goes on. Raises ValueError if the folder has a run and is not resumed,
    if there is nothing to resume, or if the loss is not finite; OSError if the folder cannot be written;
    ChildProcessError, after saving a checkpoint, if a process that draws data, or shares the run, has died.
    """
    held = [name for name in (WEIGHTS, checkpoint.NAME) if (folder / name).exists()]
    if held and not resume:
        raise ValueError(f"{folder} holds {' and '.join(held)} already: resume that run, or choose another folder")
    folder.mkdir(parents=True, exist_ok=True)
    run = _Run.of(model, settings, objective, hints, device, compute)
    first = checkpoint.load(folder, run.modules, run.solvers) if resume else 0
    if first > settings.steps:
        raise ValueError(
            f"the run in {folder} has done {first} steps already, more than the {settings.steps} asked for"
        )
    loop = _Loop(run, batches, evaluate, folder, first)
    with stop_on_signals() as stopping:
        left = loop.go(stopping)
    finished = loop.done == settings.steps and not left
    return Outcome(run.average.requires_grad_(), loop.done, finished, loop.evaluation, loop.losses, loop.waited)


def seconds_a_step(
    model: Encoder,
    batches: Batches,
    settings: Settings,
    *,
    objective: Objective = supervised_loss,
    hints: Hints | None = None,
    device: str = "cpu",
    num: int = 3,
) -> float:
    """The least time of the first `num` training steps, drawing batches left out. The model is changed by them."""
    run, times = _Run.of(model, settings, objective, hints, device), []
    for number in range(num):
        batch = batches(number).to(run.accelerator.device)
        began = time.perf_counter()
        run.step(batch, number)
        times.append(time.perf_counter() - began)
    return min(times)


@dataclass(frozen=True)
class _Run:
    """What a step changes: the model (and its wrapper for several processes), its average, and the optimizers."""

    accelerator: Accelerator
    settings: Settings
    model: Encoder
    wrapped: nn.Module
    average: Encoder
    solvers: list[Optimizer]
    objective: Objective
    hints: Hints | None
    compute: Compute

    @classmethod
    def of(
        cls,
        model: Encoder,
        settings: Settings,
        objective: Objective,
        hints: Hints | None,
        device: str,
        compute: Compute = Compute(),
    ) -> "_Run":
        processes.join(device)
        accelerator = Accelerator(mixed_precision="no", cpu=device == "cpu")
        model = model.to(accelerator.device)
        average = copy.deepcopy(model).eval().requires_grad_(False)
        parts = [part for part in model.modules() if isinstance(part, Dropout)]
        if settings.dropout and not parts:
            raise ValueError("a pretrained encoder is trained without dropout: training.dropout is 0")
        for part in parts:
            part.p = settings.dropout
        if compute.recompute:
            for layer in model.layers:
                layer.forward = partial(recomputed, layer.forward, use_reentrant=False)
        solvers = [accelerator.prepare(s) for s in optimizers(model, settings.matrix_rate, settings.other_rate)]
        wrapped = accelerator.prepare(model)
        return cls(accelerator, settings, model, wrapped, average, solvers, objective, hints, compute)

    @property
    def modules(self) -> dict[str, nn.Module]:
        return {"model": self.model, "average": self.average}

    def step(self, batch: Batch, number: int, stop: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Make one step of every optimizer on one batch, of which every process has its share.

        Returns what the board shows, and by the name "stop" in how many processes `stop` says that the run is to end.
        If a process dies, the weights are still those before the step.
        """
        if self.settings.dropout:
            torch.manual_seed(number * self.accelerator.num_processes + self.accelerator.process_index)
        share = rate(number, self.settings.steps, self.settings.warmup)
        for solver, base in zip(self.solvers, (self.settings.matrix_rate, self.settings.other_rate), strict=True):
            for group in solver.param_groups:
                group["lr"] = base * share
        if self.settings.focus > 1:
            batch = self._least_probable(batch)
        told = torch.stack([*self._backward(batch), torch.tensor(float(stop()), device=self.accelerator.device)])
        *heads, asked = self._over_all(told).tolist()
        if not math.isfinite(heads[0]):
            raise ValueError(
                f"the loss of step {number + 1} is {heads[0]}; smaller rates may help: training.matrix_rate, "
                "training.other_rate. An earlier checkpoint is untouched"
            )
        norm = self.accelerator.clip_grad_norm_(self.model.parameters(), CLIP)
        for solver in self.solvers:
            solver.step()
            solver.zero_grad()
        self._average(number)
        return {f"loss/{head}": loss for head, loss in zip(("total", *HEADS), heads, strict=True)} | {
            "gradient_norm": torch.as_tensor(norm).item(),
            "rate": share,
            "stop": asked,
        }

    def _backward(self, whole: Batch) -> Float[Tensor, "heads"]:
        """Add up the gradients of all parts in all processes. Returns the losses of this process's parts, added up."""
        num, rank, rows = self.accelerator.num_processes, self.accelerator.process_index, len(whole.state)
        every = num * self.compute.parts
        parts = [whole[first::every] for first in range(rank, min(every, rows), num)]
        weight = float(num) if parts else 0.0  # the exchange takes means, and needs every process
        heads = []
        for left, part in reversed(list(enumerate(parts or [whole[:1]]))):
            if self.hints is not None:
                part = replace(part, hints=self.hints.of(part.state))
            with self.accelerator.no_sync(self.wrapped) if left else nullcontext():
                with self.settings.autocast(self.accelerator.device.type):
                    prediction = self.wrapped(part.state)
                loss = self.objective(prediction, part) if every == 1 else self.objective(prediction, part, whole)
                self.accelerator.backward(weight * self._of_every_parameter(loss.total))
            heads.append(torch.stack([getattr(loss, head).detach() for head in ("total", *HEADS)]))
        return sum(heads[1:], heads[0]) * (weight / num)

    def _of_every_parameter(self, loss: Float[Tensor, ""]) -> Float[Tensor, ""]:
        """The loss, with a gradient of 0 where it has none: processes wait for that of every parameter."""
        if self.wrapped is self.model:
            return loss
        return loss + 0 * sum(parameter.sum() for parameter in self.model.parameters())

    @torch.no_grad()
    def _least_probable(self, batch: Batch) -> Batch:
        """The rows with the least probable edits. They are judged in parts of the size of a training step's batch."""
        num, rank, rows = self.accelerator.num_processes, self.accelerator.process_index, len(batch.state)
        chosen = -(-rows // self.settings.focus)
        size = -(-chosen // num)
        probability = torch.zeros(rows, device=self.accelerator.device)
        with self.settings.autocast(self.accelerator.device.type):
            for first in range(rank * size, rows, num * size):
                part = batch[first : first + size]
                probability[first : first + size] = self.model(part.state).log_probability(part.state, part.edits)
        return batch[self._over_all(probability).argsort(stable=True)[:chosen]]

    def _over_all(self, own: Float[Tensor, "N"]) -> Float[Tensor, "N"]:
        """The sum over all processes."""
        summed = self.accelerator.reduce(own, "sum")
        assert isinstance(summed, Tensor)
        return summed

    @torch.no_grad()
    def _average(self, number: int) -> None:
        """Average exponentially, with a memory that grows with the steps done until it reaches settings.average."""
        memory = min(self.settings.average, (1 + number) / (10 + number))
        get_ema_multi_avg_fn(memory)(list(self.average.parameters()), list(self.model.parameters()), 0)


class _Loop:
    """The steps of a run: those that are done, the step of the last checkpoint, and what came of them."""

    def __init__(self, run: _Run, batches: Batches, evaluate: Evaluate, folder: Path, first: int) -> None:
        self.run, self.batches, self.evaluate, self.folder = run, batches, evaluate, folder
        self.first = self.done = self.saved = first
        self.alone = run.accelerator.num_processes == 1  # several processes end together, after a step
        self.losses: list[float] = []
        self.drawing = self.stepping = 0.0  # seconds
        self.evaluation: dict[str, float] = {}

    @property
    def waited(self) -> float:
        return self.drawing / max(1e-9, self.drawing + self.stepping)

    def go(self, stopping: Stopping) -> bool:
        """Make the steps that are left, save, and evaluate; True if a signal ended a batch or an evaluation."""
        main, steps = self.run.accelerator.is_main_process, self.run.settings.steps
        written = closing(Curves(self.folder)) if main else nullcontext()
        with written as curves, TrainingProgress(steps, self.first, main) as progress:
            try:
                self._steps(stopping, curves, progress)
                self._save_all()
                if curves is not None and self.done == steps:
                    self._evaluate(stopping, curves, progress)
            except (Stop, ChildProcessError, RuntimeError) as error:
                lost = processes.is_loss_of_another(error)
                if isinstance(error, RuntimeError) and not lost:
                    raise
                self._save_all()
                if lost:
                    raise ChildProcessError(
                        f"another process of this run has died; the checkpoint in {self.folder} is of step "
                        f"{self.saved:,}, and --resume goes on from there"
                    ) from error
                if not isinstance(error, Stop):
                    raise
                return True
        return False

    def _steps(self, stopping: Stopping, curves: Curves | None, progress: TrainingProgress) -> None:
        settings, asked = self.run.settings, 0.0
        while self.done < settings.steps and not asked:
            began = time.perf_counter()
            with stopping.at_once(self.alone):
                batch = self.batches(self.done)
            drawn = time.perf_counter()
            scalars = self.run.step(batch.to(self.run.accelerator.device), self.done, lambda: stopping.asked)
            asked = scalars.pop("stop")
            self.drawing, self.stepping = self.drawing + drawn - began, self.stepping + time.perf_counter() - drawn
            self.done += 1
            self.losses.append(scalars["loss/total"])
            progress.step(self.done, self.losses[-1])
            if curves is not None:
                curves.add(scalars, self.done)
            if self.done % self.run.compute.checkpoint_every == 0:
                self._save()
            if curves is not None and self.done % settings.evaluate_every == 0 and self.done < settings.steps:
                self._evaluate(stopping, curves, progress)

    def _evaluate(self, stopping: Stopping, curves: Curves, progress: TrainingProgress) -> None:
        """Show figures. Neither the training nor its weights are lost if they cannot be had."""
        try:
            with stopping.at_once(True), progress.measuring(self.done):
                self.evaluation = self.evaluate(self.run.average)
        except Stop:
            if self.alone or self.done == self.run.settings.steps:
                raise
            return
        except Exception as error:
            self.evaluation = {}
            progress.say(f"step {self.done} is {not_measured(error)}")
            return
        curves.add({f"evaluation/{name}": value for name, value in self.evaluation.items()}, self.done)
        loss = [f"loss {loss:.5f}" for loss in self.losses[-1:]]
        shares = [f"{name} {value:.4f}" for name, value in self.evaluation.items()]
        progress.say("  ".join([f"step {self.done}", *loss, *shares]))

    def _save(self) -> None:
        """Write a checkpoint, unless the latest is of this very step."""
        if self.done > self.saved and self.run.accelerator.is_main_process:
            checkpoint.save(self.folder, self.run.modules, self.run.solvers, self.done)
        self.saved = self.done

    def _save_all(self) -> None:
        """Write the weights beside the checkpoint, before anything is measured."""
        self._save()
        if self.done and self.run.accelerator.is_main_process:
            _save_weights(self.run.average, self.folder)


def not_measured(error: Exception) -> str:
    return f"not measured, since this failed: {type(error).__name__}: {error}"


def _save_weights(model: Encoder, folder: Path) -> None:
    """Write the weights, their configuration and a card, each whole or not at all."""
    try:
        with TemporaryDirectory(prefix=".weights-", dir=folder) as partial:
            model.save_pretrained(partial)
            for path in Path(partial).iterdir():
                os.replace(path, folder / path.name)
    except (OSError, SafetensorError) as error:
        raise OSError(f"could not write the weights in {folder}: {error}; the checkpoint there is complete") from error
