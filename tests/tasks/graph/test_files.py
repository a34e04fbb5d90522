"""Graphs in every format, with names of any kind, to problems and back; what is no unit-capacity graph is refused."""

import json
from pathlib import Path

import networkx as nx
import pytest

from apmdm.tasks.graph.files import from_networkx, read_graph, write

NAMED = nx.DiGraph([("s", "a b"), ("a b", "t#1"), ("s", 7), (7, "t#1")])


def test_networkx_graphs_of_any_names_become_problems_and_lose_the_cut() -> None:
    problem = from_networkx(NAMED, "s", 7)
    assert (problem.nodes, len(problem.edges), problem.directed) == (4, 4, True)
    assert problem.named([(problem.source, problem.target)]) == [("s", 7)]
    left = problem.without([(problem.source, problem.target)])
    assert set(left.edges) == set(NAMED.edges) - {("s", 7)}
    assert set(left) == set(NAMED)


@pytest.mark.parametrize("suffix", [".graphml", ".xml", ".json", ".txt"])
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_written_and_read_again(suffix: str, kind: type[nx.Graph], tmp_path: Path) -> None:
    graph = kind([("s", "a"), ("a", "t"), ("s", "t"), ("b", "b")])
    graph.add_node("alone")
    write(graph, tmp_path / f"graph{suffix}")
    undirected = suffix == ".txt" and not graph.is_directed()
    named = read_graph(tmp_path / f"graph{suffix}", "s", "t", undirected)
    assert named.directed == graph.is_directed()
    assert len(named.edges) == 3
    assert set(named.graph) == {"s", "a", "t", "b", "alone"}


def test_an_edge_list_has_comments_single_nodes_and_capacities(tmp_path: Path) -> None:
    (tmp_path / "graph.txt").write_text("# a graph\ns a 1\n\na t 1.00 # the last\nalone\ns t {'capacity': 1}\n")
    named = read_graph(tmp_path / "graph.txt", "s", "t", undirected=False)
    assert (named.nodes, len(named.edges)) == (4, 3)


def test_numbers_as_they_print_are_nodes_of_json(tmp_path: Path) -> None:
    data = {"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1, "target": 2}]}
    (tmp_path / "graph.json").write_text(json.dumps(data))
    named = read_graph(tmp_path / "graph.json", "1", "2", undirected=False)
    assert named.named(list(named.edges)) == [(1, 2)]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("g.txt", "s a\na t 3\n", "capacity"),
        ("g.txt", "s t\ns t\n", "parallel"),
        ("g.txt", "s a\n", "no node 't'; the nodes are s, a"),
        ("g.txt", "", "no node 's'; the nodes are none at all"),
        ("g.txt", "s t {'x'\n", "no graph"),
        ("g.json", "[1, 2", "no graph"),
        ("g.json", "[]", "no graph"),
        ("g.json", "[" * 200_000, "no graph"),
        ("g.json", '{"nodes": 3}', "no graph"),
        ("g.graphml", "<graph", "no graph"),
        ("g.graphml", "<a/>", "no graph"),
    ],
)
def test_what_is_no_graph_is_refused(name: str, text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=message):
        read_graph(tmp_path / name, "s", "t", undirected=False)


def test_both_directions_become_one_edge_without_directions(tmp_path: Path) -> None:
    (tmp_path / "g.txt").write_text("s t\nt s\n")
    assert len(read_graph(tmp_path / "g.txt", "s", "t", undirected=False).edges) == 2
    assert len(read_graph(tmp_path / "g.txt", "s", "t", undirected=True).edges) == 1


def test_missing_files_binary_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for name, message in (("none.txt", "no file"), (".", "folder"), ("binary.txt", "not a text file")):
        with pytest.raises(ValueError, match=message):
            read_graph(tmp_path / name, "s", "t", undirected=False)


def test_a_name_that_an_edge_list_cannot_hold(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no space and no #"):
        write(NAMED, tmp_path / "graph.txt")
    assert not (tmp_path / "graph.txt").exists()
