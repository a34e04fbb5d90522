"""What a file has is read to the last edge, wherever the format lets edges stand, or the file is refused."""

import json
from pathlib import Path

import pytest
from networkx.readwrite.gexf import GEXF

from apmdm.tasks.graph.files import read_graph, text_of
from apmdm.tasks.graph.named import Named


def read(path: Path, text: str) -> Named:
    path.write_text(text)
    return read_graph(path, "s", "t", undirected=False)


NESTED_GRAPHML = """<graphml><graph edgedefault="directed">
<node id="s"/><node id="box" yfiles.foldertype="group"><graph%s><node id="a"><graph><node id="t"/></graph></node>
<node id="b"/><edge source="a" target="t"/><edge source="b" target="t"/></graph></node>
<edge source="s" target="a"/><edge source="s" target="b"/></graph></graphml>"""
NESTED_GEXF = f"""<gexf xmlns="{GEXF.versions["1.2draft"]["NS_GEXF"]}"><graph defaultedgetype="directed"><nodes>
<node id="s"/><node id="box"><nodes><node id="a"/><node id="b"/><node id="t"/></nodes><edges>
<edge id="0" source="a" target="t"/><edge id="1" source="b" target="t"/></edges></node></nodes>
<edges><edge id="2" source="s" target="a"/><edge id="3" source="s" target="b"/></edges></graph></gexf>"""


@pytest.mark.parametrize(
    ("name", "text"), [("g.graphml", NESTED_GRAPHML % ""), ("g.gexf", NESTED_GEXF)], ids=["GraphML", "GEXF"]
)
def test_nodes_and_edges_of_graphs_within_nodes_are_read(name: str, text: str, tmp_path: Path) -> None:
    problem = read(tmp_path / name, text)
    assert set(problem.graph) == {"s", "box", "a", "b", "t"}
    assert set(problem.graph.edges) == {("a", "t"), ("b", "t"), ("s", "a"), ("s", "b")}
    again = tmp_path / f"again-{name}"
    assert set(read(again, text_of(problem.graph, again)).graph.edges) == set(problem.graph.edges)


PAIR = '<node id="s"/><node id="t"/>'
TWICE = '<edge id="e" source="s" target="t"/>' * 2
IN_GML = 'node [ id 0 label "s" %s ] node [ id 1 label "t" ] edge [ source 0 target 1 ]'
EDGES_IN_JSON = {"edges": [{"source": "s", "target": "t"}]}
NODES = [{"id": "s"}, {"id": "t"}]
KEYED = {"source": "s", "target": "t", "key": "k"}


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("g.graphml", f"<graphml><graph>{PAIR}{TWICE}</graph></graphml>", "it has 2 edges, and 1 could be told apart"),
        ("g.graphml", f"<graphml><graph>{PAIR}</graph><graph>{PAIR}</graph></graphml>", "2 graphs, and one is read"),
        ("g.graphml", f"<graphml><graph>{PAIR}<node id='s'/></graph></graphml>", "two nodes have the same id"),
        ("g.graphml", NESTED_GRAPHML % ' edgedefault="undirected"', "directed=false edge"),
        ("g.gexf", NESTED_GEXF.replace('"1" source="b"', '"0" source="a"'), "4 edges, and 3 could be told apart"),
        ("g.gexf", NESTED_GEXF.replace('source="b"', 'source="B"'), "ends at 'B'"),
        ("g.gml", f"graph [ {IN_GML} ]" % f"graph [ {IN_GML % ''} ]", "node s has a graph of its own within it"),
        ("g.gml", f"graph [ {IN_GML % ''} graph [ {IN_GML % ''} ] ]", "the graph has a graph of its own within it"),
        ("g.json", json.dumps({"nodes": [{"id": "s"}, {"id": "t", **EDGES_IN_JSON}], **EDGES_IN_JSON}), "node t has a"),
        ("g.json", json.dumps({"nodes": NODES, "edges": [KEYED, KEYED]}), "and 1 could be told"),
        ("g.json", json.dumps({"nodes": NODES, "adjacency": [[{"id": "t"}] * 2, []]}), "node s has"),
        ("g.json", json.dumps({"nodes": NODES, "hyperedges": [1], **EDGES_IN_JSON}), "hyperedges"),
        ("g.paj", "*Network a\n*Vertices 1\n1 s\n*Network b\n*Vertices 1\n1 t\n", "2 networks, and one is read"),
    ],
)  # fmt: skip
def test_no_edge_of_a_file_is_dropped_without_a_word(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        read(tmp_path / name, text)


def test_an_attribute_called_key_makes_no_edges_one(tmp_path: Path) -> None:
    for name, text in (("g.csv", "source,target,key\ns,t,1\ns,t,1\n"), ("g.txt", "s t {'key': 1}\n" * 2)):
        assert len(read(tmp_path / name, text).links) == 2
