"""How far long work is, and how long it takes, on standard error."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

FORECAST_AFTER = 5.0, 0.02
"""Seconds of work, and its share, after which the time of all of it is forecast."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.1f} steps/s")


def progress_bar(shown: bool) -> Progress:
    """A bar whose tasks have a field `loss`, a text. Nothing appears unless it is shown."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[loss]}"),
        console=Console(stderr=True),
        disable=not shown,
    )


@contextmanager
def share_done(work: str) -> Iterator[Callable[[float], None]]:
    """A bar, moved by calling what is yielded with the share of the work that is done, from 0 to 1.

    Soon a line says how long all of it will take, also where a bar cannot be drawn.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    began, told = time.perf_counter(), False
    with Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=Console(stderr=True)) as bar:
        task = bar.add_task(work, total=1.0)

        def done(share: float) -> None:
            nonlocal told
            seconds = time.perf_counter() - began
            if not told and seconds > FORECAST_AFTER[0] and share > FORECAST_AFTER[1]:
                told = True
                bar.console.print(f"{work} will take about {duration(seconds / share)}", soft_wrap=True)
            bar.update(task, completed=share)

        yield done


def duration(seconds: float) -> str:
    """As a person says it: "20 seconds", "4 minutes", "1.5 hours"."""
    if seconds < 90:
        return f"{max(1, seconds):.0f} seconds"
    return f"{seconds / 60:.0f} minutes" if seconds < 90 * 60 else f"{seconds / 3600:.1f} hours"
