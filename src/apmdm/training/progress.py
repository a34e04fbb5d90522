"""How far long work is, and how long it takes, on standard error."""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread
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
SILENCE = 10.0
"""The most seconds without a line while something is measured."""


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

    @contextmanager
    def measuring(self, step: int) -> Iterator[None]:
        """Tell that what is done inside goes on, since no step is made meanwhile."""
        self.bar.update(self.task, description="measuring")
        try:
            with at_intervals(lambda past: self.lines and self.say(f"step {step}: measuring for {duration(past)}")):
                yield
        finally:
            self.bar.update(self.task, description="training")

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
def at_intervals(tell: Callable[[float], object]) -> Iterator[None]:
    """Call a function now and then with the seconds that have gone by, whatever is done inside."""
    over, began = Event(), time.monotonic()

    def telling() -> None:
        with suppress(OSError, ValueError):  # standard error may be closed
            while not over.wait(SILENCE):
                tell(time.monotonic() - began)

    teller = Thread(target=telling, daemon=True)
    teller.start()
    try:
        yield
    finally:
        over.set()
        teller.join()


@contextmanager
def still_there(work: str) -> Iterator[None]:
    """Tell on standard error, now and then, that work goes on of which no share can be told."""
    console = terminal.stderr()

    def line(seconds: float) -> None:
        console.print(f"{work} for {duration(seconds)}", soft_wrap=True, highlight=False, markup=False)

    with at_intervals(line):
        yield


@contextmanager
def share_done(work: str) -> Iterator[Callable[[float], None]]:
    """A bar, or lines where none can be drawn, moved by calling what is yielded with the share that is done, 0 to 1.

    Soon a line says how long all of it will take. It waits for two forecasts that agree: while many problems are under
    way and few have ended, the first ones are far too long.
    """
    columns = TextColumn("{task.description}"), BarColumn(), TaskProgressColumn()
    console = terminal.stderr()
    drawn = console.is_terminal and not console.is_dumb_terminal
    bar = Progress(*columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, disable=not drawn)
    task, forecast, began = bar.add_task(work, total=1.0), Forecast(), time.perf_counter()

    def done(share: float) -> None:
        if not bar.live.is_started:
            bar.start()
        seconds = forecast.after(time.perf_counter() - began, share)
        if seconds is not None:
            console.print(f"{work} will take about {duration(seconds)}", soft_wrap=True)
        bar.update(task, completed=share)

    def line(seconds: float) -> None:
        if not drawn:
            told = f"{work}: {bar.tasks[0].completed:.0%} done after {duration(seconds)}"
            console.print(told, soft_wrap=True, highlight=False, markup=False)

    try:
        with at_intervals(line):
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
