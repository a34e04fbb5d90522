"""How far long work is, and how long it takes, on standard error."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType

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

from apmdm import terminal

FORECAST_AFTER = 5.0, 0.02
"""Seconds of work, and its share, after which the time of all of it may be forecast."""
AGREEMENT = 1.25
"""A forecast is told if it is that of half the share, or at most so many times more or less."""
SECONDS_A_LINE = 60
"""How often a file, in which no bar can be drawn, gets a line about a training run."""


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed or 0:.1f} steps/s")


class TrainingProgress:
    """How far a run of `total` steps is, `first` of them done before. Nothing appears unless it is shown."""

    def __init__(self, total: int, first: int, shown: bool) -> None:
        self.total, self.first, self.shown = total, first, shown
        self.console = terminal.stderr()
        drawn = shown and self.console.is_terminal and not self.console.is_dumb_terminal
        columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate()
        times = TimeElapsedColumn(), TimeRemainingColumn(), TextColumn("{task.fields[loss]}")
        self.bar = Progress(*columns, *times, console=self.console, disable=not drawn)
        self.task = self.bar.add_task("training", total=total, completed=first, loss="")
        self.lines = shown and not drawn
        self.began = time.monotonic()
        self.next_line = self.began

    def __enter__(self) -> "TrainingProgress":
        self.bar.start()
        # A process that is killed cannot bring back a hidden cursor.
        self.console.show_cursor(True)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.bar.stop()

    def step(self, done: int, loss: float) -> None:
        """Tell that so many steps are done, and the loss of the latest."""
        self.bar.update(self.task, completed=done, loss=f"loss {loss:.5f}")
        now = time.monotonic()
        if self.lines and now >= self.next_line:
            self.next_line = now + SECONDS_A_LINE
            rate = (done - self.first) / max(now - self.began, 1e-9)
            self.say(f"step {done} of {self.total}  loss {loss:.5f}  {rate:.1f} steps/s")

    def say(self, line: str) -> None:
        if self.shown:
            self.console.print(line, soft_wrap=True, highlight=False, markup=False)


@dataclass
class Forecast:
    """share, seconds: the latest forecast of how long all work takes, and the share of it that was done then."""

    share: float = 0.0
    seconds: float = math.inf
    told: bool = False

    def after(self, seconds: float, share: float) -> float | None:
        """The seconds that all work takes, once, as soon as they are known; None before and afterwards."""
        if self.told or share < max(FORECAST_AFTER[1], 2 * self.share) or seconds < FORECAST_AFTER[0]:
            return None
        before, self.share, self.seconds = self.seconds, share, seconds / share
        self.told = 1 / AGREEMENT <= self.seconds / before <= AGREEMENT
        return self.seconds if self.told else None


@contextmanager
def share_done(work: str) -> Iterator[Callable[[float], None]]:
    """A bar, which begins and is moved by calling what is yielded with the share of the work that is done, from 0 to 1.

    Soon a line says how long all of it will take, also where a bar cannot be drawn. It waits for two forecasts that
    agree: while many problems are under way and few have ended, the first ones are far too long.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=terminal.stderr())
    task, forecast, began = bar.add_task(work, total=1.0), Forecast(), time.perf_counter()

    def done(share: float) -> None:
        if not bar.live.is_started:
            bar.start()
        seconds = forecast.after(time.perf_counter() - began, share)
        if seconds is not None:
            bar.console.print(f"{work} will take about {duration(seconds)}", soft_wrap=True)
        bar.update(task, completed=share)

    try:
        yield done
    finally:
        if bar.live.is_started:
            bar.stop()


def duration(seconds: float) -> str:
    """Rounded to what matters."""
    for name, size in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:,.0f} {name}"
    return f"{seconds:.0f} seconds"
