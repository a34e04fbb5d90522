"""`apmdm solve graph` and `apmdm eval graph`: minimum cuts of a user's graph, and of many drawn ones."""

import json
import time
from collections import Counter
from pathlib import Path
from random import Random

import typer
from rich.progress import track

from apmdm import weights
from apmdm.cli import read
from apmdm.cli.solve import cost
from apmdm.tasks.graph import files
from apmdm.tasks.graph.data import shapes, sized, teacher_run
from apmdm.tasks.graph.problem import Problem, encode
from apmdm.tasks.graph.process import VOCAB
from apmdm.tasks.graph.solve import Solution, solve
from apmdm.trace import Trace

SIZES = {
    "4 to 10 nodes": (range(4, 11), 10_000),
    "15 nodes": (range(15, 16), 1000),
    "20 nodes": (range(20, 21), 1000),
    "30 nodes": (range(30, 31), 1000),
    "60 nodes": (range(60, 61), 200),
}
"""Numbers of nodes, and of graphs."""
SHAPES = 500
"""Graphs of special shapes."""


def solve_graph(
    named: files.Named, model_name: str, device: str, *, as_json: bool, out: Path | None, trace: Path | None
) -> bool:
    """Print the edges of a minimum cut, save the graph without them; True if the cut was found and verified."""
    model, problem = weights.load(model_name, VOCAB).to(device), named.problem
    solution = next(solve(model, [problem], record=True, device=device))
    run, deleted = solution.run, solution.deleted
    if trace is not None:
        trace.write_text(_trace(solution).to_json())
    cut = None if deleted is None else named.named(deleted)
    if out is not None and deleted is not None:
        files.write(named.without(deleted), out)
    if as_json:
        answer = {"nodes": problem.nodes, "edges": len(problem.edges), "directed": problem.directed, "cut": cut}
        typer.echo(json.dumps(answer | {"verified": cut is not None} | cost(run), default=str))
    elif cut is None:
        typer.echo(f"no minimum cut found; stopped: {run.stop} after {run.time} steps")
    elif not cut:
        typer.echo(f"0 edges to delete: the target cannot be reached (verified; {run.time} steps)")
    else:
        edges = ", ".join(f"{tail} {head}" for tail, head in cut)
        typer.echo(f"minimum cut, {len(cut)} of {len(problem.edges)} edges (verified; {run.time} steps): {edges}")
    return cut is not None


def _trace(solution: Solution) -> Trace:
    start = encode(solution.problem)
    assert start.coordinates is not None
    about = {"task": "graph", "status": "unsolved" if solution.deleted is None else "solved"}
    places = tuple(map(tuple, start.coordinates.tolist()))
    return Trace(VOCAB, solution.run.steps, tuple(solution.run.final.ids.tolist()), places, about)


def evaluate_graph(data: Path | None, model_name: str, device: str, seed: int) -> dict[str, object]:
    """Freshly drawn graphs of growing size and of special shapes, every cut verified by NetworkX."""
    if data is not None:
        raise ValueError("eval graph draws its graphs itself; leave --data out, and use solve graph for a file")
    model, random, began = weights.load(model_name, VOCAB).to(device), Random(seed), time.perf_counter()
    found: dict[str, object] = {}
    sets = {name: lambda nodes=nodes, num=num: sized(nodes, num, random) for name, (nodes, num) in SIZES.items()}
    for name, draw in (sets | {"shapes": lambda: shapes(SHAPES, random)}).items():
        kinds = draw()
        problems = [problem for kind in kinds.values() for problem in kind]
        runs = track(solve(model, problems, device=device), name, len(problems), console=read.stderr())
        found[name] = tally(kinds, sorted(runs, key=lambda solution: solution.run.index))
    return found | {"parameters": model.num_parameters(), "seconds": round(time.perf_counter() - began, 1)}


def tally(kinds: dict[str, list[Problem]], solutions: list[Solution]) -> dict[str, object]:
    """What came of the problems, kind by kind in their order: in all, and for each property of the graphs."""
    steps, undo = teacher_run([solution.problem for solution in solutions])
    names = [kind for kind, problems in kinds.items() for _ in problems]
    total, solved = Counter[str](), Counter[str]()
    for solution, kind, undone in zip(solutions, names, undo.tolist(), strict=True):
        properties = [
            "all",
            kind,
            "directed" if solution.problem.directed else "undirected",
            "trivial cut" if solution.trivial else "cut not trivial",
            "flow taken back" if undone else "no flow taken back",
            f"flow {solution.size}" if solution.size < 4 else "flow 4 or more",
        ]
        total.update(dict.fromkeys(properties, 1))
        solved.update(dict.fromkeys(properties, int(solution.deleted is not None)))
    return {
        **{name: f"{solved[name]} of {number}" for name, number in sorted(total.items())},
        "mean_steps": round(sum(solution.run.time for solution in solutions) / len(solutions), 2),
        "mean_teacher_steps": round(float(steps.float().mean()), 2),
        "space_as_stated": sum(s.run.space == s.problem.space for s in solutions) / len(solutions),
        "stops": dict(Counter(solution.run.stop for solution in solutions)),
    }
