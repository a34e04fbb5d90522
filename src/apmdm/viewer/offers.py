"""What the live page can run: tasks with their weights, and the programs of the theory."""

import tempfile
import threading
from collections.abc import Mapping
from dataclasses import Field, replace
from functools import cached_property
from pathlib import Path
from random import Random
from types import UnionType
from typing import Any, Protocol, get_args, runtime_checkable

from apmdm import outputs, registry, tasks, weights
from apmdm.base_task import BaseTask
from apmdm.from_pairs import FromPairs
from apmdm.trained import Model, load
from apmdm.viewer.film import draw_of
from apmdm.viewer.programs import Programs
from apmdm.viewer.watch import Limits, Start, Watch

MODEL, TEACHER = "model", "teacher"
EXAMPLES, TEXT_SUFFIX = 4, ".txt"


@runtime_checkable
class Offer(Protocol):
    """Something that can be run."""

    name: str

    def about(self) -> dict[str, Any]:
        """What the page has to know to ask for a run."""
        ...

    def prepared(self, by: str, text: str, options: Mapping[str, Any], limits: Limits) -> Start:
        """The run of a problem; raises ValueError, in one line, for what is no problem or too large."""
        ...


def offered(names: list[str]) -> list[Offer]:
    """The tasks with shipped weights, those named besides, and the programs.

    names: `TASK` or `TASK=WEIGHTS`, in which TASK is whatever the command line takes.
    """
    own = [_named(name) for name in names]
    taken = {offer.name for offer in own}
    built_in = [task for task in map(registry.find, tasks.names()) if task.shipped and task.name not in taken]
    shipped = sorted((OfTask(task, None) for task in built_in if "run" not in task.redirected), key=_typed_as_text)
    drawn = [Drawn(task) for task in built_in if type(task).prompted is not BaseTask.prompted]
    return [*own, *shipped, *drawn, Programs()]


def _typed_as_text(offer: "OfTask") -> bool:
    return offer.grid is None


def _named(name: str) -> "OfTask":
    task, _, given = name.partition("=")
    if (Path(task) / weights.CONFIG).is_file():
        return OfTask(load(task).task, task)
    found = registry.find(task)
    usual = outputs.RUNS / found.name
    if not given and found.shipped is None and (usual / weights.CONFIG).is_file():
        given = str(usual)
    if not given and found.shipped is None:
        raise ValueError(f"there are no weights for {task}: name them too, as in {task}=FOLDER")
    offer = OfTask(found, given or None)
    offer.model(found)
    return offer


class OfTask:
    """A task, whose model answers problems that are typed in."""

    def __init__(self, task: BaseTask, given: str | None) -> None:
        self.task, self.given, self.name = task, given, task.name
        self._models: dict[str, Model] = {}
        self._loading = threading.Lock()

    def about(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": _summary(self.task),
            "form": self.task.problem_form.removeprefix("a file: "),
            "by": [MODEL, TEACHER] if _has_teacher(self.task) else [MODEL],
            "options": _options_of(self.task, "run"),
            "examples": self.examples,
            "grid": self.grid,
        }

    @cached_property
    def examples(self) -> list[tuple[str, dict[str, Any]]]:
        random, found = Random(1), dict[str, tuple[str, dict[str, Any]]]()
        try:
            for _ in range(2 * EXAMPLES):
                text, options = self.task.example(random)
                found[text] = text, options
        except Exception:  # the code of a task of one's own may raise anything; then there are no examples
            pass
        return list(found.values())[:EXAMPLES]

    @cached_property
    def grid(self) -> dict[str, int] | None:
        """The size of the grid, if problems can be typed into its cells."""
        if self.task.whole_files or not self.examples:
            return None
        try:
            problem = self.task.parse(self.examples[0][0])
            drawing = self.task.draw(self.task.encode(problem))
            if drawing["kind"] != "grid":
                return None
            rows = drawing["rows"]
            same = self.task.parse("".join(cell["text"] or "." for row in rows for cell in row)) == problem
            return {"rows": len(rows), "columns": len(rows[0]), "box": drawing.get("box", 0)} if same else None
        except Exception:  # as above
            return None

    def model(self, task: BaseTask) -> Model:
        """The model for a task with the options that suit a problem."""
        name = self.given or task.shipped
        if name is None:
            raise ValueError(f"there are no weights for these problems of {self.name}")
        with self._loading:
            if name not in self._models:
                self._models[name] = load(name, task)
        return self._models[name]

    def prepared(self, by: str, text: str, options: Mapping[str, Any], limits: Limits) -> Start:
        task = self.task.with_options(_options(self.task, "run", options))
        if not text.strip():
            raise ValueError(f"there is no problem; give {task.problem_form}")
        if not task.whole_files:
            task = task.suited([text])
        model = self.model(task)
        task = model.task.with_options(_options(model.task, "run", options))
        problem = _from_file(task, text) if task.whole_files else task.parse(text)
        return _start(replace(model, task=task), problem, by, limits)


class Drawn:
    """A task whose model draws answers to what its options describe."""

    def __init__(self, task: BaseTask) -> None:
        self.task, self.name = task, f"{task.name} (draw one)"

    def about(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "about": _summary(self.task),
            "form": "told by the options; every run draws another answer",
            "by": [MODEL],
            "options": _options_of(self.task, "generate"),
            "text": False,
        }

    @cached_property
    def model(self) -> Model:
        return load(str(self.task.shipped), self.task)

    def prepared(self, by: str, text: str, options: Mapping[str, Any], limits: Limits) -> Start:
        task = self.model.task.with_options(_options(self.model.task, "generate", options))
        return _start(replace(self.model, task=task), task.prompted(), by, limits, seed=Random().getrandbits(32))


def _start(model: Model, problem: Any, by: str, limits: Limits, seed: int = 0) -> Start:
    task = model.task
    length = len(task.encode(problem))
    if length > limits.tokens:
        raise ValueError(f"that is {length:,} tokens; this page takes up to {limits.tokens:,}")
    if by != MODEL and not (by == TEACHER and _has_teacher(task)):
        raise ValueError(f"a run is by {MODEL} or {TEACHER}, not by {by[:40]!r}")
    about = task.told(problem)
    notes = "; ".join(task.cautions(problem))

    def start(watch: Watch) -> None:
        title = task.name if by == MODEL else f"{task.name}, {by}"
        watch.begin(task.vocab, draw_of(task), {"title": title} | about | ({"note": notes} if notes else {}))
        if by == TEACHER:
            (run,) = task.taught([problem], record=True)
            answer, status = task.judge(problem, run)
            return watch.play(task.trace(problem, run), {"status": status, "answer": answer, "stop": run.stop})
        steps = min(task.max_steps, limits.steps)
        (solution,) = task.solve(model.encoder, [problem], seed=seed, max_steps=steps, record=True, on_step=watch)
        known = {name: value for name, value in task.record(solution).items() if name not in about}
        watch.end(solution.run.final, known | {"status": solution.status, "stop": solution.run.stop})

    return start


def _has_teacher(task: BaseTask) -> bool:
    """Whether the teacher can run on what a user types in: of a pair that is the source only."""
    return task.has_runs and not isinstance(task, FromPairs)


def _from_file(task: BaseTask, text: str) -> Any:
    """The problem that a file with this text would hold."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"problem{TEXT_SUFFIX}"
        path.write_text(text, encoding="utf-8")
        try:
            (problem,) = task.open(path)
        except ValueError as error:
            raise ValueError(str(error).replace(str(path), "the problem")) from None
    return problem


def _summary(task: BaseTask) -> str:
    return (task.__doc__ or "").strip().split("\n")[0]


def _options_of(task: BaseTask, command: str) -> list[dict[str, Any]]:
    """The options that a page may set, as it asks for them."""
    return [
        {"name": name, "help": field.metadata["help"], "flag": _kind(field) is bool, "value": getattr(task, name)}
        for name, field in task.options(command).items()
        if _kind(field)
    ]


def _kind(field: Field[Any]) -> type | None:
    """str, int or bool, if a page may set this option: never a path on the disk of the server."""
    kinds = get_args(field.type) if isinstance(field.type, UnionType) else (field.type,)
    return next((kind for kind in kinds if kind in (str, int, bool)), None) if Path not in kinds else None


def _options(task: BaseTask, command: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Options as a page sends them, checked as the command line checks them."""
    fields = {name: field for name, field in task.options(command).items() if _kind(field)}
    found = dict[str, Any]()
    for name, value in given.items():
        if name not in fields:
            raise ValueError(f"no option {name[:40]!r}; there are {', '.join(fields) or 'none'}")
        kind, about = _kind(fields[name]), fields[name].metadata
        if kind is int and str(value).isdecimal() and len(str(value)) < 10:
            value = int(value)
        low, high = about.get("min", 0), about.get("max", 10**9)
        if type(value) is not kind or (kind is int and not low <= value <= high):
            wanted: dict[type | None, str] = {int: f"a number from {low} to {high}", bool: "true or false"}
            raise ValueError(f"the option {name} is {wanted.get(kind, 'a text')}")
        found[name] = value
    return found
