"""How large a film is, how fast its page loads, and how fast it scrubs.

    python benchmarks/viewer.py

Two runs: 5,000 steps of a Sudoku grid of 83 tokens (one puzzle solved again and again), and a word of Dyck that grows
to 4,096 letters, drawn by the shipped model. Needs Chromium and Playwright. Ends in one JSON line: megabytes of trace
and page, seconds until the first frame is there, and the 95th percentile of the milliseconds between two frames while
every frame jumps to another step: to a random one, or to the next.
"""

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import torch
from playwright.sync_api import Browser, sync_playwright

from apmdm import load
from apmdm.edits import edits_between
from apmdm.registry import find
from apmdm.state import State
from apmdm.trace import Step, Trace
from apmdm.viewer.bundle import page
from apmdm.viewer.film import draw_of, film
from apmdm.vocab import MASK

PUZZLE = ".4...15..8...4...675........6...4....7.....5.5.97....3.9.2...6......6.....3..8..1"
STEPS, LETTERS, FRAMES = 5000, 4096, 240
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run"]
SCRUB = """(places) => new Promise((done) => {
  const times = [];
  let before = null, at = 0;
  const next = (now) => {
    if (before !== null) times.push(now - before);
    before = now;
    if (at === places.length) return done(times);
    player.number = places[at++];
    player.draw();
    requestAnimationFrame(next);
  };
  requestAnimationFrame(next);
})"""


def sudoku() -> tuple[Trace, Any]:
    task = find("sudoku")
    problem = task.parse(PUZZLE)
    (run,) = task.taught([problem], record=True)
    trace = Trace(task.vocab, tuple(islice(_again(run.steps, run.final.ids), STEPS)), ())
    last = trace.steps[-1]
    final = Trace(task.vocab, (last,), ())
    state = State.stack([torch.tensor(last.tokens)])
    from apmdm.step import transition

    tokens = tuple(transition(state, last.edits()).sequence(0).ids.tolist())
    return Trace(final.vocab, trace.steps, tokens, None, {"task": "sudoku"}), draw_of(task)


def _again(steps: tuple[Step, ...], final: torch.Tensor) -> Iterator[Step]:
    """The steps, then all that they changed is remasked and written as it was, and so on."""
    first = torch.tensor(steps[0].tokens)
    blank = torch.where(final == first, final, MASK)
    states = [State.stack([ids]) for ids in (final, blank, first)]
    back = [Step.of(state, edits_between(state, following), 0) for state, following in pairwise(states)]
    while True:
        yield from steps
        yield from back


def dyck() -> tuple[Trace, Any]:
    model = load("dyck")
    task = model.task.with_options({"length": LETTERS})
    (solution,) = task.solve(model.encoder, [task.prompted()], record=True)
    trace = task.trace(solution.problem, solution.run)
    return trace, draw_of(task)


def measured(browser: Browser, trace: Trace, draw: Any, folder: Path) -> dict[str, float]:
    path = folder / "film.html"
    path.write_text(page("film", [film(trace, draw)]), encoding="utf-8")
    tab = browser.new_page(viewport={"width": 1280, "height": 800})
    began = time.perf_counter()
    tab.goto(path.as_uri(), wait_until="commit")
    tab.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    tab.locator("#where", has_text="/").wait_for()
    loaded = time.perf_counter() - began
    last = len(trace.steps)
    spread = [(number * 7919) % (last + 1) for number in range(FRAMES)]
    scrubbed = {
        name: tab.evaluate(SCRUB, places) for name, places in (("random", spread), ("next", spread_in_order(last)))
    }
    tab.close()
    return {
        "steps": last,
        "tokens": max(len(step.tokens) for step in trace.steps),
        "trace MB": round(len(trace.to_json()) / 1e6, 2),
        "page MB": round(path.stat().st_size / 1e6, 2),
        "load s": round(loaded, 2),
    } | {f"{name} p95 ms": round(sorted(times)[int(0.95 * len(times))], 1) for name, times in scrubbed.items()}


def spread_in_order(last: int) -> list[int]:
    return [number % (last + 1) for number in range(FRAMES)]


def main() -> None:
    found = {}
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for name, (trace, draw) in (("sudoku", sudoku()), ("dyck", dyck())):
            found[name] = measured(browser, trace, draw, Path(folder))
        browser.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()
