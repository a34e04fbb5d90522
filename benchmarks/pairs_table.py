"""What benchmarks/pairs.py measured, as one table and one figure: models by language and by amount of data.

RECORDS has the lines that it prints, one for each run; those of several seeds are averaged.

    python benchmarks/pairs_table.py RECORDS [--figure FILE]
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path

from matplotlib.figure import Figure

from apmdm.paradigms.plot import COLOURS

AMOUNTS = {"low": 100, "medium": 1000, "high": 10_000}
COLUMNS = {
    "AP-MDM": ("ap-mdm", "both"),
    "AP-MDM, from the left alone": ("ap-mdm", "left"),
    "insertion alone": ("insertion", "left"),
    "AO-MDM": ("ao-mdm", "any order"),
    "ARM": ("arm", "left"),
}
Shares = dict[tuple[str, str, str], list[float]]
"""By language, part and name of the column, the share of each seed that is right."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("records", type=Path)
    parser.add_argument("--figure", type=Path)
    given = parser.parse_args()
    found = shares([json.loads(line) for line in given.records.read_text().splitlines()])
    languages = sorted({language for language, _, _ in found})
    for line in table(found, languages):
        print(line)
    if given.figure is not None:
        plot(found, languages).savefig(given.figure)


def shares(records: list[dict]) -> Shares:
    found: Shares = defaultdict(list)
    for record in records:
        for name, (model, way) in COLUMNS.items():
            if record["model"] == model:
                found[record["language"], record["learned from"], name].append(record[f"accuracy {way}"])
    return found


def mean(values: list[float]) -> float:
    return 100 * sum(values) / len(values) if values else float("nan")


def table(found: Shares, languages: list[str]) -> list[str]:
    rows = [
        [language, f"{amount:,}", *(f"{mean(found[language, part, name]):.1f}" for name in COLUMNS)]
        for language in languages
        for part, amount in AMOUNTS.items()
    ]
    return [f"| {' | '.join(row)} |" for row in (["language", "pairs", *COLUMNS], ["---"] * (2 + len(COLUMNS)), *rows)]


def plot(found: Shares, languages: list[str]) -> Figure:
    figure = Figure((3 * len(languages), 3.2), layout="constrained", dpi=150)
    panels = figure.subplots(1, len(languages), sharey=True, squeeze=False)[0]
    for panel, language in zip(panels, languages, strict=True):
        for name in COLUMNS:
            values = [mean(found[language, part, name]) for part in AMOUNTS]
            family, _, part_of_it = name.partition(",")
            style = {"color": COLOURS.get(family, "tab:green"), "linestyle": "--" if part_of_it else "-"}
            panel.plot(list(AMOUNTS.values()), values, marker="o", label=name, **style)
        panel.set(title=language, xscale="log", xlabel="training pairs", ylim=(0, 100))
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("right, per cent")
    panels[-1].legend(fontsize="x-small")
    return figure


if __name__ == "__main__":
    main()
