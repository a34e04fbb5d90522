"""Graphs with named nodes as problems: capacities become edges of capacity 1, and answers edges of the graph."""

from collections import Counter
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Any

import networkx as nx

from apmdm.tasks.graph.problem import Cut, CutProblem, Edge

MAX_EDGES = 2500
"""Edges of a problem. A step looks at all pairs of tokens, two an edge: 3 GB for these, and half a minute on a core."""
SHOWN = 4
"""Attributes that a note names."""


@dataclass(frozen=True)
class Link:
    """An edge of the graph, (tail, head) or (tail, head, key), and its ways: as many as its capacity, of one edge or of
    two with a node of their own between them. To cut it, all its ways must be cut, so minimum cuts are the same.
    """

    edge: tuple[Hashable, ...]
    ways: tuple[tuple[Edge, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Named(CutProblem):
    """A problem and the graph it came from.

    names[i]: the node of the graph that the problem calls i; further nodes are in the middle of ways. aside: how many
    edges of the graph are no links, since they are on no way from the source to the target.
    """

    graph: nx.Graph
    names: tuple[Hashable, ...]
    links: tuple[Link, ...]
    aside: int

    @property
    def counts(self) -> tuple[int, int]:
        return len(self.names), len(self.links) + self.aside

    @property
    def weighted(self) -> bool:
        return any(len(link.ways) > 1 for link in self.links)

    def cut(self, remaining: Iterable[Edge]) -> Cut:
        left = set(remaining)
        links = [link for link in self.links if not any(left.issuperset(way) for way in link.ways)]
        return Cut([link.edge for link in links], sum(len(link.ways) for link in links))

    def without(self, cut: Cut) -> nx.Graph:
        """A copy of the graph, with all its attributes, that lacks these edges."""
        left = self.graph.copy()
        left.remove_edges_from(cut.edges)
        return left


def from_networkx(
    graph: nx.Graph, source: Hashable, target: Hashable, unweighted: bool = False, notes: Iterable[str] = ()
) -> Named:
    """The problem of cutting the target off from the source.

    An edge counts by its `capacity`, else by its `weight`, else as one; with `unweighted`, as one. Parallel edges count
    each. Self-loops and edges of capacity 0 do not count. Edges on no way from the source to the target are left out of
    the problem, since no minimum cut has them. Raises ValueError for a node that is not there, source = target, a
    capacity that is no whole number, and more than MAX_EDGES edges of capacity 1.
    """
    for node in (source, target):
        if node not in graph:
            shown = ", ".join(map(str, list(graph)[:8])) + (", ..." if len(graph) > 8 else "")
            raise ValueError(f"there is no node {node!r}; the nodes are {shown or 'none at all'}")
    number = {node: index for index, node in enumerate(graph)}
    capacities = {
        edge: 1 if unweighted else _capacity(edge, about) for edge, about in _edges(graph) if edge[0] != edge[1]
    }
    counted = {edge: capacity for edge, capacity in capacities.items() if capacity}
    useful = _on_ways(graph, counted, source, target)
    capacities = {edge: capacity for edge, capacity in counted.items() if edge in useful}
    total = sum(capacities.values())
    if total > MAX_EDGES and total == len(capacities):
        raise ValueError(f"{total} of {graph.number_of_edges()} edges matter, and at most {MAX_EDGES} are possible")
    if total > MAX_EDGES:
        raise ValueError(
            f"the capacities of the edges add up to {total}, and at most {MAX_EDGES} is possible; "
            "--unweighted counts every edge as one"
        )
    notes = [*notes]
    if any(capacity > 1 for capacity in counted.values()):
        notes.append("edges count by their capacity or weight; --unweighted counts every edge as one")
    if not unweighted:
        notes += _uncounted(graph)
    if graph.is_directed() and not useful and _on_ways(graph.to_undirected(as_view=True), counted, source, target):
        notes.append("directed edges do not lead to the target; read both ways, by --undirected, they would")
    links, taken, nodes = [], set(), len(graph)
    for edge, capacity in capacities.items():
        tail, head = number[edge[0]], number[edge[1]]
        same = (tail, head) if graph.is_directed() else frozenset((tail, head))
        ways: list[tuple[Edge, ...]] = [] if same in taken else [((tail, head),)]
        taken.add(same)
        while len(ways) < capacity:
            ways.append(((tail, nodes), (nodes, head)))
            nodes += 1
        links.append(Link(edge, tuple(ways)))
    return Named(
        nodes,
        [piece for link in links for way in link.ways for piece in way],
        number[source],
        number[target],
        graph.is_directed(),
        graph=graph,
        names=tuple(graph),
        links=tuple(links),
        aside=len(counted) - len(links),
        notes=tuple(notes),
    )


def _uncounted(graph: nx.Graph) -> list[str]:
    """That numbers which every edge has are no capacities, if none has a capacity or a weight."""
    abouts = [about for _, about in _edges(graph)]
    if not abouts or any(_stated(about)[0] for about in abouts):
        return []
    names = [name for name in abouts[0] if str(name).lower() not in ("id", "key")]
    found = [str(name) for name in names if all(_is_number(about.get(name)) for about in abouts)]
    if not found:
        return []
    return [f"every edge counts as one: {', '.join(found[:SHOWN])} would count by the name of weight or capacity"]


def _is_number(value: Any) -> bool:
    try:
        return not isinstance(value, bool) and float(str(value)) >= 0
    except ValueError:
        return False


def _on_ways(
    graph: nx.Graph, edges: Iterable[tuple[Hashable, ...]], source: Hashable, target: Hashable
) -> set[tuple[Hashable, ...]]:
    """The edges on ways from the source to the target, which may pass a node twice if they are directed."""
    plain: Any = nx.DiGraph() if graph.is_directed() else nx.Graph()
    plain.add_nodes_from((source, target))
    plain.add_edges_from(edge[:2] for edge in edges)
    if source == target or not nx.has_path(plain, source, target):
        return set()
    if graph.is_directed():
        reached = nx.descendants(plain, source) | {source}
        reaching = nx.ancestors(plain, target) | {target}
        return {edge for edge in edges if edge[0] in reached and edge[1] in reaching}
    plain.add_edge(source, target)
    blocks: Any = nx.biconnected_components(plain)
    (together,) = (nodes for nodes in blocks if {source, target} <= nodes)
    return {edge for edge in edges if together.issuperset(edge[:2])}


def _edges(graph: Any) -> list[tuple[tuple[Hashable, ...], dict[Any, Any]]]:
    """The edges, with their keys if they have some, and their attributes."""
    keyed = graph.edges(keys=True) if graph.is_multigraph() else graph.edges()
    return [(edge, graph.edges[edge]) for edge in keyed]


def both_ways(graph: nx.Graph) -> tuple[nx.Graph, list[str]]:
    """The graph with edges that lead both ways, and what is to be noted; an edge and its reverse become one.

    Raises ValueError if the two have different capacities.
    """
    if not graph.is_directed():
        return graph, []
    keys = Counter[tuple[Hashable, Hashable]]()
    both: Any = nx.MultiGraph() if graph.is_multigraph() else nx.Graph()
    both.graph.update(graph.graph)
    both.add_nodes_from(graph.nodes(data=True))
    for tail, head, about in graph.edges(data=True):
        key = {"key": keys[tail, head]} if graph.is_multigraph() else {}
        keys[tail, head] += 1
        edge = (tail, head, *key.values())
        if both.has_edge(tail, head, **key) and _stated(both.edges[edge]) != _stated(about):
            raise ValueError(f"edge {tail} {head} has another capacity than its reverse, so it cannot lead both ways")
        both.add_edge(tail, head, **key, **about)
    match graph.number_of_edges() - both.number_of_edges():
        case 0:
            return both, []
        case 1:
            return both, ["1 edge stands in both directions, and counts once since edges lead both ways"]
        case merged:
            return both, [f"{merged} edges stand in both directions, and count once each since edges lead both ways"]


def _stated(about: dict[Any, Any]) -> tuple[str, Any]:
    lower = {str(name).lower(): value for name, value in about.items()}
    name = next((name for name in ("capacity", "weight") if name in lower), "")
    return name, lower.get(name, 1)


def _capacity(edge: tuple[Hashable, ...], about: dict[Any, Any]) -> int:
    name, value = _stated(about)
    try:
        number = float(str(value))
        if number >= 0 and number.is_integer():
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise ValueError(
        f"edge {edge[0]} {edge[1]} has {name} {value}; capacities are whole numbers from 0 on, and --unweighted counts "
        "every edge as one"
    )
