"""`apmdm compare`: every paradigm trained, or found trained, and measured on the same problems."""

import hashlib
import json
import resource
import sys
from collections import Counter
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import torch
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table

from apmdm import weights
from apmdm.cli import read
from apmdm.cli.plot import plot
from apmdm.cli.train import Choice, run
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder
from apmdm.recipes import COMPARISONS
from apmdm.recipes.base import Recipe
from apmdm.recipes.comparison import Comparison, Entrant
from apmdm.sampler import rollouts
from apmdm.train import checkpoint
from apmdm.train.trainer import seconds_a_step

SAMPLED = 16
"""Batches whose tokens are counted."""
Row = dict[str, Any]
COLUMNS = ("accuracy", "valid", "share", "steps", "peak", "work", "computed")
"""accuracy and valid: shares of the problems; share: of the answers' tokens that are right; steps, work and computed:
means over the runs, the last of the positions that the model computed, fewer than the work if it keeps keys and values;
peak: the largest length of any run."""


def compare(task: str, settings: dict[str, Any], out: Path, device: str, as_json: bool) -> bool:
    """Train what is not trained yet, measure what is not measured yet, print and plot; False if interrupted.

    settings: what the task's comparison is made with, a seed among them.
    """
    comparison = COMPARISONS[task](**settings)
    read.writable_folder(out)
    recipes = {folder(out, entrant.source): entrant.source for entrant in comparison.entrants}
    missing = {path: recipe for path, recipe in recipes.items() if isinstance(recipe, Recipe) and not finished(path)}
    with redirect_stdout(sys.stderr):
        announce(missing, len(recipes), device)
        for path, recipe in missing.items():
            if not run(Choice(path.name, {}, recipe), path, device, resume=(path / checkpoint.NAME).is_file()):
                return False
    rows = [
        row for entrant in comparison.entrants for row in rows_of(entrant, comparison, out, device, settings["seed"])
    ]
    picture = plot(task, rows, out)
    if as_json:
        for row in rows:
            typer.echo(json.dumps(row))
    else:
        show(rows)
        typer.echo(f"plotted in {picture}; weights and measurements are kept in {out}")
    return True


def folder(out: Path, source: Recipe | str) -> Path:
    """Where a run is kept: another setting, another folder. Shipped weights are where they are."""
    if isinstance(source, str):
        return weights.folder(source)
    about = Choice("", {}, source).described() | {"vocab": source.vocab.symbols}
    names = (getattr(source.data, part, "ap-mdm") for part in ("learner", "form"))
    return out / "-".join((*dict.fromkeys(name.replace(" ", "-") for name in names), digest(about)))


def digest(about: object) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()[:12]


def finished(path: Path) -> bool:
    return bool(weights.read_manifest(path).get("finished"))


def announce(missing: dict[Path, Recipe], total: int, device: str) -> None:
    """Say what will be trained, how long that takes and how much memory, by a few steps of each."""
    typer.echo(f"{total} models, {total - len(missing)} of them there already")
    minutes = 0.0
    for path, recipe in missing.items():
        steps = recipe.training.steps - int(weights.read_manifest(path).get("step", 0))
        hinted = {"objective": recipe.objective, "hints": recipe.hints}
        model, batches = recipe.new_model(), recipe.batches(recipe)
        needed = steps * seconds_a_step(model, batches, recipe.training, **hinted, device=device) / 60
        minutes += needed
        typer.echo(f"  {path.name}: {steps:,} training steps, about {needed:.1f} minutes")
    if missing:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 2**10
        memory = torch.cuda.max_memory_allocated() if device == "cuda" else peak
        typer.echo(f"together about {minutes:.0f} minutes and {memory / 2**30:.1f} GB of memory; then all are measured")


def rows_of(entrant: Entrant, comparison: Comparison, out: Path, device: str, seed: int) -> list[Row]:
    """The rows of an entrant, from an earlier measurement if nothing has changed since."""
    path = folder(out, entrant.source)
    limits = [comparison.max_steps, comparison.max_length]
    about = [entrant.name, weights.checksum(path), seed, limits, comparison.problems, device]
    kept = out / "measured" / f"{digest(about)}.json"
    if kept.is_file():
        return json.loads(kept.read_text())
    encoder = weights.load(str(path)).to(device)
    trained = {"parameters": encoder.num_parameters(), "training_tokens": training_tokens(entrant.source)}
    rows = []
    for size in track(comparison.problems, entrant.name, console=read.stderr()):
        figures = measured(entrant, encoder, comparison, size, seed)
        rows.append({"paradigm": entrant.name, **trained, "size": size, **figures})
    kept.parent.mkdir(exist_ok=True)
    kept.write_text(json.dumps(rows))
    return rows


def training_tokens(source: Recipe | str) -> int | None:
    """Positions that the model was trained on, by the mean of some batches; None for shipped weights."""
    if isinstance(source, str):
        return None
    batches = source.batches(source)
    return round(source.training.steps * sum(int(batches(n).state.lengths.sum()) for n in range(SAMPLED)) / SAMPLED)


def measured(entrant: Entrant, encoder: Encoder, comparison: Comparison, size: str, seed: int) -> Row:
    """Free-running decoding of every problem of one size."""
    problems = comparison.problems[size]
    model = entrant.model(encoder)
    decoding = rollouts(
        model,
        map(entrant.start, problems),
        entrant.policy(seed),
        batch_size=comparison.batch_size,
        max_steps=comparison.max_steps,
        max_length=encoder.shape.absolute or comparison.max_length,
        device=encoder.embedding.device,
    )
    runs = list(decoding)
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
        "computed": mean(run.space if isinstance(model, Cached) else run.work for run in runs),
        "stops": dict(Counter(run.stop for run in runs)),
    }


def show(rows: list[Row]) -> None:
    """One line for each paradigm and size."""
    table = Table("paradigm", "parameters", "training tokens", "size", *COLUMNS, box=None)
    told = None
    for row in rows:
        tokens = row["training_tokens"]
        about = (row["paradigm"], f"{row['parameters']:,}", "" if tokens is None else f"{tokens:,}")
        shown = ("", "", "") if row["paradigm"] == told else map(str, about)
        told = row["paradigm"]
        table.add_row(*shown, str(row["size"]), *(f"{row[column]:g}" for column in COLUMNS))
    Console(width=180).print(table)
