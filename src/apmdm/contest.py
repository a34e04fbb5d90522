"""compare: train the paradigms on one task, unless they are trained already, and measure them on the same problems."""

import hashlib
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from apmdm import registry, terminal, weights
from apmdm.base_task import BaseTask
from apmdm.fit import Fitting, only_run_in
from apmdm.model.encoder import Encoder, Shape
from apmdm.paradigms.comparison import SAMPLED, Budget, Comparison, Entrant, ablated, baselines, within
from apmdm.paradigms.paradigm import ao_mdm, arm, masked_arm, mdm
from apmdm.paradigms.plot import plot
from apmdm.recipe import Recipe
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.trace import Trace
from apmdm.training import checkpoint
from apmdm.training.progress import duration, still_there
from apmdm.training.trainer import Settings, seconds_a_step

TOKENS, BATCH_SIZE, PROBLEMS, GROUPS = 2_000_000, 64, 200, 4
TRACES = "traces"
"""The folder, inside that of a comparison, with one run of each model."""
Row = dict[str, Any]
COLUMNS = ("accuracy", "valid", "share", "steps", "peak", "work", "computed")
"""The measured columns of a comparison.

accuracy: the share of problems that are solved. valid: the share of answers that have the right form. share: the share
of the answers' tokens that are right. steps, work: means over the runs. computed: the mean number of positions that the
model computed, which is less than the work if something of earlier steps is kept. peak: the largest length of any run.
"""


@dataclass(frozen=True)
class Contest:
    """The result of `compare`. rows: one for each paradigm and size of problems. picture: the file with the plot."""

    rows: list[Row]
    picture: Path


def compare(
    task: BaseTask | str, out: str | Path, *, tokens: int | None = None, seed: int = 0, device: str = "cpu"
) -> Contest | None:
    """Train ARM, Masked ARM, MDM, AO-MDM and AP-MDM alike, and measure them on the same held-out problems.

    task: a task, or the name of one.
    out: a folder for weights and measurements. What it already holds is not done again.
    tokens: how many tokens each model is trained on. None means the task's own number.
    Before it starts, it prints on standard error how long training will take. Returns None if it was interrupted.
    """
    found, folder = _task(task), Path(out)
    with only_run_in(folder):
        return _compared(found, folder, tokens, seed, device)


def _compared(task: BaseTask, folder: Path, tokens: int | None, seed: int, device: str) -> Contest | None:
    comparison = _comparison(task, tokens, seed)
    with redirect_stdout(sys.stderr):
        for line in _forecast(comparison, folder, device):
            print(line)
        for path, recipe in _missing(comparison, folder).items():
            fitting = Fitting(recipe, path, device, validated=False)
            outcome = fitting.resume() if (path / checkpoint.NAME).is_file() else fitting.begin()
            if not outcome.finished:
                return None
    rows: list[Row] = []
    with still_there("measuring"):
        for entrant in track(comparison.entrants, "measuring", console=terminal.stderr()):
            rows += _rows_of(entrant, comparison, folder, device, seed)
    return Contest(rows, plot(task.name, rows, folder))


def forecast(
    task: BaseTask | str, out: str | Path, *, tokens: int | None = None, seed: int = 0, device: str = "cpu"
) -> list[str]:
    """What `compare` would train and measure, and how long the training would take, in lines; nothing is trained."""
    return list(_forecast(_comparison(_task(task), tokens, seed), Path(out), device))


def _task(task: BaseTask | str) -> BaseTask:
    return registry.find(task) if isinstance(task, str) else task


def _comparison(task: BaseTask, tokens: int | None, seed: int) -> Comparison:
    return task.comparison(tokens, seed) or usual(task, tokens or TOKENS, seed)


def usual(task: BaseTask, tokens: int, seed: int) -> Comparison:
    """The comparison of any task: AP-MDM, AP-MDM without each operation, and the other paradigms."""
    own, form = replace(task.recipe(), seed=seed), task.form()
    shape = Shape(own.shape.width, own.shape.layers, own.shape.heads, rotary=True)
    training = Settings(warmup=own.training.warmup, dropout=own.training.dropout, precision=own.training.precision)
    paradigms = [arm(form), masked_arm(), *mdm(1), ao_mdm()[-1]]

    def decoder(encoder: Encoder) -> Predictor:
        return task.decoder(encoder, str(encoder.embedding.device))

    trained = Entrant("AP-MDM", within(tokens, own), task.encode, task.verdict, task.policy, decoder)
    problems = sorted(task.sample(PROBLEMS, seed), key=lambda problem: len(task.encode(problem)))
    size = -(-len(problems) // GROUPS)
    groups = [problems[first : first + size] for first in range(0, len(problems), size)]
    named: dict[str, list[Any]] = {}
    for group in groups:
        first, last = (len(task.encode(problem)) for problem in (group[0], group[-1]))
        named.setdefault(f"{first} to {last} tokens", []).extend(group)
    runs = task.taught(problems)
    longest = 2 * max(run.space for run in runs) + max(len(form.start(problem)) for problem in problems)
    steps = 4 * max(run.time for run in runs) + longest
    entrants = [*baselines(form, paradigms, shape, training, Budget(tokens, BATCH_SIZE, seed)), trained]
    return Comparison(named, [*entrants, *ablated(trained)], steps, longest)


def _folder(out: Path, source: Recipe | str) -> Path:
    """The folder of a training run. Every change of a setting gives another one. Shipped weights have their own."""
    if isinstance(source, str):
        return weights.folder(source)
    about = source.described() | {"vocab": source.source.vocab.symbols}
    return out / f"{source.source.name.replace(' ', '-')}-{_digest(about)}"


def _digest(about: object) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True, default=repr).encode()).hexdigest()[:12]


def _finished(path: Path) -> bool:
    return bool(weights.read_manifest(path).get("finished"))


def _missing(comparison: Comparison, folder: Path) -> dict[Path, Recipe]:
    """The recipes that are not trained yet, by their folders."""
    recipes = {_folder(folder, entrant.source): entrant.source for entrant in comparison.entrants}
    return {path: recipe for path, recipe in recipes.items() if isinstance(recipe, Recipe) and not _finished(path)}


def _forecast(comparison: Comparison, folder: Path, device: str) -> Iterator[str]:
    """What will be trained and measured, and how long the training takes, estimated from a few steps of each model."""
    answering: dict[Path, list[str]] = {}
    for entrant in comparison.entrants:
        answering.setdefault(_folder(folder, entrant.source), []).append(entrant.name)
    missing, total = _missing(comparison, folder), 0.0
    yield f"{len(answering)} models, {len(answering) - len(missing)} of them there already"
    for path, recipe in missing.items():
        steps = recipe.training.steps - int(weights.read_manifest(path).get("step", 0))
        source = recipe.source
        seconds = steps * seconds_a_step(
            recipe.new_model(),
            recipe.batches(),
            recipe.training,
            objective=source.objective,
            hints=source.hints,
            device=device,
        )
        total += seconds
        first, *others = answering[path]
        name = f"{first} and {len(others)} more" if others else first
        yield f"  {name}: {steps:,} training steps, about {duration(seconds)}"
    problems = sum(map(len, comparison.problems.values()))
    measured = f"{problems} problems are answered in {len(comparison.entrants)} ways, which may take as long again"
    yield f"together about {duration(total)}; then {measured}" if missing else measured


def _rows_of(entrant: Entrant, comparison: Comparison, out: Path, device: str, seed: int) -> list[Row]:
    """The rows of one model. They are read from an earlier measurement if nothing has changed since."""
    path = _folder(out, entrant.source)
    limits = [comparison.max_steps, comparison.max_length]
    about = [entrant.name, weights.checksum(path), seed, limits, comparison.problems, device]
    kept = out / "measured" / f"{_digest(about)}.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    encoder = weights.load_encoder(str(path)).to(device)
    trained = {"parameters": encoder.num_parameters(), "training_tokens": _training_tokens(entrant.source)}
    rows = []
    for size in comparison.problems:
        figures = _measured(entrant, encoder, comparison, size, seed)
        rows.append({"paradigm": entrant.name, **trained, "size": size, **figures})
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(rows))
    trace = _traced(entrant, encoder, comparison, seed)
    (out / TRACES).mkdir(exist_ok=True)
    (out / TRACES / f"{re.sub('[^A-Za-z0-9]+', '-', entrant.name)}.json").write_text(trace.to_json())
    return rows


def _traced(entrant: Entrant, encoder: Encoder, comparison: Comparison, seed: int) -> Trace:
    """The run of one model on a problem of middle size, the same one for all models."""
    groups = list(comparison.problems.values())
    problem = groups[len(groups) // 2][0]
    start = entrant.start(problem)
    (run,) = _runs(entrant, entrant.model(encoder), [start], encoder, comparison, seed, record=True)
    places = None if start.coordinates is None else tuple(map(tuple, start.coordinates.tolist()))
    status = "solved" if entrant.verdict(problem, run.final).right else "unsolved"
    about = {"task": entrant.name, "status": status, "stop": run.stop}
    return Trace(encoder.vocab, run.steps, tuple(run.final.ids.tolist()), places, about)


def _runs(
    entrant: Entrant,
    model: Predictor,
    starts: Iterable[Sequence],
    encoder: Encoder,
    comparison: Comparison,
    seed: int,
    record: bool = False,
) -> list[Run]:
    device = encoder.embedding.device
    if entrant.search is not None:
        return [best for best, *_ in entrant.search(model, starts, record=record, device=str(device))]
    decoding = rollouts(
        model,
        starts,
        entrant.policy(seed),
        batch_size=comparison.batch_size,
        max_steps=comparison.max_steps,
        max_length=encoder.shape.absolute or comparison.max_length,
        record=record,
        device=device,
    )
    return list(decoding)


def _training_tokens(source: Recipe | str) -> int | None:
    """How many tokens the model was trained on, estimated from some batches; None for shipped weights."""
    if isinstance(source, str):
        return None
    batches = source.batches()
    return round(source.training.steps * sum(int(batches(n).state.lengths.sum()) for n in range(SAMPLED)) / SAMPLED)


def _measured(entrant: Entrant, encoder: Encoder, comparison: Comparison, size: str, seed: int) -> Row:
    """The figures of one model on all problems of one size."""
    problems = comparison.problems[size]
    model = entrant.model(encoder)
    runs = _runs(entrant, model, map(entrant.start, problems), encoder, comparison, seed)
    verdicts = [entrant.verdict(problems[run.index], run.final) for run in runs]

    def mean(values: Iterable[float]) -> float:
        return round(sum(values) / len(runs), 4)

    return {
        "problems": len(runs),
        "accuracy": mean(verdict.right for verdict in verdicts),
        "valid": mean(verdict.valid for verdict in verdicts),
        "share": mean(verdict.share for verdict in verdicts),
        "steps": mean(run.time for run in runs),
        "peak": max(run.space for run in runs),
        "work": mean(run.work for run in runs),
        "computed": mean(run.computed for run in runs),
        "stops": dict(Counter(run.stop for run in runs)),
    }


def show(rows: list[Row]) -> None:
    """Print a table with one line for each paradigm and size."""
    table = Table("paradigm", "parameters", "training tokens", "size", *COLUMNS, box=None)
    told = None
    for row in rows:
        tokens = row["training_tokens"]
        about = (row["paradigm"], f"{row['parameters']:,}", "" if tokens is None else f"{tokens:,}")
        shown = ("", "", "") if row["paradigm"] == told else map(str, about)
        told = row["paradigm"]
        table.add_row(*shown, str(row["size"]), *(f"{row[column]:g}" for column in COLUMNS))
    Console(width=180).print(table)
