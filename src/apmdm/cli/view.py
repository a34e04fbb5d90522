"""A run in a terminal while it goes on, drawn from the plain data that its task makes of each state."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from apmdm.base_task import BaseTask
from apmdm.drawing import sketch
from apmdm.sampler import Observation, Predictor
from apmdm.solution import Solution

LEVEL_COLOURS = ("green", "cyan", "yellow", "magenta", "blue", "red")
SECONDS_PER_STEP = 0.06


def watched(
    task: BaseTask, model: Predictor, problems: Iterable[Any], console: Console, device: str
) -> Iterator[Solution]:
    """Solve one problem after the other, drawing every state that the model is shown."""
    for number, problem in enumerate(problems):
        drawn: list[dict[str, Any]] = []
        title = f"{next(iter(task.told(problem)))} {number + 1}"
        with Live(console=console, auto_refresh=False, transient=True) as live:

            def show(
                seen: Observation, drawn: list[dict[str, Any]] = drawn, title: str = title, live: Live = live
            ) -> None:
                drawn.append(task.draw(seen.state.to("cpu").sequence(0)))
                before = drawn[-2] if drawn[1:] else None
                live.update(picture(drawn[-1], before, f"{title}   step {len(drawn) - 1}"), refresh=True)
                time.sleep(SECONDS_PER_STEP)

            (solution,) = task.solve(model, [problem], record=True, on_step=show, device=device)
        console.print(picture(drawn[-1], None, f"{title}   step {len(drawn) - 1}"))
        yield replace(solution, run=replace(solution.run, index=number))


def picture(drawing: dict[str, Any], before: dict[str, Any] | None, title: str) -> Group:
    """A drawing of a state as text; what a grid has lost since `before` is shown once more on a red ground."""
    note = drawing.get("note")
    heading = Text(title + (f"   {note}" if note else ""), "bold")
    if drawing["kind"] == "grid":
        return Group(heading, _grid(drawing, before or drawing))
    return Group(heading, Text(sketch(drawing)))


def _grid(drawing: dict[str, Any], before: dict[str, Any]) -> Text:
    rows, box, text = drawing["rows"], drawing["box"], Text()
    side = len(rows)
    line = "-+-".join(["-" * (2 * box - 1)] * (side // box)) + "\n"
    for row, (cells, earlier) in enumerate(zip(rows, before["rows"], strict=True)):
        for column, (cell, was) in enumerate(zip(cells, earlier, strict=True)):
            text.append_text(_cell(cell, was))
            text.append("\n" if column == side - 1 else " | " if column % box == box - 1 else " ", "dim")
        if row % box == box - 1 and row < side - 1:
            text.append(line, "dim")
    return text


def _cell(cell: dict[str, Any], before: dict[str, Any]) -> Text:
    if not cell["text"]:
        return Text(before["text"], "white on red") if before["text"] else Text(".", "dim")
    if cell["level"] == 0:
        return Text(cell["text"], "bold")
    colour = LEVEL_COLOURS[(cell["level"] - 1) % len(LEVEL_COLOURS)]
    return Text(cell["text"], f"bold reverse {colour}" if cell.get("guess") else colour)
