"""A graph with a source and a target, as a sequence and back; here nodes are numbers.

The sequence is GO SRC DST E E ..., one token an edge. Who they are is in the coordinates (tail, head): those of an edge
are its ends, those of SRC and DST their node twice, GO has none.
"""

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from typing import Any

import torch

from apmdm.state import NOWHERE, Sequence
from apmdm.tasks.graph.process import VOCAB

Edge = tuple[int, int]


@dataclass(frozen=True)
class Cut:
    """Edges that were deleted, each a tuple that begins with its tail and its head, and the sum of their capacities."""

    edges: list[Any]
    size: int


@dataclass(frozen=True)
class CutProblem:
    """Edges of capacity 1 between nodes 0, 1, ..., in order; an undirected one is written either way round.

    kind: of graph, where problems are drawn of several kinds. notes: what is to be told of how it was read.
    Raises ValueError for self-loops, parallel edges, an end that is no node, or a source that is the target.
    """

    nodes: int
    edges: Seq[Edge]
    source: int
    target: int
    directed: bool
    kind: str = field(default="", compare=False)
    notes: tuple[str, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "edges", tuple(self.edges))
        if self.source == self.target:
            raise ValueError("source and target are the same node, and no cut separates a node from itself")
        if any(tail == head for tail, head in self.edges):
            raise ValueError("a problem has no self-loops")
        different = set(self.edges) if self.directed else set(map(frozenset, self.edges))
        if len(different) < len(self.edges):
            raise ValueError("a problem has no parallel edges")
        if not all(0 <= node < self.nodes for edge in (*self.edges, (self.source, self.target)) for node in edge):
            raise ValueError(f"nodes are 0 to {self.nodes - 1}")

    @property
    def space(self) -> int:
        """The length that the process reaches: three tokens, and for each edge itself and its slot."""
        return 3 + 2 * len(self.edges)

    @property
    def counts(self) -> tuple[int, int]:
        """Nodes and edges, as its user counts them."""
        return self.nodes, len(self.edges)

    @property
    def weighted(self) -> bool:
        """Whether its user counts some edges as more than one."""
        return False

    def cut(self, remaining: Iterable[Edge]) -> Cut:
        """What was deleted if these edges remain."""
        edges = sorted(set(self.edges) - set(remaining))
        return Cut(list(edges), len(edges))


def encode(problem: CutProblem) -> Sequence:
    """The state that the process starts from."""
    symbols = ["GO" if problem.directed else "GO@both", "SRC", "DST", *["E"] * len(problem.edges)]
    places = [(NOWHERE, NOWHERE), (problem.source,) * 2, (problem.target,) * 2, *problem.edges]
    return Sequence(torch.tensor(VOCAB.encode(symbols)), torch.tensor(places))


def decode(final: Sequence) -> list[Edge] | None:
    """The edges that are left, or None if the sequence is not SRC, DST and edges without flow."""
    symbols = VOCAB.decode(final.ids.tolist())
    if final.coordinates is None or symbols != ["SRC", "DST", *["E"] * (len(symbols) - 2)]:
        return None
    return [(tail, head) for tail, head in final.coordinates[2:].tolist()]
