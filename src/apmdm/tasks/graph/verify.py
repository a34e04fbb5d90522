"""Whether a set of remaining edges is a graph after a minimum cut, asked of NetworkX alone."""

from collections.abc import Sequence

import networkx as nx

from apmdm.tasks.graph.problem import CutProblem, Edge


def minimum_cut_size(problem: CutProblem) -> int:
    """The least number of edges whose deletion cuts the target off."""
    graph = _graph(problem, problem.edges)
    return int(nx.maximum_flow_value(graph, problem.source, problem.target, capacity="capacity"))


def is_trivial(problem: CutProblem, size: int) -> bool:
    """True if all edges out of the source, or all into the target, are a minimum cut of this size."""
    ends = problem.source, problem.target
    touching = [[edge for edge in problem.edges if end in edge] for end in ends]
    if problem.directed:
        touching = [[edge for edge in problem.edges if edge[side] == end] for side, end in enumerate(ends)]
    return size in map(len, touching)


def is_minimum_cut(problem: CutProblem, remaining: list[Edge], size: int) -> bool:
    """True if the remaining edges are the problem's but `size` of them, and none of them is on a way to the target."""
    return is_cut(problem, remaining) and len(problem.edges) - len(remaining) == size


def is_cut(problem: CutProblem, remaining: list[Edge]) -> bool:
    """True if the remaining edges are some of the problem's, and none of them is on a way to the target."""
    kept = set(remaining) <= set(problem.edges) and len(remaining) == len(set(remaining))
    return kept and not nx.has_path(_graph(problem, remaining), problem.source, problem.target)


def search_depth(problem: CutProblem) -> int:
    """How many edges the first search goes from the source: to the target, or as far as it can."""
    depths = nx.single_source_shortest_path_length(_graph(problem, problem.edges), problem.source)
    return depths.get(problem.target, max(depths.values()))


def _graph(problem: CutProblem, edges: Sequence[Edge]) -> nx.Graph:
    graph = nx.DiGraph() if problem.directed else nx.Graph()
    graph.add_nodes_from(range(problem.nodes))
    graph.add_edges_from(edges, capacity=1)
    return graph
