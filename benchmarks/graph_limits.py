"""Up to which graphs the minimum cuts of a model are right: by the depth of the search and by the number of edges.

python benchmarks/graph_limits.py [WEIGHTS] [FAMILY ...]

Prints a line for each size while it measures, and ends in one JSON line. Long paths and ladders take minutes each.
"""

import json
import sys
import time
from collections.abc import Callable
from random import Random

import torch

from apmdm.tasks.graph.graphs import anything, disguised, grid
from apmdm.tasks.graph.problem import CutProblem
from apmdm.tasks.graph.task import Graph
from apmdm.tasks.graph.verify import search_depth
from apmdm.trained import load

SEED = 2026
Family = tuple[Callable[[int, bool, Random], CutProblem], tuple[int, ...], int]


def corners(rows: int, columns: int, directed: bool) -> CutProblem:
    """A grid from corner to corner."""
    problem = grid(rows, columns, directed, Random(0))
    return CutProblem(problem.nodes, problem.edges, 0, problem.nodes - 1, directed)


FAMILIES: dict[str, Family] = {
    "path": (lambda size, directed, _: corners(1, size, directed), (20, 40, 65, 100, 200, 300, 500), 1),
    "ladder": (lambda size, directed, _: corners(2, size, directed), (10, 25, 30, 50, 75, 100), 1),
    "grid of 3 rows": (lambda size, directed, _: corners(3, size, directed), (10, 30, 50), 1),
    "square grid": (lambda size, directed, _: corners(size, size, directed), (6, 8, 10), 1),
    "sparse, 2 edges a node": (
        lambda size, directed, random: anything(size, 2 * size, directed, random),
        (40, 60, 80, 100, 150),
        5,
    ),
    "5 edges a node": (lambda size, directed, random: anything(size, 5 * size, directed, random), (20, 40, 60), 5),
}
"""How a graph of a size is drawn, the sizes, and how many directed and undirected graphs of each."""


def measured(model: torch.nn.Module, family: Family, size: int) -> dict[str, object]:
    draw, _, num = family
    random, began = Random(f"{SEED} {size}"), time.perf_counter()
    problems = [disguised(draw(size, directed, random), random) for directed in (True, False) for _ in range(num)]
    solved = {True: 0, False: 0}
    for solution in Graph().solve(model, problems):
        solved[solution.problem.directed] += solution.solved
    return {
        "size": size,
        "edges": max(len(problem.edges) for problem in problems),
        "depth": max(map(search_depth, problems)),
        "directed": f"{solved[True]} of {num}",
        "undirected": f"{solved[False]} of {num}",
        "seconds": round(time.perf_counter() - began, 1),
    }


def main(weights: str = "graph", *families: str) -> None:
    torch.set_num_threads(1)
    model, found = load(weights, Graph()).encoder, {}
    for name in families or FAMILIES:
        found[name] = []
        for size in FAMILIES[name][1]:
            found[name].append(measured(model, FAMILIES[name], size))
            print(name, found[name][-1], file=sys.stderr, flush=True)
    print(json.dumps({"benchmark": "graph_limits", "weights": weights, "right": found}))


if __name__ == "__main__":
    main(*sys.argv[1:])
