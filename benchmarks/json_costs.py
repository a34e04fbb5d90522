"""Learn what repairs of JSON cost, from valid documents that are damaged with a fixed seed.

    python benchmarks/json_costs.py FOLDER [--num 6000] [--rounds 2] [--out src/apmdm/text_repair/json_costs.json]

FOLDER is what json_corpus.py wrote; of it train.jsonl alone is read. First the structure of the valid documents is
counted. Then, in each round, the most probable repairs of the damaged ones are found with the costs as they are, and
the costs become those under which the right repairs are most probable among them: a log-linear model, fitted by L-BFGS
and kept near the costs that were set by hand. json_ranking.py learns the rest.
"""

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from json_problems import broken
from log_linear import most_probable
from torch import Tensor

from apmdm.text_repair import structure
from apmdm.text_repair.costs import PRIOR
from apmdm.text_repair.damage import Damaged
from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.search import applied, cheapest, edits_of
from apmdm.text_repair.tokens import tokens_of
from apmdm.text_repair.ways import Way

SEED = 0
EVENTS = 60
"""A document counts as much as one with so many events."""
KEPT = {("truncated", 1), ("prose", 1)}
"""Costs that are not learned: how much is cut off or around says nothing."""
NEAR = 0.3
SCALES: tuple[str, ...] = structure.SCALED
NAMES = [(kind, again) for kind in PRIOR for again in (0, 1)]
WEIGHTS = [*NAMES, *((scale, 0) for scale in SCALES)]
INDEX: dict[tuple[str, int], int] = {name: at for at, name in enumerate(WEIGHTS)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--num", type=int, default=6000)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("src/apmdm/text_repair/json_costs.json"))
    given = parser.parse_args()
    began = perf_counter()
    documents = [json.loads(line) for line in (given.folder / "train.jsonl").open(encoding="utf-8")]
    texts = [document["text"] for document in documents]
    table = structure.surprises(event for text in texts for event in events(text))
    problems = [problem for _, problem in broken(documents, given.num, SEED)]
    weights = torch.tensor([PRIOR[kind][again] for kind, again in NAMES] + [0.3] * len(SCALES))
    for number in range(given.rounds):
        lists = [list(ranked(problem, *split(weights, table), table)) for problem in problems]
        weights = fitted(lists)
        print(
            f"round {number + 1}: {accuracy(lists, weights):.4f} right of those found, {perf_counter() - began:.0f} s"
        )
    costs, scaled = split(weights, table)
    licences = dict(sorted(Counter(document["licence"] for document in documents).items()))
    about = {"seed": SEED, "documents": licences, "damaged": given.num, "rounds": given.rounds}
    learned = {"about": about, "costs": costs, "structure": scaled}
    given.out.write_text(json.dumps(learned, indent=1) + "\n")


def events(text: str) -> Iterator[tuple[str, str, float]]:
    """The contexts and outcomes of a valid document, with their weight."""
    (way,) = cheapest(Json(tokens_of(text), table={}, fold=False), num=1, margin=0.0)
    found = [kind[1:].rsplit("=", 1) for kind, _ in paid(way) if kind.startswith("=")]
    for context, outcome in found:
        yield context, outcome, min(1.0, EVENTS / len(found))


def values(problem: Damaged, costs: dict[str, list[float]], scaled: structure.Table) -> Iterator[tuple[str, Way]]:
    """The value of each repair that was found, and how it was, the cheapest first."""
    for way in cheapest(Json(tokens_of(problem.text), costs, scaled)):
        try:
            value = json.loads(applied(problem.text, [edit for _, edit in edits_of(way)]))
        except (ValueError, RecursionError):
            continue
        yield _canonical(value), way


def paid(way: Way) -> Iterator[tuple[str, float]]:
    """What a repair paid for, the last first."""
    trail = way.trail
    while trail is not None:
        trail, kind, cost, _ = trail
        yield kind, cost


def ranked(
    problem: Damaged, costs: dict[str, list[float]], scaled: structure.Table, table: structure.Table
) -> Iterator[tuple[dict[int, float], bool]]:
    """The features of each repair found, and whether it is right; of those with one value the most probable."""
    accepted, seen = {_canonical(value) for value in problem.accepted}, set[str]()
    for value, way in values(problem, costs, scaled):
        if value not in seen:
            seen.add(value)
            yield features(way, table), value in accepted


def features(way: Way, table: structure.Table) -> dict[int, float]:
    found, seen = dict[int, float](), set[str]()
    for kind, cost in reversed(list(paid(way))):
        if kind.startswith("="):
            context, outcome = kind[1:].rsplit("=", 1)
            at, amount = INDEX[context.split()[0], 0], table.get(context, {}).get(outcome, 0.0)
        elif cost:
            at, amount = INDEX[kind, int(kind in seen)], 1.0
            seen.add(kind)
        else:
            continue
        found[at] = found.get(at, 0.0) + amount
    return found


def fitted(lists: list[list[tuple[dict[int, float], bool]]]) -> Tensor:
    """The weights under which right repairs are most probable among all that were found."""
    usable = [found for found in lists if any(right for _, right in found)]
    matrix, right, owner = tensors(usable)
    prior = torch.tensor([PRIOR[kind][again] for kind, again in NAMES] + [1.0] * len(SCALES))
    free = torch.tensor([name not in KEPT for name in WEIGHTS]).float()
    return most_probable(-matrix, right, owner, prior, NEAR, free).clamp(min=0.01)


def tensors(lists: list[list[tuple[dict[int, float], bool]]]) -> tuple[Tensor, Tensor, Tensor]:
    """Features, rightness and number of the problem of each repair."""
    rows = [(number, found, right) for number, each in enumerate(lists) for found, right in each]
    matrix = torch.zeros(len(rows), len(WEIGHTS))
    for row, (_, found, _) in enumerate(rows):
        for at, value in found.items():
            matrix[row, at] = value
    return matrix, torch.tensor([right for *_, right in rows]), torch.tensor([number for number, *_ in rows])


def accuracy(lists: list[list[tuple[dict[int, float], bool]]], weights: Tensor) -> float:
    right = 0
    for found in filter(None, lists):
        matrix, good, _ = tensors([found])
        right += bool(good[int((matrix @ weights).argmin())])
    return right / len(lists)


def split(weights: Tensor, table: structure.Table) -> tuple[dict[str, list[float]], dict[str, dict[str, float]]]:
    """The costs, and the table times its scales."""
    values = [round(value, 3) for value in weights.tolist()]
    costs = {kind: [values[INDEX[kind, 0]], values[INDEX[kind, 1]]] for kind in PRIOR}
    scales: dict[str, float] = dict(zip(SCALES, values[len(NAMES) :], strict=True))
    scaled = {
        context: {outcome: round(cost * scales[context.split()[0]], 3) for outcome, cost in costs_of.items()}
        for context, costs_of in table.items()
    }
    return costs, scaled


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


if __name__ == "__main__":
    main()
