"""Training runs in folders: a recipe is trained, its weights and manifest are saved, and the run can be resumed."""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from apmdm import processes, tasks, weights
from apmdm.base_task import BaseTask
from apmdm.card import card
from apmdm.model.encoder import PER_ATOM, Encoder
from apmdm.outputs import locked_folder, unused_folder
from apmdm.recipe import MAX_SEED, Recipe, override, value_of
from apmdm.training import checkpoint, trainer
from apmdm.training.prefetcher import leave_if_starting
from apmdm.training.progress import still_there
from apmdm.training.trainer import Outcome, not_measured

WAITED = 0.1
"""The share of the time from which on it is told that training waited for data."""


def recipe_of(task: BaseTask, settings: list[str], seed: int | None) -> Recipe:
    """The task's recipe with some settings changed.

    settings: texts `path=value`; a path is an option of the task or a setting of the recipe.
    seed: None keeps the recipe's.
    Raises ValueError for unknown paths and wrong values.
    """
    pairs = [setting.partition("=") for setting in settings]
    wrong = next((path for path, sign, _ in pairs if not sign), None)
    if wrong is not None:
        raise ValueError(f"--set takes path=value, not {wrong!r}")
    options = task.options("train")
    own = {path: value_of(path, options[path].type, value) for path, _, value in pairs if path in options}
    recipe = task.with_options(own).recipe()
    for path, _, value in pairs:
        recipe = recipe if path in options else override(recipe, path, value)
    recipe = recipe if seed is None else override(recipe, "seed", str(seed))
    if not 0 <= recipe.seed <= MAX_SEED:
        raise ValueError(f"seed is 0 to {MAX_SEED}, not {recipe.seed}")
    return recipe


@dataclass(frozen=True)
class Fitting:
    """A training run in a folder.

    recipe: what is trained. out: the folder for weights, checkpoint and manifest. device: where it is trained.
    start: weights to begin with, instead of random ones. say: prints a line, in process 0 alone.
    validated: show figures now and then while it trains.
    """

    recipe: Recipe
    out: Path
    device: str = "cpu"
    start: str | None = None
    say: Callable[[str], None] = print
    validated: bool = True

    def begin(self) -> Outcome:
        """Train from the first step. Raises ValueError if the folder already holds weights or a run."""
        leave_if_starting()
        model = self._new_model()
        if self.start is not None:
            _start_from(model, self.start)
        notes = self.recipe.source.notes() if isinstance(self.recipe.source, BaseTask) else []
        with only_run_in(self.out):
            unused_folder(self.out)
            for note in notes:
                self._tell(note)
            before = {"from": self.start and weights.checksum(weights.folder(self.start))}
            about = self.recipe.described() | before | {"step": 0, "finished": False, "commit": weights.commit()}
            if processes.rank() == 0:
                weights.write_manifest(self.out, about)
            return self._train(model, before, resume=False)

    def resume(self) -> Outcome:
        """Go on from the checkpoint. Raises ValueError if there is none, or if the run had other settings."""
        leave_if_starting()
        if not (self.out / checkpoint.NAME).is_file():
            raise ValueError(
                f"nothing to resume in {self.out}: it has no {checkpoint.NAME}; leave out --resume to start anew"
            )
        if self.start is not None:
            raise ValueError("--resume goes on with the run's own weights; leave out --from")
        with only_run_in(self.out):
            before = weights.read_manifest(self.out)
            self._refuse_other(before)
            self._tell_new_number(before.get("compute", {}).get("processes", 1))
            return self._train(self._new_model(), before, resume=True)

    def _new_model(self) -> Encoder:
        try:
            return self.recipe.new_model()
        except (RuntimeError, MemoryError) as error:
            raise ValueError(f"no memory for a model of width {self.recipe.shape.width}") from error

    def _refuse_other(self, before: dict[str, Any]) -> None:
        """Raise ValueError if the run began with other settings; steps may differ."""
        after = json.loads(json.dumps(self.recipe.described()))
        begun, now = (dict(_paths(about.pop("settings", {}) | about)) for about in (dict(before), after))
        for path in sorted(begun.keys() & now.keys() - {"training.steps"}):
            if begun[path] != now[path]:
                raise ValueError(
                    f"the run in {self.out} has {path} {begun[path]}, not {now[path]}; "
                    "give the same, or another folder by --out"
                )

    def _tell(self, line: str) -> None:
        if processes.rank() == 0:
            self.say(line)

    def _tell_new_number(self, before: int) -> None:
        """Say what changes if the run goes on with another number of processes."""
        now = processes.number()
        if now != before:
            change = (
                "dropout hides others of their values"
                if self.recipe.training.dropout
                else "losses change by rounding only"
            )
            self._tell(
                f"going on with {now} process{'es' if now > 1 else ''} after {before}: every step learns from the same "
                f"states as before; {change}"
            )

    def _train(self, model: Encoder, before: dict[str, Any], resume: bool) -> Outcome:
        recipe, commit, began = self.recipe, weights.commit(), time.perf_counter()
        steps = f"{recipe.training.steps:,} steps"
        self._tell(f"{recipe.source.name}: {model.num_parameters():,} parameters, {steps}, into {self.out}")
        if isinstance(recipe.source, BaseTask) and processes.rank() == 0:
            self._write(recipe.source)
        outcome = trainer.train(
            model,
            recipe.batches(),
            lambda averaged: recipe.source.validate(recipe, averaged) if self.validated else {},
            recipe.training,
            self.out,
            compute=recipe.compute,
            objective=recipe.source.objective,
            hints=recipe.source.hints,
            resume=resume,
            device=self.device,
        )
        about = recipe.described() | {
            **self._told(),
            "from": before.get("from"),
            "parameters": outcome.model.num_parameters(),
            "step": outcome.step,
            "finished": outcome.finished,
            "seconds": round(before.get("seconds", 0) + time.perf_counter() - began, 3),
            "compute": asdict(recipe.compute) | {"processes": processes.number()},
            "waited_for_data": round(outcome.waited, 3),
            "evaluation": outcome.evaluation or before.get("evaluation", {}),
            "commit": commit,
        }
        if outcome.waited > WAITED:
            self._tell(
                f"training waited for data {outcome.waited:.0%} of the time; --set compute.workers=N lets N processes "
                "draw it ahead"
            )
        if processes.rank() == 0:
            weights.write_manifest(self.out, about)
            outcome.model.manifest = weights.read_manifest(self.out)
            weights.write_card(self.out, card(outcome.model.manifest))
            task = recipe.source
            if isinstance(task, BaseTask) and outcome.finished and self.validated:
                self._fit(task, outcome.model)
        return outcome

    def _told(self) -> dict[str, Any]:
        task = self.recipe.source
        if not isinstance(task, BaseTask):
            return {}
        return described_to_users(task) | {"learned from": task.learned_from()}

    def _write(self, task: BaseTask) -> None:
        weights.write_task(self.out, task.loaded_as or task.name, task.saved())

    def _fit(self, task: BaseTask, model: Encoder) -> None:
        """Save with the task what it measures of the model. The weights can be used without that."""
        try:
            with still_there("measuring how sure the model is"):
                self._write(task.fitted(model))
        except Exception as error:
            self._tell(f"how sure the model is was {not_measured(error)}")


@contextmanager
def only_run_in(folder: Path) -> Iterator[None]:
    """Keep other runs away from the folder. The processes of one run share it."""
    with locked_folder(folder) if processes.rank() == 0 else nullcontext():
        yield


def described_to_users(task: BaseTask) -> dict[str, Any]:
    """What a card says about a task: what it is, and commands that use the weights."""
    name = task.loaded_as or task.name
    named = name if name in tasks.names() else f"{name}.py"
    run = [] if "run" in task.redirected else [f"apmdm run {named} PROBLEM --weights FOLDER"]
    return {
        "about": (task.__doc__ or "").split("\n\n")[0],
        "commands": [*run, f"apmdm eval {named} --weights FOLDER"],
    }


def _paths(about: dict[str, Any], within: str = "") -> Iterator[tuple[str, Any]]:
    """The dotted paths of a nested dictionary, with their values."""
    for name, value in about.items():
        if isinstance(value, dict):
            yield from _paths(value, f"{within}{name}.")
        else:
            yield within + name, value


def _start_from(model: Encoder, start: str) -> None:
    """Give a new model the weights of a shipped name or a folder.

    These may lack the matrices of conditions and some symbols of the vocabulary, for which the model keeps its own.
    """
    trained = weights.load_encoder(start)
    own, known = model.state_dict(), trained.state_dict()
    by_atom = known.keys() >= set(PER_ATOM) and set(model.vocab.symbols) >= set(trained.vocab.symbols)
    if not by_atom and model.vocab != trained.vocab:
        raise ValueError(f"--from {start}: it is of another task, whose vocabulary has symbols that this one's lacks")
    asked, found = ({name for name in state if not name.endswith((".narrow", ".widen"))} for state in (own, known))
    if asked != found or trained.shape != model.shape or trained.conditions not in ((), model.conditions):
        raise ValueError(f"--from {start}: its shape is not the recipe's; `apmdm info {start}` shows it")
    if by_atom:
        atoms = torch.tensor([model.vocab.atoms.index(atom) for atom in trained.vocab.atoms])
        known |= {name: own[name].index_copy(0, atoms, known[name]) for name in PER_ATOM}
    model.load_state_dict(known, strict=False)
