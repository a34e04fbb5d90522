"""Learn what repairs of Python cost, from modules of the standard library that are damaged with a fixed seed.

    python benchmarks/python_costs.py [--num 1500] [--rounds 1] [--brackets]

As for JSON (json_costs.py): the most probable repairs are found with the costs as they are, and the costs become those
under which the right repairs are most probable among them. Right is a repair with the syntax tree of the original. With
--brackets only the probabilities of repair of brackets alone are fitted, on texts whose brackets are damaged.
"""

import argparse
import ast
import json
import sysconfig
from collections.abc import Callable, Iterator
from functools import partial
from math import exp
from pathlib import Path
from random import Random
from time import perf_counter
from typing import Any

import torch
from log_linear import logistic, most_probable
from torch import Tensor

from apmdm.text_repair.brackets_automaton import AnyBrackets
from apmdm.text_repair.python_automaton import Python
from apmdm.text_repair.python_damages import DAMAGES, damaged
from apmdm.text_repair.python_kinds import PRIOR
from apmdm.text_repair.python_tokens import parses, tokens_of, tree_of
from apmdm.text_repair.python_ways import PythonWay
from apmdm.text_repair.repair import sureness
from apmdm.text_repair.search import Grammar, applied, cheapest, edits_of

SEED, NEAR, CALIBRATION = 0, 0.3, 800
BRACKETS = "missing closer", "missing opener", "extra closer", "extra opener", "wrong closer"
SHORTEST, LONGEST = 300, 10_000
KEPT = {("little indentation in brackets", 1), ("assignment in brackets", 1), ("other indentation than usual", 1)}
"""Costs that are not learned: how often a text has what is its style says nothing."""
NAMES = [(kind, again) for kind in PRIOR for again in (0, 1)]
INDEX = {name: at for at, name in enumerate(NAMES)}
Found = list[tuple[dict[int, float], bool]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--num", type=int, default=1500)
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--brackets", action="store_true")
    given = parser.parse_args()
    began = perf_counter()
    texts = standard_library()
    if given.brackets:
        fitted_on = broken(texts, CALIBRATION, SEED + 1, BRACKETS)
        write("brackets", {"seed": SEED}, calibrated(fitted_on, AnyBrackets), {})
        return
    problems = list(broken(texts, given.num, SEED))
    print(f"{len(problems)} damaged texts of {len(texts)} modules, {perf_counter() - began:.0f} s", flush=True)
    weights = prior()
    for number in range(given.rounds):
        costs = split(weights)
        automaton = partial(automaton_with, costs)
        lists = [[(features(way), right) for way, right in ranked(problem, automaton)] for problem in problems]
        weights = fitted(lists)
        among = sum(any(right for _, right in found) for found in lists) / len(lists)
        right = accuracy(lists, weights)
        print(
            f"round {number + 1}: {right:.4f} right, {among:.4f} among those found, {perf_counter() - began:.0f} s",
            flush=True,
        )
    costs = split(weights)
    calibration = calibrated(broken(texts, CALIBRATION, SEED + 1), partial(automaton_with, costs))
    about = {"seed": SEED, "modules": len(texts), "damaged": given.num, "rounds": given.rounds}
    write("python", about, calibration, costs)


def automaton_with(costs: dict[str, list[float]], text: str) -> Python:
    return Python(tokens_of(text), costs)


def write(language: str, about: dict[str, int], calibration: dict[str, float], costs: dict[str, list[float]]) -> None:
    learned = {"about": about, "calibration": calibration, "costs": costs}
    Path(f"src/apmdm/text_repair/{language}_costs.json").write_text(json.dumps(learned, indent=1) + "\n")
    print(f"calibration {calibration}")


def standard_library() -> list[str]:
    """Modules of Python's standard library, in order of their paths, without tests."""
    folder = Path(sysconfig.get_path("stdlib"))
    found = list[str]()
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(folder).parts
        if not {"site-packages", "test", "tests", "idle_test", "lib2to3"} & set(parts):
            text = path.read_text(encoding="utf-8", errors="replace")
            if SHORTEST <= len(text) <= LONGEST and parses(text):
                found.append(text)
    return found


def broken(texts: list[str], num: int, seed: int, kinds: tuple[str, ...] = tuple(DAMAGES)) -> Iterator[tuple[str, str]]:
    """Damaged texts with 1 to 3 mistakes, and what they were."""
    random, made = Random(seed), 0
    while made < num:
        text = random.choice(texts)
        if problem := damaged(text, 1 + made % 3, random, kinds):
            made += 1
            yield problem[0], text


def ranked(problem: tuple[str, str], automaton: Callable[[str], Grammar[Any]]) -> Iterator[tuple[Any, bool]]:
    """The repairs that were found, the cheapest first, and whether they are right; one for each syntax tree."""
    text, truth = problem
    wanted, seen = tree_of(truth), set[str]()
    for way in cheapest(automaton(text), num=12):
        repaired = applied(text, [edit for _, edit in edits_of(way)])
        if repaired not in seen:
            seen.add(repaired)
            found = tree_of(repaired)
            if found is not None:
                yield way, same(found, wanted)


def same(one: object, other: object) -> bool:
    """Whether two syntax trees are the same but for places."""
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, ast.AST):
        return type(one) is type(other) and all(
            same(getattr(one, name, None), getattr(other, name, None)) for name in one._fields
        )
    return type(one) is type(other) and repr(one) == repr(other)


def features(way: PythonWay) -> dict[int, float]:
    kinds, trail, found, seen = list[str](), way.trail, dict[int, float](), set[str]()
    while trail is not None:
        trail, kind, _, _ = trail
        kinds.append(kind)
    for kind in reversed(kinds):
        at = INDEX[kind, int(kind in seen)]
        seen.add(kind)
        found[at] = found.get(at, 0.0) + 1.0
    return found


def prior() -> Tensor:
    return torch.tensor([PRIOR[kind][again] for kind, again in NAMES])


def split(weights: Tensor) -> dict[str, list[float]]:
    values = [round(value, 3) for value in weights.tolist()]
    return {kind: [values[INDEX[kind, 0]], values[INDEX[kind, 1]]] for kind in PRIOR}


def fitted(lists: list[Found]) -> Tensor:
    """The weights under which right repairs are most probable among all that were found."""
    usable = [found for found in lists if any(right for _, right in found)]
    matrix, right, owner = tensors(usable)
    free = torch.tensor([name not in KEPT for name in NAMES]).float()
    return most_probable(-matrix, right, owner, prior(), NEAR, free).clamp(min=0.01)


def tensors(lists: list[Found]) -> tuple[Tensor, Tensor, Tensor]:
    """Features, rightness and number of the problem of each repair."""
    rows = [(number, found, right) for number, each in enumerate(lists) for found, right in each]
    matrix = torch.zeros(len(rows), len(NAMES))
    for row, (_, found, _) in enumerate(rows):
        for at, value in found.items():
            matrix[row, at] = value
    return matrix, torch.tensor([right for *_, right in rows]), torch.tensor([number for number, *_ in rows])


def accuracy(lists: list[Found], weights: Tensor) -> float:
    right = 0
    for found in filter(None, lists):
        matrix, good, _ = tensors([found])
        right += bool(good[int((matrix @ weights).argmin())])
    return right / len(lists)


def calibrated(problems: Iterator[tuple[str, str]], automaton: Callable[[str], Grammar[Any]]) -> dict[str, float]:
    """The weights of the probability that a repair is right."""
    rows, target = list[dict[str, float]](), list[float]()
    for problem in problems:
        found = list(ranked(problem, automaton))
        if found:
            share = 1 / sum(exp(found[0][0].cost - way.cost) for way, _ in found)
            rows.append(sureness(share, found[0][0]))
            target.append(float(found[0][1]))
    return logistic(rows, target)


if __name__ == "__main__":
    main()
