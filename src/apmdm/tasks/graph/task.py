"""Minimum cuts, learned from small graphs. The model has no absolute positions."""

import json
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from apmdm.base_task import option
from apmdm.edits import Edits
from apmdm.model.attention import BEFORE
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.outputs import writable
from apmdm.paradigms.comparison import Comparison
from apmdm.recipe import Recipe
from apmdm.sampler import Predictor, Run
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.task import Task
from apmdm.tasks.graph import files
from apmdm.tasks.graph.compare import compare_graph
from apmdm.tasks.graph.data import shapes, sized, teacher_run, training_problem, training_states
from apmdm.tasks.graph.graphs import anything
from apmdm.tasks.graph.problem import Cut, CutProblem, Edge, decode, encode
from apmdm.tasks.graph.process import NUM_HINTS, VOCAB, hints, teacher
from apmdm.tasks.graph.verify import (
    is_cut,
    is_minimum_cut,
    is_trivial,
    minimum_cut_size,
    search_depth,
)
from apmdm.training.chunked import Chunked, seed_of
from apmdm.training.progress import duration
from apmdm.training.trainer import Settings

TRAINED_LENGTH = 60
"""From this length on attention is sharpened. What dilutes it is the number of nodes in the search tree, not length."""
DEPTH, EDGES = 200, 300
"""Up to here the model in the package was measured to be right (docs/tasks.md): edges from the source, and edges."""
SECONDS = 3.4e-6
"""Of a step, for each pair of edges, on one core (docs/tasks.md)."""
PROBLEMS, PER_CHUNK = 2000, 512
"""Graphs whose states are drawn from, and batches that are drawn, before the next graphs."""
VALIDATION, VALIDATION_SEED = ((range(4, 11), 60), (range(20, 21), 60)), 7
"""Numbers of nodes, and of graphs, that periodic evaluation solves."""
SIZES = {
    "4 to 10 nodes": (range(4, 11), 10_000),
    "15 nodes": (range(15, 16), 1000),
    "20 nodes": (range(20, 21), 1000),
    "30 nodes": (range(30, 31), 1000),
    "60 nodes": (range(60, 61), 200),
}
"""Numbers of nodes, and of graphs, that a model is measured on."""
SHAPES = 500
"""Graphs of special shapes."""


@dataclass(frozen=True)
class GraphData:
    """pairs: how many pairs of positions attend to each other in a batch. Long states come in smaller batches, so that
    every batch takes about the same memory. long: the share of graphs with long ways, in which the search goes deep.
    """

    pairs: int = 150_000
    long: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.long <= 1:
            raise ValueError("data.long is a share, from 0 to 1")
        if self.pairs < 1:
            raise ValueError("data.pairs is at least 1")


@dataclass(frozen=True)
class Graph(Task):
    """Delete the fewest edges so that no path leads from the source to the target.

    An answer is the list of edges that are left. 205k parameters, trained in about an hour on one CPU core.
    """

    name = shipped = "graph"
    problem_form = (
        "a file: GraphML, GEXF, GML, JSON, Pajek, LEDA, DIMACS, TGF, graph6, CSV, an adjacency list (.adjlist) or, if "
        "nothing tells, an edge list"
    )
    vocab = VOCAB
    whole_files = True
    hints = Hints(NUM_HINTS, hints)

    source: str = option("", "Name of the node to start from, unless the file tells it.")
    target: str = option("", "Name of the node to be cut off, unless the file tells it.")
    undirected: bool = option(False, "Edges lead both ways. Edge and adjacency lists are directed else; others say it.")
    unweighted: bool = option(False, "Every edge counts as one, whatever its capacity or weight.")
    out: Path | None = option(None, "Save the graph without the cut, in the format of its name.")

    def encode(self, problem: CutProblem) -> Sequence:
        return encode(problem)

    def decode(self, final: Sequence) -> list[Edge] | None:
        return decode(final)

    def open(self, path: Path) -> list[CutProblem]:
        problem = files.read_graph(path, self.source, self.target, self.undirected, self.unweighted)
        if self.out is not None:
            files.text_of(problem.graph, writable(self.out))
        return [problem]

    def example(self, random: Random) -> tuple[str, dict[str, Any]]:
        problem = anything(8, 14, True, random)
        edges = "\n".join(f"{tail} {head}" for tail, head in problem.edges)
        return edges, {"source": str(problem.source), "target": str(problem.target)}

    def parse(self, text: str) -> CutProblem:
        raise ValueError("graphs are read from files, one each; `apmdm solve graph FILE` cuts one")

    def judge(self, problem: CutProblem, run: Run) -> tuple[list[Edge] | None, str]:
        """A graph without edges is its own answer, whatever the model makes of it."""
        return super().judge(problem, run) if problem.edges else ([], "solved")

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        places = [] if sequence.coordinates is None else sequence.coordinates.tolist()
        marked = zip(places, self.vocab.decode(sequence.ids.tolist()), strict=False)
        return {"kind": "graph", "edges": [[*place, symbol] for place, symbol in marked]}

    def problem(self, random: Random) -> CutProblem:
        return training_problem(random)

    def teacher(self, state: State) -> Edits:
        return teacher(state)

    def verify(self, problem: CutProblem, answer: list[Edge]) -> bool:
        return is_minimum_cut(problem, answer, minimum_cut_size(problem))

    def max_length(self, problems: Iterable[CutProblem]) -> int:
        """What the process needs, and no more."""
        return max((problem.space for problem in problems), default=0)

    def recipe(self) -> Recipe:
        relations = ((0, 0), (1, 1), (0, 1), (1, 0), BEFORE)
        shape = Shape(width=64, layers=4, heads=8, relations=relations, trained_length=TRAINED_LENGTH)
        return Recipe(self, shape, Settings(steps=8000, evaluate_every=2000, warmup=200, precision="auto"), GraphData())

    def batches(self, recipe: Recipe) -> Batches:
        def chunk(number: int) -> list[Sequence]:
            seed = seed_of(recipe.seed, number)
            states = training_states(PROBLEMS, seed, recipe.data.long)
            Random(seed).shuffle(states)
            return sorted(states, key=len)

        def batch(states: list[Sequence], number: int) -> Batch:
            random = Random(seed_of(recipe.seed, number))
            first = max(random.randrange(len(states)), random.randrange(len(states)))
            rows = max(1, recipe.data.pairs // len(states[first]) ** 2)
            state = State.stack(states[first : first + min(rows, 128)])
            return Batch(state, teacher(state))

        return Chunked(chunk, batch, PER_CHUNK)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        """Free-running rollouts on graphs never trained on, some of them larger than any trained on."""
        found = {}
        for nodes, num in VALIDATION:
            problems = [problem for kind in sized(nodes, num, Random(VALIDATION_SEED)).values() for problem in kind]
            solutions = list(self.solve(model, problems, device=str(model.embedding.device)))
            found[f"solved, {nodes[-1]} nodes"] = sum(s.solved for s in solutions) / len(solutions)
        return found

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[CutProblem]]]:
        """Graphs of growing size and of special shapes; `num` of each."""
        random = Random(seed)
        for name, (nodes, usual) in SIZES.items():
            yield name, [problem for kind in sized(nodes, num or usual, random).values() for problem in kind]
        yield "shapes", [problem for kind in shapes(max(num or SHAPES, 5), random).values() for problem in kind]

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        """In all, and for each property of the graphs."""
        steps, undo = teacher_run([solution.problem for solution in solutions])
        total, solved = Counter[str](), Counter[str]()
        for solution, undone in zip(solutions, undo.tolist(), strict=True):
            problem, size = solution.problem, minimum_cut_size(solution.problem)
            properties = [
                "all",
                *([problem.kind] if problem.kind else []),
                "directed" if problem.directed else "undirected",
                "trivial cut" if is_trivial(problem, size) else "cut not trivial",
                "flow taken back" if undone else "no flow taken back",
                f"flow {size}" if size < 4 else "flow 4 or more",
            ]
            total.update(dict.fromkeys(properties, 1))
            solved.update(dict.fromkeys(properties, int(solution.solved)))
        return {
            **{name: f"{solved[name]} of {number}" for name, number in sorted(total.items())},
            "mean_steps": round(sum(solution.run.time for solution in solutions) / len(solutions), 2),
            "mean_teacher_steps": round(float(steps.float().mean()), 2),
            "space_as_stated": sum(s.run.space == s.problem.space for s in solutions) / len(solutions),
            "stops": dict(Counter(solution.run.stop for solution in solutions)),
        }

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        return compare_graph(self, tokens, seed)

    def cautions(self, problem: CutProblem) -> list[str]:
        found = list(problem.notes)
        depth, edges = search_depth(problem), len(problem.edges)
        if depth > DEPTH or edges > EDGES:
            steps = (depth + 4) * (minimum_cut_size(problem) + 1)
            found.append(
                f"the search goes {depth} deep among {edges} edges; the model is known to be right up to {DEPTH} deep "
                f"and {EDGES} edges, so it may find no minimum cut; what it finds is verified, and it takes about "
                f"{duration(steps * SECONDS * edges**2)}"
            )
        return found

    def cut(self, solution: Solution) -> Cut | None:
        """What is deleted, None unless it was verified to be a minimum cut."""
        return solution.problem.cut(solution.answer) if solution.solved else None

    def told(self, problem: CutProblem) -> dict[str, Any]:
        nodes, edges = problem.counts
        return {"nodes": nodes, "edges": edges, "directed": problem.directed}

    def record(self, solution: Solution) -> dict[str, Any]:
        """A valid cut is told even if it is not minimum; then its size is more than the minimum."""
        problem, answer = solution.problem, solution.answer
        cut = problem.cut(answer) if answer is not None and is_cut(problem, answer) else None
        return self.told(problem) | {
            "cut": None if cut is None else [edge[:2] for edge in cut.edges],
            "size": None if cut is None else cut.size,
            "minimum": minimum_cut_size(problem),
        }

    def row(self, solution: Solution, seconds: float) -> str:
        problem, answer, steps = solution.problem, solution.answer, solution.run.time
        if answer is None:
            return f"no minimum cut found; stopped: {solution.run.stop} after {steps} steps"
        cut, kind = problem.cut(answer), "directed" if problem.directed else "undirected"
        if not is_cut(problem, answer):
            return f"no cut: without {len(cut.edges)} edges a path still leads to the target ({steps} steps)"
        if not cut.edges:
            along = " along directed edges" if problem.directed else ""
            return f"0 edges to delete: the target cannot be reached{along} (verified; {steps} steps)"
        edges = ", ".join(f"{shown(tail)} {shown(head)}" for tail, head, *_ in cut.edges)
        minimum = minimum_cut_size(problem)
        size = f" of capacity {cut.size}" if problem.weighted else ""
        several = f"{len(cut.edges)} of {problem.counts[1]} {kind} edges"
        if cut.size > minimum:
            return f"valid cut{size}, {several}, not minimum ({minimum}; {steps} steps): {edges}"
        return f"minimum cut{size}, {several} (verified; {steps} steps): {edges}"

    def deliver(self, solution: Solution) -> None:
        """Save the graph without the cut."""
        cut = self.cut(solution)
        if self.out is not None and cut is not None:
            self.out.write_text(files.text_of(solution.problem.without(cut), self.out), "utf-8")


def shown(name: Hashable) -> str:
    """The name of a node, in quotes if it is not one word."""
    text = str(name)
    return json.dumps(text, ensure_ascii=False) if not text or set(text) & set(' \t,"') else text


task = Graph
