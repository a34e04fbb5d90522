"""The plot of a comparison: accuracy and steps of each paradigm by the size of the problems."""

from itertools import count
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

PANELS = {"accuracy": "right", "steps": "decoding steps", "computed": "positions computed"}
COLOURS = {
    "AP-MDM": "tab:red",
    "AO-MDM": "tab:purple",
    "MDM": "tab:orange",
    "Masked ARM": "tab:cyan",
    "ARM": "tab:blue",
}
"""A paradigm has one colour in all its forms; they differ in their markers."""
MARKERS = "osv^D*PXp<>hd"
LONG = 4
"""Characters of a size from which the sizes are written aslant."""


def plot(task: str, rows: list[dict[str, Any]], out: Path) -> Path:
    """Write out/TASK.png and return its path."""
    path = out / f"{task}.png"
    figure_of(task, rows).savefig(path, dpi=110)
    return path


def figure_of(task: str, rows: list[dict[str, Any]]) -> Figure:
    """A panel for each figure: lines over the sizes, or bars if there is only one size."""
    names, sizes = (list(dict.fromkeys(str(row[key]) for row in rows)) for key in ("paradigm", "size"))
    styles = _styles(names)
    figure = Figure(figsize=(15, 4 + 0.25 * len(names)), layout="constrained")
    panels = figure.subplots(1, len(PANELS), sharey=len(sizes) == 1)
    for axes, (column, label) in zip(panels, PANELS.items(), strict=True):
        axes.set_xlabel(label if len(sizes) == 1 else "size")
        axes.set_title(f"{task}: {label}")
        if len(sizes) == 1:
            colours = [styles[name]["color"] for name in names]
            axes.barh(names[::-1], [row[column] for row in rows[::-1]], color=colours[::-1])
            continue
        for name, style in styles.items():
            axes.plot(sizes, [row[column] for row in rows if row["paradigm"] == name], label=name, **style)
        if max(map(len, sizes)) > LONG:
            axes.tick_params(axis="x", rotation=30)
        if column != "accuracy":
            axes.set_yscale("symlog", linthresh=1)
    if len(sizes) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    return figure


def _styles(names: list[str]) -> dict[str, dict[str, Any]]:
    """How each line is drawn: AP-MDM thick and in front, without one of its operations dotted, all others thin."""
    numbers = {family: count() for family in COLOURS}
    styles: dict[str, dict[str, Any]] = {}
    for name in names:
        family = next((family for family in COLOURS if name.startswith(family)), "ARM")
        whole = family == "AP-MDM" and "without" not in name
        styles[name] = {
            "color": COLOURS[family],
            "marker": MARKERS[next(numbers[family]) % len(MARKERS)],
            "markersize": 6 if whole else 4,
            "linewidth": 3 if whole else 1,
            "linestyle": ":" if "without" in name else "-",
            "zorder": 3 if whole else 2,
        }
    return styles
