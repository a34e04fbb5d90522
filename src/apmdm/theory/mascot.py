"""`apmdm theory mascot`: one question about one graph, asked of a theorem, of its weights, and of a trained model."""

import json
from random import Random

import typer

from apmdm import weights
from apmdm.sampler import Predictor
from apmdm.tasks.graph.problem import CutProblem
from apmdm.tasks.graph.task import Graph
from apmdm.theory.programs import ENTRIES, LABELS, edges_of, hooking
from apmdm.theory.simulate import Form, simulate

ROW = "{:<44} {:>9} {:>8} {:>8} {:>10}"


def mascot(n: int, seed: int, as_json: bool) -> bool:
    """Whether vertices 0 and n - 1 are connected: time, space and work of everything that can tell; True if all agree.

    Work is the sum of the lengths over the steps, for the interpreter processors times steps. A minimum cut says that
    there is no way if it deletes nothing.
    """
    if not 2 <= n <= 8:
        raise ValueError(f"the mascot is a graph of 2 to 8 vertices, not {n}")
    edges, mode = edges_of(Random(seed), n), ENTRIES["connectivity_hooking"].mode
    problem, task = hooking(n, edges), Graph()
    rows: list[tuple[str | bool | int | None, ...]] = []
    if not as_json:
        typer.echo(f"{n} vertices, edges {' '.join(f'{u}-{v}' for u, v in edges)}: is 0 connected to {n - 1}?")
        typer.echo(ROW.format("", "connected", "time", "space", "work"))

    def found(name: str, connected: bool | None, *costs: int) -> None:
        rows.append((name, connected, *costs))
        if not as_json:
            typer.echo(ROW.format(name, {True: "yes", False: "no", None: "failed"}[connected], *costs))

    def program(name: str, form: Form, *, compiled: bool = False) -> None:
        outcome = simulate(problem.job, form, mode, weights=compiled)
        labels = outcome.memory[LABELS:]
        work = problem.job.processors * outcome.steps if outcome.run is None else outcome.run.work
        connected = labels[0] == labels[n - 1] if problem.holds(outcome.memory) else None
        found(name, connected, outcome.steps, outcome.context, work)

    def cut(name: str, model: Predictor) -> None:
        (solution,) = task.solve(model, [CutProblem(n, edges, 0, n - 1, directed=False)])
        deleted, run = task.cut(solution), solution.run
        found(name, None if deleted is None else deleted.size > 0, run.time, run.space, run.work)

    program("PRAM, hooking and jumping (memory, registers)", "pram")
    program("theorem 1: the same as write-once MDM", "mdm")
    program("theorem 4: the same as AP-MDM, in place", "ap-mdm")
    program("theorem 4: sparse memory", "sparse")
    program("theorem 4: in place, compiled to weights", "ap-mdm", compiled=True)
    cut("minimum cut, the process", task.teacher)
    cut("minimum cut, the trained model", weights.load_encoder(task.name, task.vocab))
    if as_json:
        fields = ("what", "connected", "time", "space", "work")
        typer.echo(json.dumps([dict(zip(fields, row, strict=True)) for row in rows]))
    return len({row[1] for row in rows}) == 1
