"""Graphs of one word: known without a header or an ending, and told apart from names."""

from pathlib import Path

import networkx as nx
import pytest

from apmdm.tasks.graph.files import read_graph
from apmdm.tasks.graph.graph6 import from_graph6, is_graph6
from apmdm.tasks.graph.named import Named

DIGRAPH6 = "&DI?AO?"
"""Of nauty's description of its formats: 0 to 2, 0 to 4, 3 to 1, 3 to 4."""


def read(path: Path, text: str) -> Named:
    path.write_text(text)
    return read_graph(path, "0", "4", undirected=False)


@pytest.mark.parametrize("name", ["g.txt", "g", "g.g6"])
@pytest.mark.parametrize("line", ["DQc", ":DaG`n", ">>graph6<<DQc"])
def test_a_line_of_graph6_needs_neither_header_nor_ending(name: str, line: str, tmp_path: Path) -> None:
    expected = (nx.from_sparse6_bytes if line[0] == ":" else nx.from_graph6_bytes)(line.encode())  # pyrefly: ignore[bad-argument-type]
    problem = read(tmp_path / name, f"{line}\n")
    assert not problem.directed
    assert nx.utils.graphs_equal(nx.Graph(problem.graph), nx.Graph(expected))


def test_graph6_of_directed_graphs_is_read(tmp_path: Path) -> None:
    for name, text in (("g.d6", DIGRAPH6), ("g.txt", f">>digraph6<<{DIGRAPH6}")):
        problem = read(tmp_path / name, text)
        assert problem.directed
        assert set(problem.graph.edges) == {(0, 2), (0, 4), (3, 1), (3, 4)}


@pytest.mark.parametrize("nodes", [2, 5, 62, 63, 100])
def test_what_networkx_writes_is_read(nodes: int) -> None:
    graph = nx.gnp_random_graph(nodes, 0.3, seed=nodes)
    for text in (nx.to_graph6_bytes(graph, header=False), nx.to_sparse6_bytes(graph, header=False)):
        assert is_graph6(text.decode())
        assert nx.utils.graphs_equal(nx.Graph(from_graph6(text.decode()).graph), graph)


@pytest.mark.parametrize(
    "text", ["", "s\nt\n", "DQc\nt\n", "DQ", "DQd", "DQcc", "@", "s t", ":", "&", "~", ":~~~~~~~~_"]
)
def test_words_that_are_no_graph6_stay_names(text: str) -> None:
    assert not is_graph6(text)
