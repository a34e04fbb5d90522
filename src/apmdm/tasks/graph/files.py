"""Graphs with named nodes, from NetworkX objects and files to problems, and cut graphs back."""

import ast
import json
from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path

import networkx as nx

from apmdm.tasks.graph.problem import CutProblem, Edge


@dataclass(frozen=True, kw_only=True)
class Named(CutProblem):
    """A problem and the graph it came from; names[i] is the graph's node that the problem calls i."""

    graph: nx.Graph
    names: tuple[Hashable, ...]

    def named(self, edges: Iterable[Edge]) -> list[tuple[Hashable, Hashable]]:
        return [(self.names[tail], self.names[head]) for tail, head in edges]

    def without(self, edges: list[Edge]) -> nx.Graph:
        """A copy of the graph, with all its attributes, that lacks these edges."""
        left = self.graph.copy()
        left.remove_edges_from(self.named(edges))
        return left


def from_networkx(graph: nx.Graph, source: Hashable, target: Hashable) -> Named:
    """The problem of cutting the target off from the source; self-loops lie on no way and stay.

    Raises ValueError for a node that is not there, source = target, a capacity other than 1 and parallel edges.
    """
    for node in (source, target):
        if node not in graph:
            shown = ", ".join(map(str, list(graph)[:8])) + (", ..." if len(graph) > 8 else "")
            raise ValueError(f"there is no node {node!r}; the nodes are {shown or 'none at all'}")
    number = {node: index for index, node in enumerate(graph)}
    edges, seen = [], set()
    for tail, head, about in graph.edges(data=True):
        if not _is_one(about.get("capacity", 1)):
            raise ValueError(f"edge {tail} {head} has capacity {about['capacity']}; every edge has capacity 1 here")
        edge = number[tail], number[head]
        key = edge if graph.is_directed() else frozenset(edge)
        if key in seen and tail != head:
            raise ValueError(f"edge {tail} {head} is there twice; parallel edges have no place here")
        seen.add(key)
        if tail != head:
            edges.append(edge)
    ends = number[source], number[target]
    return Named(len(graph), edges, *ends, graph.is_directed(), graph=graph, names=tuple(graph))


def _is_one(capacity: object) -> bool:
    try:
        return float(str(capacity)) == 1
    except ValueError:
        return False


def read_graph(path: Path, source: str, target: str, undirected: bool) -> Named:
    """The problem in a file: GraphML (.graphml, .xml), node-link JSON (.json), else an edge list.

    An edge list has two names a line, after them a capacity or attributes in braces if need be; one name alone is a
    node. The first two formats say themselves whether edges are directed, those of an edge list are; `undirected`
    drops all directions, so that an edge and its reverse become one.
    Source and target are nodes as they print. Raises ValueError for a file that is none of these, and as from_networkx.
    """
    if not path.is_file():
        raise ValueError(f"there is no file {path}" if not path.exists() else f"{path} is a folder; give a file")
    readers = {".graphml": _from_graphml, ".xml": _from_graphml, ".json": _from_json}
    try:
        graph = readers.get(path.suffix.lower(), _from_lines)(path.read_text("utf-8-sig"))
    except UnicodeDecodeError:
        raise ValueError(f"{path} is not a text file") from None
    except (ValueError, SyntaxError, LookupError, TypeError, AttributeError, RecursionError, nx.NetworkXError) as error:
        raise ValueError(f"{path} is no graph: {error}") from None
    if undirected and graph.is_directed():
        graph = nx.MultiGraph(graph)
    by_text = {str(node): node for node in graph}
    return from_networkx(graph, by_text.get(source, source), by_text.get(target, target))


def write(graph: nx.Graph, path: Path) -> None:
    """Write in the format that the name asks for, as `read_graph` has them; ValueError if it cannot hold the graph."""
    try:
        match path.suffix.lower():
            case ".graphml" | ".xml":
                text = "\n".join(nx.generate_graphml(graph))
            case ".json":
                text = json.dumps(nx.node_link_data(graph, edges="edges"))
            case _:
                text = _to_lines(graph)
    except (TypeError, nx.NetworkXError) as error:
        raise ValueError(f"{path} cannot hold this graph: {error}") from None
    path.write_text(text + "\n")


def _from_graphml(text: str) -> nx.Graph:
    return nx.parse_graphml(text, force_multigraph=True)


def _from_json(text: str) -> nx.Graph:
    """With `edges`, or `links` as older versions of NetworkX have it; as a multigraph, so that no edge is lost."""
    data = json.loads(text)
    return nx.node_link_graph(data | {"multigraph": True}, edges="edges" if "edges" in data else "links")


def _from_lines(text: str) -> nx.Graph:
    graph = nx.MultiDiGraph()
    for line in text.splitlines():
        names, about = line.partition("#")[0].split(maxsplit=2), "1"
        if len(names) == 3:
            about = names.pop()
        graph.add_nodes_from(names)
        if len(names) == 2:
            graph.add_edge(*names, **(ast.literal_eval(about) if about.startswith("{") else {"capacity": about}))
    return graph


def _to_lines(graph: nx.Graph) -> str:
    if any(not str(node) or "#" in str(node) or len(str(node).split()) > 1 for node in graph):
        raise TypeError("a name in an edge list has no space and no #; .graphml and .json hold any name")
    lines = [f"{tail} {head}" for tail, head in graph.edges()]
    return "\n".join(lines + [str(node) for node in nx.isolates(graph)])
