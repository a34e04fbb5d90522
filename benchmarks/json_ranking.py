"""Learn to compare whole repairs of broken JSON, and how sure they are, once json_costs.py has learned the costs.

    python benchmarks/json_ranking.py FOLDER [--num 6000] [--costs FILE]

FOLDER is what json_corpus.py wrote; of it train.jsonl alone is read. `num` documents are damaged for each of two fixed
seeds, and their repairs are found with the costs as they are. The weights become those under which the right repairs
are most probable: a log-linear model, fitted by L-BFGS. How often a repair is right is then learned by a logistic
model, on packages that the weights were not fitted on: three times, each time without every third package. The file
with the costs gets both.
"""

import argparse
import json
from collections import Counter
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import torch
from json_problems import broken
from log_linear import logistic, most_probable
from torch import Tensor

from apmdm.text_repair.damage import Damaged
from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.ranking import Features, features_of
from apmdm.text_repair.repair import distinct, sureness
from apmdm.text_repair.search import PartialRepair, cheapest
from apmdm.text_repair.tokens import tokens_of

SEEDS = 100, 102
COSTS = Path("src/apmdm/text_repair/json_costs.json")
FOLDS = 3
RARE = 15
"""Features that tell apart fewer repairs than these are left out."""
NEAR = 30.0
SMALL = 0.005
"""Weights below are left out."""


class Listed(NamedTuple):
    """The repairs found for a broken document: features, ways, and whether each is right."""

    source: str
    features: list[Features]
    ways: list[PartialRepair]
    right: list[bool]


class Ranker(NamedTuple):
    """The weights of features."""

    names: list[str]
    weights: Tensor

    def scores(self, listed: Listed) -> Tensor:
        return matrix([listed], self.names) @ self.weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=6000)
    parser.add_argument("--costs", type=Path, default=COSTS)
    given = parser.parse_args()
    began = perf_counter()
    documents = [json.loads(line) for line in (given.folder / "train.jsonl").open(encoding="utf-8")]
    lists = [listed(*problem) for seed in SEEDS for problem in broken(documents, given.num, seed)]
    print(f"{perf_counter() - began:.0f} s until all repairs were found", flush=True)
    names = telling(lists)
    sources = sorted({each.source for each in lists})
    rows, right = list[dict[str, float]](), list[float]()
    for fold in range(FOLDS):
        held = set(sources[fold::FOLDS])
        ranker = fitted([each for each in lists if each.source not in held], names)
        for each in lists:
            if each.source in held and each.features:
                row, good = surest(each, ranker)
                rows.append(row)
                right.append(good)
        print(f"fold {fold + 1}: {perf_counter() - began:.0f} s", flush=True)
    print(f"{sum(right) / len(lists):.4f} right in packages that were left out", flush=True)
    ranker = fitted(lists, names)
    weights = {name: round(weight, 3) for name, weight in zip(names, ranker.weights.tolist(), strict=True)}
    learned = json.loads(given.costs.read_text())
    learned["about"] |= {"ranked": len(lists)}
    learned["ranking"] = {name: weight for name, weight in weights.items() if abs(weight) >= SMALL}
    learned["calibration"] = logistic(rows, right)
    given.costs.write_text(json.dumps(learned, indent=1) + "\n")
    print(f"calibration {learned['calibration']}, {perf_counter() - began:.0f} s")


def listed(source: str, problem: Damaged) -> Listed:
    accepted = {_canonical(value) for value in problem.accepted}
    found = distinct(problem.text, cheapest(Json(tokens_of(problem.text))))
    return Listed(
        source,
        [features_of(problem.text, each) for each in found],
        [each.way for each in found],
        [_canonical(json.loads(each.text)) in accepted for each in found],
    )


def telling(lists: list[Listed]) -> list[str]:
    """The names of features that repairs of one document often do not share."""
    times = Counter[str]()
    for each in lists:
        if len(each.features) > 1:
            pairs = [set(features.items()) for features in each.features]
            shared = set[tuple[str, float]].intersection(*pairs)
            times.update({name for found in pairs for name, _ in found - shared})
    return sorted(name for name, count in times.items() if count >= RARE)


def fitted(lists: list[Listed], names: list[str]) -> Ranker:
    """The weights under which right repairs are most probable among all that were found."""
    usable = [each for each in lists if any(each.right) and not all(each.right)]
    rows = matrix(usable, names)
    scale = rows.square().mean(0).sqrt() + 1e-6
    rows = rows / scale
    owner = torch.tensor([number for number, each in enumerate(usable) for _ in each.right])
    right = torch.tensor([good for each in usable for good in each.right])
    prior = torch.zeros(len(names))
    prior[names.index("share")] = scale[names.index("share")]
    return Ranker(names, most_probable(rows, right, owner, prior, NEAR) / scale)


def matrix(lists: list[Listed], names: list[str]) -> Tensor:
    """The features of each repair, less those of the first of its document."""
    index = {name: at for at, name in enumerate(names)}
    rows = torch.zeros(sum(len(each.features) for each in lists), len(names))
    row = 0
    for each in lists:
        first = row
        for features in each.features:
            for name, value in features.items():
                if name in index:
                    rows[row, index[name]] = value
            row += 1
        rows[first:row] -= rows[first].clone()
    return rows


def surest(listed: Listed, ranker: Ranker) -> tuple[dict[str, float], float]:
    """What tells how sure the best repair is, and whether it is right."""
    chances = ranker.scores(listed).softmax(0)
    best = int(chances.argmax())
    return sureness(float(chances[best]), listed.ways[best]), float(listed.right[best])


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


if __name__ == "__main__":
    main()
