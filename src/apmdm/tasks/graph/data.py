"""What the model is trained on, small graphs and some with long ways, and the sets that it is measured on."""

from collections.abc import Callable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import replace
from random import Random

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from apmdm.state import Sequence, State, same_rows
from apmdm.step import transition
from apmdm.tasks.graph.graphs import (
    MIN_DETOUR_NODES,
    anything,
    bottleneck,
    detours,
    disguised,
    grid,
    layered,
    pairs,
)
from apmdm.tasks.graph.problem import CutProblem, encode
from apmdm.tasks.graph.process import BOTH, CUT, EDGES, GO, MARKS, B, E, F, among, partners, teacher
from apmdm.tasks.graph.verify import is_trivial, minimum_cut_size
from apmdm.vocab import MASK

MIN_NODES, MAX_NODES = 4, 10
LONG_NODES = 60
"""The most nodes of a graph with long ways."""
SCRAMBLED = 0.2
"""Share of the training states that come once more with random slots and edges."""
SMALL_LAYERS = (1, 8), (2, 4), (2, 3), (3, 2), (4, 2), (8, 1)
"""Layers and their width, for at most MAX_NODES nodes."""
AT_ONCE = 1024


def teacher_path(state: State) -> Iterator[tuple[State, Int[Tensor, "rows"]]]:
    """The states that the teacher meets from each row of a state to its fixed point, with the numbers of the rows."""
    rows = torch.arange(len(state))
    while len(rows):
        yield state, rows
        following = transition(state, teacher(state))
        moved = ~same_rows(state, following)
        state, rows = following[moved], rows[moved]


def teacher_run(problems: Seq[CutProblem]) -> tuple[Int[Tensor, "N"], Bool[Tensor, "N"]]:
    """The teacher's steps, and whether it takes flow back on its way to the target."""
    steps, undo = torch.zeros(len(problems), dtype=torch.long), torch.zeros(len(problems), dtype=torch.bool)
    for first in range(0, len(problems), AT_ONCE):
        for state, rows in teacher_path(
            State.stack([encode(problem) for problem in problems[first : first + AT_ONCE]])
        ):
            steps[first + rows] += 1
            back = (state.ids == MASK) & among(partners(state), B)
            undo[first + rows] |= back.any(1) & among(state.ids, [GO, BOTH]).any(1)
    return steps - 1, undo


def training_problem(random: Random) -> CutProblem:
    """A graph of any kind, sparse or dense, of at most MAX_NODES nodes."""
    nodes, directed = random.randint(MIN_NODES, MAX_NODES), random.random() < 0.5
    most = len(pairs(range(nodes), directed))
    edges = random.randint(nodes - 1, most if random.random() < 0.3 else min(most, 3 * nodes))
    kinds: tuple[Callable[[], CutProblem], ...] = (
        lambda: anything(nodes, edges, directed, random),
        lambda: bottleneck(nodes, edges, random.randint(0, 4), directed, random),
        lambda: detours(max(nodes, MIN_DETOUR_NODES), min(edges, 3 * nodes), directed, random),
        lambda: layered(*random.choice(SMALL_LAYERS), directed, random),
    )
    return disguised(random.choices(kinds, (0.3, 0.25, 0.3, 0.15))[0](), random)


def long_problem(random: Random) -> CutProblem:
    """A graph of up to LONG_NODES nodes in which the search goes deep: a path, a ladder, a narrow grid, a cycle or a
    sparse graph; or, now and then, a graph without edges.
    """
    nodes, directed = random.randint(12, LONG_NODES), random.random() < 0.5
    around = [(node, (node + 1) % nodes) for node in range(nodes)]
    kinds: tuple[Callable[[], CutProblem], ...] = (
        lambda: grid(1, nodes, directed, random),
        lambda: grid(2, nodes // 2, directed, random),
        lambda: grid(3, nodes // 3, directed, random),
        lambda: CutProblem(nodes, around, 0, random.randrange(1, nodes), directed),
        lambda: anything(nodes, random.randint(nodes, 2 * nodes), directed, random),
        lambda: CutProblem(2, [], 0, 1, directed),
    )
    return disguised(random.choices(kinds, (0.2, 0.2, 0.1, 0.1, 0.3, 0.1))[0](), random)


def training_states(num_problems: int, seed: int, long: float = 0.0) -> list[Sequence]:
    """Every state of the teacher's on these many graphs and, of a share SCRAMBLED, a scrambled copy.

    long: about the share of graphs with long ways.
    """
    random, generator = Random(seed), torch.Generator().manual_seed(seed)
    num_long = round(long * num_problems)
    problems = [training_problem(random) for _ in range(num_problems - num_long)]
    problems += [long_problem(random) for _ in range(num_long)]
    states: list[Sequence] = []
    for state, _ in teacher_path(State.stack([encode(problem) for problem in problems])):
        copied = state[torch.rand(len(state), generator=generator) < SCRAMBLED]
        for rows in (state, scrambled(copied, generator)):
            states += map(rows.sequence, range(len(rows)))
    return states


def scrambled(state: State, random: torch.Generator) -> State:
    """Edges and slots overwritten by any others, each row at its own rate and with tokens of its own that are frequent;
    the teacher knows what to do there too. Only behind a mark or a CUT an edge is ever masked.
    """
    hit = torch.rand(state.ids.shape, generator=random) < torch.rand(len(state), 1, generator=random) ** 2
    edge, slot = among(state.ids, EDGES), among(partners(state), EDGES)
    ids = torch.where(hit & slot, _any_of([MASK, *MARKS, CUT], state, random), state.ids)
    edges = _any_of([E, *F, MASK], state, random)
    beside = partners(State(ids, state.lengths, state.coordinates))
    edges = edges.where((edges != MASK) | among(beside, [*MARKS, CUT]), E)
    return State(torch.where(hit & edge, edges, ids), state.lengths, state.coordinates)


def _any_of(tokens: list[int], state: State, random: torch.Generator) -> Int[Tensor, "N L"]:
    shares = torch.rand(len(state), len(tokens), generator=random) ** 4
    return torch.tensor(tokens)[torch.multinomial(shares, state.ids.shape[1], replacement=True, generator=random)]


def sized(nodes: range, num: int, random: Random) -> dict[str, list[CutProblem]]:
    """A third each: uniform graphs, bottlenecks (the minimum cut is not all edges of source or target), and graphs in
    which the teacher takes flow back; with 1 to 4 edges a node, 5 from 60 nodes on, and as many directed as not.
    """

    def draw(kind: str, directed: bool) -> CutProblem:
        size = random.choice([size for size in nodes if size >= MIN_DETOUR_NODES or kind == "uniform"])
        edges = 5 * size if size >= 60 else random.randint(size, 4 * size)
        if kind == "bottleneck":
            return bottleneck(size, edges, random.randint(1, 4), directed, random)
        return (detours if kind == "undo" else anything)(size, edges, directed, random)

    def wanted(kind: str, problems: list[CutProblem]) -> list[bool]:
        if kind == "undo":
            return teacher_run(problems)[1].tolist()
        return [kind == "uniform" or not is_trivial(problem, minimum_cut_size(problem)) for problem in problems]

    return _disguised({"uniform": num - 2 * (num // 3), "bottleneck": num // 3, "undo": num // 3}, draw, wanted, random)


def shapes(num: int, random: Random) -> dict[str, list[CutProblem]]:
    """A fifth each: grids up to 6x6, layered graphs, paths of 40 nodes, complete graphs of 12, disconnected graphs."""

    def draw(kind: str, directed: bool) -> CutProblem:
        match kind:
            case "grid":
                return grid(random.randint(2, 6), random.randint(2, 6), directed, random)
            case "layered":
                return layered(random.randint(2, 6), random.randint(2, 5), directed, random)
            case "path":
                return grid(1, 40, directed, random)
            case "complete":
                return anything(12, 12 * 11, directed, random)
            case _:
                nodes = random.randint(10, 30)
                return bottleneck(nodes, 3 * nodes, 0, directed, random)

    kinds: tuple[str, ...] = "grid", "layered", "path", "complete", "disconnected"
    return _disguised(dict.fromkeys(kinds, num // 5), draw, lambda kind, problems: [True] * len(problems), random)


def _disguised(
    numbers: dict[str, int],
    draw: Callable[[str, bool], CutProblem],
    wanted: Callable[[str, list[CutProblem]], list[bool]],
    random: Random,
) -> dict[str, list[CutProblem]]:
    """Of each kind that many problems, in turn directed and not, the first ones drawn that are wanted."""
    found: dict[str, list[CutProblem]] = {}
    for kind, num in numbers.items():
        halves = []
        for directed in (True, False):
            half: list[CutProblem] = []
            while len(half) < (num + directed) // 2:
                drawn = [replace(disguised(draw(kind, directed), random), kind=kind) for _ in range(64)]
                half += [problem for problem, keep in zip(drawn, wanted(kind, drawn), strict=True) if keep]
            halves += half[: (num + directed) // 2]
        found[kind] = halves
    return found
