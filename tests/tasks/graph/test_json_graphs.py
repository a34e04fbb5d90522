"""Graphs in JSON, as many programs write it: what is read, what is told of it, and what is refused."""

import json
import re
from pathlib import Path

import pytest

from apmdm.tasks.graph.files import read_graph, text_of
from apmdm.tasks.graph.named import Named


def read(folder: Path, name: str, text: str, source: str = "s", target: str = "t") -> Named:
    path = folder / name
    path.write_text(text)
    return read_graph(path, source, target, undirected=False)


def edges_of(problem: Named) -> set[tuple[str, str]]:
    return {(str(tail), str(head)) for tail, head in problem.graph.edges()}


def test_numbers_as_they_print_are_nodes_of_json(tmp_path: Path) -> None:
    data = {"nodes": [{"id": 1}, {"id": 2}], "links": [{"source": 1, "target": 2}]}
    (link,) = read(tmp_path, "graph.json", json.dumps(data), "1", "2").links
    assert link.edge == (1, 2)


def test_links_that_count_nodes_are_taken_so_and_it_is_told(tmp_path: Path) -> None:
    nodes = [{"name": "s"}, {"name": "t"}]
    problem = read(tmp_path, "g.json", json.dumps({"nodes": nodes, "links": [{"source": 0, "target": 1}]}))
    assert edges_of(problem) == {("s", "t")}
    assert problem.notes[0] == "the links count the nodes from 0"


ELEMENTS = [
    {"data": {"id": "s"}, "position": {"x": 1, "y": 2}},
    {"group": "nodes", "data": {"id": "t", "value": 5}},
    {"data": {"source": "s", "target": "t"}},
]


@pytest.mark.parametrize("name", ["g.json", "g.txt"])
def test_elements_of_cytoscape_in_one_list_are_a_graph(name: str, tmp_path: Path) -> None:
    problem = read(tmp_path, name, json.dumps(ELEMENTS))
    bare = {"nodes": ELEMENTS[:2], "edges": ELEMENTS[2:]}
    assert edges_of(read(tmp_path, name, json.dumps(bare))) == edges_of(problem)
    assert (edges_of(problem), problem.directed, problem.graph.nodes["t"]) == ({("s", "t")}, False, {"value": 5})
    with pytest.raises(ValueError, match="an edge ends at 't', which is no node"):
        read(tmp_path, name, json.dumps([ELEMENTS[0], ELEMENTS[2]]))


def test_nodes_within_nodes_of_cytoscape_are_told_once_to_join_none(tmp_path: Path) -> None:
    inner = [{"data": {"id": name, "parent": "group"}} for name in "st"]
    elements = [{"data": {"id": "group", "parent": None}}, *inner, {"data": {"source": "group", "target": "s"}}]
    problem = read(tmp_path, "g.json", json.dumps({"directed": True, "elements": elements}))
    assert problem.notes == ("nodes lie within others: `parent` is kept as an attribute, and joins no nodes",)
    assert (edges_of(problem), problem.graph.nodes["t"]["parent"]) == ({("group", "s")}, "group")
    assert "group" in text_of(problem.graph, Path("g.json"))
    absent = [{"data": {"id": name, "parent": parent}} for name, parent in (("s", "absent"), ("t", ["s"]))]
    assert read(tmp_path, "g.json", json.dumps({"directed": True, "elements": absent})).notes == ()


def test_that_a_json_file_says_nothing_of_directions_is_told(tmp_path: Path) -> None:
    data = {"nodes": [{"id": "s"}, {"id": "t"}], "edges": [{"from": "s", "to": "t"}]}
    said = "edges lead both ways, since the file does not say `directed`"
    assert read(tmp_path, "g.json", json.dumps(data)).notes == (said,)
    assert read(tmp_path, "g.json", json.dumps(ELEMENTS)).notes == (said,)
    assert read(tmp_path, "g.json", json.dumps(data | {"directed": False})).notes == ()


def test_graphology_tells_direction_and_attributes_in_places_of_its_own(tmp_path: Path) -> None:
    nodes = [{"key": "s"}, {"key": "t", "attributes": {"colour": "red"}}]
    edges = [{"key": "e", "source": "s", "target": "t", "attributes": {"weight": 2}}]
    data = {"options": {"type": "directed", "multi": False}, "nodes": nodes, "edges": edges}
    problem = read(tmp_path, "g.json", json.dumps(data))
    assert (problem.directed, len(problem.links[0].ways)) == (True, 2)
    assert problem.graph.nodes["t"] == {"colour": "red"}


@pytest.mark.parametrize("field", ["edges", "links"])
def test_pairs_are_edges_beside_nodes_of_json(field: str, tmp_path: Path) -> None:
    data = {"directed": True, "nodes": [{"id": 1}, {"id": 2}, {"id": 0}], field: [[1, 2], {"from": 2, "to": 0}]}
    problem = read(tmp_path, "g.json", json.dumps(data), "1", "0")
    assert (edges_of(problem), problem.notes) == ({("1", "2"), ("2", "0")}, ())
    named = {"directed": True, "nodes": [{"id": "s"}, {"id": "t"}], field: [[0, 1]]}
    assert edges_of(read(tmp_path, "g.json", json.dumps(named))) == {("s", "t")}


def test_pairs_within_a_node_are_not_lost(tmp_path: Path) -> None:
    inner = {"nodes": [{"id": "a"}, {"id": "b"}], "edges": [["a", "b"]]}
    data = {"nodes": [{"id": "s", "inner": inner}, {"id": "t"}], "edges": [["s", "t"]]}
    with pytest.raises(ValueError, match="node s has a graph of its own within it"):
        read(tmp_path, "g.json", json.dumps(data))


@pytest.mark.parametrize("edge", ["[1, 2, 5]", "[1]", "3", '"s t"', "null"])
def test_an_edge_of_json_that_cannot_be_read_is_shown(edge: str, tmp_path: Path) -> None:
    message = f"an edge is an object with source and target or a list of two nodes, not {edge}"
    with pytest.raises(ValueError, match=re.escape(message)):
        read(tmp_path, "g.json", f'{{"nodes": [{{"id": 1}}, {{"id": 2}}], "edges": [[1, 2], {edge}]}}')


def test_an_object_of_another_kind_is_told_by_its_first_fields(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"it has f0, f1, f2, f3, f4, f5, f6, f7, \.\.\.; nodes with edges"):
        read(tmp_path, "g.json", json.dumps({f"f{number}": "" for number in range(400)}))
