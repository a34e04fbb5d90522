"""A trained model together with the task that it is for: what a user of the library trains, loads and asks."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from apmdm import registry, tasks, weights
from apmdm.base_task import BaseTask
from apmdm.fit import Fitting, chosen
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.sampler import Observation
from apmdm.solution import Solution
from apmdm.state import State


@dataclass(frozen=True)
class Model:
    """An encoder and its task. As a function it is State -> Prediction."""

    encoder: Encoder
    task: BaseTask

    def __call__(self, state: State) -> Prediction:
        return self.encoder(state)


def load(name: str | Path, task: BaseTask | str | None = None) -> Model:
    """The model of a shipped name or of a folder of weights.

    task: what it is for; needed only if the task is in a file of your own. Raises ValueError if there are no such
    weights, or if they are of another task.
    """
    encoder, saved = weights.load(str(name)), weights.read_task(weights.folder(str(name)))
    if task is None and saved["name"] not in tasks.names():
        raise ValueError(f"the weights at {str(name)!r} are for {saved['name']!r}: give that task as well")
    found = task if isinstance(task, BaseTask) else registry.find(task or saved["name"])
    try:
        return Model(encoder, found.restored(encoder.vocab, saved["settings"]))
    except ValueError as error:
        raise ValueError(f"the weights at {str(name)!r} do not fit: {error}") from None


def train(
    task: BaseTask | str,
    out: str | Path,
    *,
    settings: Mapping[str, Any] = {},
    seed: int | None = None,
    start: str | None = None,
    resume: bool = False,
    device: str = "cpu",
) -> Model:
    """Train a model and keep its weights, with how they were made, in the folder `out`.

    settings: changes of the recipe by their paths, such as {"training.steps": 500}. start: weights to begin with.
    resume: go on with the run in `out`. Raises ValueError for wrong settings, and for a folder that holds weights.
    """
    found = registry.find(task) if isinstance(task, str) else task
    recipe = chosen(found, [f"{path}={value}" for path, value in settings.items()], seed)
    fitting = Fitting(recipe, Path(out), device, start)
    outcome = fitting.resume() if resume else fitting.begin()
    return Model(outcome.model.eval(), recipe.source if isinstance(recipe.source, BaseTask) else found)


def generate(
    model: Model,
    problems: Iterable[Any],
    *,
    seed: int = 0,
    record: bool = True,
    max_steps: int | None = None,
    on_step: Callable[[Observation], Any] | None = None,
) -> list[Solution]:
    """Answer problems, in their order; each solution has its answer, whether it was verified, its steps and their cost.

    on_step sees the state, the prediction and the edits of every step, and stops the run where it returns True.
    """
    problems = list(problems)
    device = str(model.encoder.embedding.device)
    solutions = model.task.solve(
        model.encoder, problems, seed=seed, max_steps=max_steps, record=record, on_step=on_step, device=device
    )
    return sorted(solutions, key=lambda solution: solution.run.index)


def evaluate(
    model: Model, problems: Iterable[Any] | None = None, *, num: int | None = None, seed: int = 1
) -> dict[str, Any]:
    """Free-running rollouts on these problems, or on `num` fresh ones; every answer is verified."""
    given = None if problems is None else list(problems)
    device = str(model.encoder.embedding.device)
    return model.task.evaluate(model.encoder, given, num=num, seed=seed, device=device)
