"""Where the nodes of a graph are drawn."""

from collections.abc import Iterable

import networkx as nx

MOST = 400
"""Nodes that springs are tried on; more are put on a circle."""


def layout(edges: Iterable[tuple[int, ...]]) -> dict[str, list[float]]:
    """For every node x and y from 0 to 1. edges: (tail, head); a negative number is no node."""
    graph = nx.Graph()
    for tail, head in edges:
        graph.add_nodes_from(node for node in (tail, head) if node >= 0)
        if tail >= 0 and head >= 0:
            graph.add_edge(tail, head)
    if len(graph) == 1:
        return {str(node): [0.5, 0.5] for node in graph}
    spread = nx.spring_layout(graph, seed=1, iterations=200) if len(graph) <= MOST else nx.circular_layout(graph)
    columns = list(zip(*spread.values(), strict=True)) or [(0.0,), (0.0,)]
    low, size = [min(column) for column in columns], [max(column) - min(column) or 1.0 for column in columns]
    return {
        str(node): [round(float((x - low[0]) / size[0]), 3), round(float((y - low[1]) / size[1]), 3)]
        for node, (x, y) in spread.items()
    }
