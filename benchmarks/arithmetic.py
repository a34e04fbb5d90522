"""Sudoku by parameters and by arithmetic: published systems beside results of `apmdm eval sudoku --json`, as a plot.

The published figures are their authors', on Sudoku-Extreme; without their arithmetic there is no point. They learn from
solutions, AP-MDM from the steps and look-ups of a solver.

    python benchmarks/arithmetic.py FIGURE NAME=RESULT.json ...
"""

import json
import sys
from pathlib import Path
from typing import NamedTuple

from matplotlib.figure import Figure

TERA = 1e12


class System(NamedTuple):
    """parameters, multiply-adds a puzzle (None: not published), share of the puzzles solved."""

    name: str
    parameters: float
    multiply_adds: float | None
    solved: float


PUBLISHED = [
    System("HRM", 27e6, None, 0.55),
    System("TRM", 5e6, None, 0.874),
    System("EqR", 5e6, None, 0.93),
    System("DEC", 0.79e6, 1.3 * TERA, 0.991),
]


def read(argument: str) -> System:
    name, _, path = argument.partition("=")
    result = json.loads(Path(path).read_text())
    return System(name, result["parameters"], result["mean_multiply_adds"], result["solved"] / result["puzzles"])


def draw(systems: list[System], out: Path) -> None:
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for number, system in enumerate(systems):
        look = {"marker": "o" if system in PUBLISHED else "*", "color": f"C{number}", "s": 70}
        for panel, x in zip(axes, (system.parameters, system.multiply_adds), strict=True):
            if x is None:
                continue
            panel.scatter(x, 100 * system.solved, **look)
            below = sum(other.solved == system.solved for other in systems[:number])
            place = {"xytext": (0, -16 - 12 * below), "textcoords": "offset points", "ha": "center"}
            panel.annotate(system.name, (x, 100 * system.solved), color=look["color"], **place)
    axes[0].set(xscale="log", xlabel="parameters", ylabel="solved (%)")
    for panel in axes:
        panel.margins(x=0.35, y=0.15)
    axes[1].set(xscale="log", xlabel="multiply-adds a puzzle")
    figure.savefig(out, dpi=110)


def main() -> None:
    if len(sys.argv) < 3 or not all("=" in argument for argument in sys.argv[2:]):
        sys.exit("usage: python benchmarks/arithmetic.py FIGURE NAME=RESULT.json ...")
    systems = PUBLISHED + [read(argument) for argument in sys.argv[2:]]
    draw(systems, Path(sys.argv[1]))
    print(json.dumps({"benchmark": "arithmetic", "systems": [system._asdict() for system in systems]}))


if __name__ == "__main__":
    main()
