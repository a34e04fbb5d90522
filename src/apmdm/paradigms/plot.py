"""The plot of a comparison: accuracy and steps of each paradigm by the size of the problems."""

from itertools import cycle
from pathlib import Path
from typing import Any

from matplotlib import colormaps
from matplotlib.figure import Figure

PANELS = {"accuracy": "right", "steps": "decoding steps", "computed": "positions computed"}
MARKERS, COLOURS = "osv^D*", colormaps["tab10"].colors[:7]  # pyright: ignore[reportAttributeAccessIssue]


def plot(task: str, rows: list[dict[str, Any]], out: Path) -> Path:
    """Write out/TASK.png and return its path: lines over the sizes, or bars if there is only one size."""
    names, sizes = (list(dict.fromkeys(str(row[key]) for row in rows)) for key in ("paradigm", "size"))
    figure = Figure(figsize=(15, 4 + 0.25 * len(names)), layout="constrained")
    panels = figure.subplots(1, len(PANELS), sharey=len(sizes) == 1)
    for axes, (column, label) in zip(panels, PANELS.items(), strict=True):
        axes.set_xlabel(label if len(sizes) == 1 else "size")
        axes.set_title(f"{task}: {label}")
        if len(sizes) == 1:
            axes.barh(names[::-1], [row[column] for row in rows[::-1]])
            continue
        for name, marker, colour in zip(names, cycle(MARKERS), cycle(COLOURS), strict=False):
            values = [row[column] for row in rows if row["paradigm"] == name]
            axes.plot(sizes, values, marker=marker, color=colour, markersize=4, linewidth=1, label=name)
        if column != "accuracy":
            axes.set_yscale("symlog", linthresh=1)
    if len(sizes) > 1:
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize="small")
    path = out / f"{task}.png"
    figure.savefig(path, dpi=110)
    return path
