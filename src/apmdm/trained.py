"""Model, a trained encoder with its task, and the functions that train, load, run and measure one."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from apmdm import registry, tasks, weights
from apmdm.base_task import BaseTask
from apmdm.fit import Fitting, described_to_users, recipe_of
from apmdm.hub import to_hub
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.sampler import Observation
from apmdm.solution import Solution
from apmdm.state import State


@dataclass(frozen=True)
class Model:
    """A trained encoder and the task that it is for. Called with a State, it returns a Prediction."""

    encoder: Encoder
    task: BaseTask

    def __call__(self, state: State) -> Prediction:
        return self.encoder(state)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write all that `load` needs, and a model card made from the manifest, into a folder."""
        folder = Path(folder)
        self.encoder.save_pretrained(folder, model_card_kwargs=described_to_users(self.task))
        weights.write_task(folder, self.task.loaded_as or self.task.name, self.task.saved())
        weights.copy_manifest(folder, self.encoder.manifest)

    def push_to_hub(self, name: str, private: bool = False) -> str:
        """Upload what `save_pretrained` writes to the Hugging Face Hub, as NAME/OF-IT. Returns its address."""
        with TemporaryDirectory() as folder:
            self.save_pretrained(folder)
            return to_hub(Path(folder), name, private)


def load(name: str | Path, task: BaseTask | str | None = None) -> Model:
    """Load a trained model.

    name: a model that comes with the package, such as "sudoku", a folder of weights, or `hub:` and a name on the
    Hugging Face Hub.
    task: the task that it is for, or the task's name. Needed only for a task of your own.
    Raises ValueError if there are no such weights, or if they are for another task.
    """
    path = weights.folder(str(name))
    encoder, saved = weights.load_encoder(str(path)), weights.read_task(path)
    if task is None and saved["name"] not in tasks.names():
        how = f"as in `apmdm run TASK.py PROBLEM --weights {name}`"
        raise ValueError(f"the weights at {str(name)!r} are for {saved['name']!r}: give that task as well, {how}")
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
    """Train a model, and save its weights in a folder together with a record of how they were made.

    task: a task, or the name of one. out: the folder.
    settings: changes of the task's recipe, such as {"training.steps": 500}.
    seed: of the initial weights and the training data. None keeps the recipe's.
    start: weights to begin with, a name or a folder. resume: go on with the run that `out` holds.
    device: "cpu" or "cuda".
    Raises ValueError for wrong settings, and if the folder already holds weights.
    """
    found = registry.find(task) if isinstance(task, str) else task
    recipe = recipe_of(found, [f"{path}={value}" for path, value in settings.items()], seed)
    fitting = Fitting(recipe, Path(out), device, start)
    outcome = fitting.resume() if resume else fitting.begin()
    source = recipe.source if isinstance(recipe.source, BaseTask) else found
    return Model(outcome.model.eval(), source.restored(outcome.model.vocab, weights.read_task(fitting.out)["settings"]))


def generate(
    model: Model,
    problems: Iterable[Any],
    *,
    seed: int = 0,
    record: bool = True,
    max_steps: int | None = None,
    on_step: Callable[[Observation], Any] | None = None,
) -> list[Solution]:
    """Run a model on problems. Returns one Solution for each problem, in the order of the problems.

    seed: for models that draw at random. record: keep the steps of each run. max_steps: the most steps of a run.
    on_step: called at every step with the state, the prediction and the edits. Runs stop where it returns True.
    """
    given = [model.task.taken(problem) for problem in problems]
    device = str(model.encoder.embedding.device)
    solutions = model.task.solve(
        model.encoder, given, seed=seed, max_steps=max_steps, record=record, on_step=on_step, device=device
    )
    return sorted(solutions, key=lambda solution: solution.run.index)


def evaluate(
    model: Model, problems: Iterable[Any] | None = None, *, num: int | None = None, seed: int = 1
) -> dict[str, Any]:
    """Run a model on problems, verify every answer, and return figures.

    problems: what to measure on. If None, `num` fresh problems are drawn by `seed`.
    """
    given = None if problems is None else [model.task.taken(problem) for problem in problems]
    device = str(model.encoder.embedding.device)
    return model.task.evaluate(model.encoder, given, num=num, seed=seed, device=device)
