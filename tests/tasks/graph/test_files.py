"""Graphs in every format, with names of any kind, to problems and back; what is no graph is refused."""

import io
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import networkx as nx
import pytest

from apmdm.tasks.graph.files import read_graph, text_of
from apmdm.tasks.graph.named import Named

FOREIGN = Path(__file__).parents[4] / "shared" / "data" / "foreign"
ROUTE = nx.DiGraph([("s", "a"), ("a", "t"), ("s", "b"), ("b", "t"), ("b", "a")])


def read(
    folder: Path, name: str, text: str | bytes, source: str = "s", target: str = "t", *, undirected: bool = False
) -> Named:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_graph(path, source, target, undirected)


def edges_of(problem: Named) -> set[tuple[str, str]]:
    return {(str(tail), str(head)) for tail, head in problem.graph.edges()}


def in_memory(write: Callable[[nx.Graph, io.BytesIO], None], graph: nx.Graph) -> str:
    file = io.BytesIO()
    write(graph, file)
    return file.getvalue().decode()


LEDA = "LEDA.GRAPH\nstring\nstring\n-1\n4\n|{s}|\n|{a}|\n|{t}|\n|{b}|\n5\n" + "".join(
    f"{edge} 0 |{{}}|\n" for edge in ("1 2", "2 3", "1 4", "4 3", "4 2")
)
TGF = "s start\na\nt\nb Bob\n#\ns a\na t\ns b\nb t\nb a\n"
PAJEK = '*Vertices 4\n1 "s"\n2 "a"\n3 t\n4 b 0.1 0.2 0.5\n% arcs\n*Edges\n*Arcs\n1 2\n2 3 1\n1 4\n4 3\n4 2\n'
CSV = "Source,Target,Label\ns,a,\na,t,x\ns,b,y\nb,t,\nb,a,\n"
ADJACENCY = "s a b\na t\nb t a\nt\n"
WRITTEN_BY_NETWORKX = {
    "g.edgelist": in_memory(nx.write_edgelist, ROUTE),
    "g.adjlist": in_memory(nx.write_adjlist, ROUTE),
    "multi.adjlist": in_memory(nx.write_multiline_adjlist, ROUTE),
    "g.graphml": in_memory(nx.write_graphml, ROUTE),
    "g.gexf": in_memory(nx.write_gexf, ROUTE),
    "g.gml": in_memory(nx.write_gml, ROUTE),
    "g.net": in_memory(nx.write_pajek, ROUTE),
    "edges.json": json.dumps(nx.node_link_data(ROUTE, edges="edges")),
    "links.json": json.dumps(nx.node_link_data(ROUTE, edges="links")),
    "adjacency.json": json.dumps(nx.adjacency_data(ROUTE)),
    "cytoscape.json": json.dumps(nx.cytoscape_data(ROUTE)),
}
OTHERS = {
    "g.lgr": LEDA,
    "g.tgf": TGF,
    "vertices.net": PAJEK,
    "g.csv": CSV,
    "plain.adjlist": ADJACENCY,
    "colons.adjlist": "s: a b\na: t\nb: t a\nt:\n",
    "semicolons.txt": "s;a\na;t\ns;b\nb;t\nb;a\n",
    "percent.txt": "% sym\n# more\ns a\na t\r\ns b\n\nb t\nb a # the last\n",
    "columns.edges": "from\tto\ns\ta\na\tt\ns\tb\nb\tt\nb\ta\n",
    "id.json": json.dumps({"directed": True, "elements": {"nodes": [{"data": {"id": n}} for n in ROUTE], "edges": [
        {"data": {"source": tail, "target": head}} for tail, head in ROUTE.edges]}}),
    "one_list.json": json.dumps({"directed": True, "elements": [{"data": {"id": n, "value": 1}} for n in ROUTE] + [
        {"data": {"source": tail, "target": head}} for tail, head in ROUTE.edges]}),
    "edges_alone.json": json.dumps([{"from": tail, "to": head} for tail, head in ROUTE.edges]),
    "jgf.json": json.dumps({"graph": {"nodes": {n: {"label": "x"} for n in ROUTE}, "edges": [
        {"source": tail, "target": head} for tail, head in ROUTE.edges]}}),
    "graphlib.json": json.dumps({"options": {"directed": True, "multigraph": False}, "nodes": [
        {"id": n} for n in ROUTE], "edges": [{"from": tail, "to": head} for tail, head in ROUTE.edges]}),
}  # fmt: skip


@pytest.mark.parametrize("name", [*WRITTEN_BY_NETWORKX, *OTHERS])
def test_every_format_is_read(name: str, tmp_path: Path) -> None:
    problem = read(tmp_path, name, (WRITTEN_BY_NETWORKX | OTHERS)[name])
    assert problem.directed
    assert edges_of(problem) == set(ROUTE.edges)


@pytest.mark.parametrize("name", ["g.graphml", "g.gexf", "g.gml", "g.net", "g.lgr", "edges.json", "id.json"])
def test_a_format_is_known_by_its_beginning_where_the_name_tells_nothing(name: str, tmp_path: Path) -> None:
    problem = read(tmp_path, "graph.txt", (WRITTEN_BY_NETWORKX | OTHERS)[name])
    assert edges_of(problem) == set(ROUTE.edges)
    assert problem.notes[0].startswith("read as ")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_no_part_of_a_name(encoding: str, tmp_path: Path) -> None:
    for name, text in (WRITTEN_BY_NETWORKX | OTHERS).items():
        assert edges_of(read(tmp_path, name, text.encode(encoding))) == set(ROUTE.edges)


def test_directions_are_those_of_the_file_where_it_knows_them(tmp_path: Path) -> None:
    graph = nx.Graph(ROUTE)
    for write, name in ((nx.write_graphml, "g.graphml"), (nx.write_gml, "g.gml"), (nx.write_gexf, "g.gexf")):
        assert not read(tmp_path, name, in_memory(write, graph)).directed
    assert not read(tmp_path, "g.net", PAJEK.replace("*Edges\n*Arcs", "*Edges")).directed
    assert not read(tmp_path, "g.csv", "source,target,type\ns,t,Undirected\n").directed
    assert not read(tmp_path, "g.g6", nx.to_graph6_bytes(nx.path_graph(5)).decode(), "0", "4").directed
    assert not read(tmp_path, "g.s6", nx.to_sparse6_bytes(nx.path_graph(5)).decode(), "0", "4").directed
    assert not read(tmp_path, "g.col", "p edge 3 2\ne 1 2\ne 2 3\n", "1", "3").directed


def test_dimacs_names_the_source_and_the_target(tmp_path: Path) -> None:
    text = "c comment\np max 4 5\nn 1 s\nn 4 t\na 1 2 1\na 1 3 2\na 2 4 1\na 3 4 1\na 2 3 1\n"
    problem = read(tmp_path, "g.max", text, "", "")
    assert (problem.source, problem.target, problem.counts, len(problem.edges)) == (0, 3, (4, 5), 7)
    assert problem.notes[:2] == ("the source is 1, as the file says", "the target is 4, as the file says")
    assert read(tmp_path, "g.txt", text, "", "3").target == 2


@pytest.mark.parametrize("edges", ["*Edges\n1 3\n2 3\n2 4\n", "*Matrix\n1 0\n1 1\n"])
def test_vertices_of_two_modes_are_vertices(edges: str, tmp_path: Path) -> None:
    problem = read(tmp_path, "g.net", f'*Vertices 4 2\n1 "s"\n2 "a"\n3 "b"\n4 "t"\n{edges}')
    assert (problem.directed, set(problem.graph)) == (False, {"s", "a", "b", "t"})
    assert edges_of(problem) == {("s", "b"), ("a", "b"), ("a", "t")}


@pytest.mark.parametrize("directed", [0, 1])
def test_parallel_edges_of_gml_need_no_word_that_says_so(directed: int, tmp_path: Path) -> None:
    nodes = "".join(f'node [ id {number} label "{name}" ]\n' for number, name in enumerate("st"))
    edges = "edge [ source 0 target 1 ]\n" * 2
    problem = read(tmp_path, "g.gml", f'Creator "me"\ngraph\n[\n  directed {directed}\n{nodes}{edges}]\n')
    assert (problem.directed, problem.counts) == (bool(directed), (2, 2))


GRAPHML = (
    WRITTEN_BY_NETWORKX["g.graphml"].partition("<graph ")[0]
    + """
<key id="a" for="node" attr.name="seen" attr.type="boolean"><default> false </default></key>
<key id="b" for="edge" attr.name="weight" attr.type="double"/>
<key id="c" for="node" attr.name="title" attr.type="string"/>
<key id="d" for="node" attr.name="style"/>
<graph edgedefault="directed">
<node id="s"><data key="a">\n true </data><data key="c"> a b </data>%s</node><node id="t"/>
<edge source="s" target="t"><data key="b"> 2.0  </data></edge>
</graph></graphml>"""
)


def test_blanks_around_numbers_and_truth_values_of_graphml_are_no_part_of_them(tmp_path: Path) -> None:
    problem = read(tmp_path, "g.graphml", GRAPHML % "")
    assert dict(problem.graph.nodes(data=True)) == {"s": {"seen": True, "title": " a b "}, "t": {}}
    assert problem.graph.graph["node_default"] == {"seen": False}
    assert [len(link.ways) for link in problem.links] == [2]


@pytest.mark.parametrize("drawing", ['<data key="d"><x:box xmlns:x="urn:x"/></data>', '<port name="p"/>' * 20])
def test_drawings_in_graphml_are_told_once_to_be_lost(
    drawing: str, tmp_path: Path, recwarn: pytest.WarningsRecorder
) -> None:
    problem = read(tmp_path, "g.graphml", GRAPHML % drawing)
    assert [note.partition(" in this file")[0] for note in problem.notes][:1] == ["drawings and ports"]
    assert not any("drawings" in note for note in read(tmp_path, "g.graphml", GRAPHML % "").notes)
    assert not recwarn.list


GXL = '<gxl xmlns:xlink="urn:x">\n<graph id="g"><node id="s"/>, and\n</graph></gxl>\n'


@pytest.mark.parametrize("name", ["g.gxl", "g.xml", "g.graphml", "g.txt", "g"])
@pytest.mark.parametrize("before", ['<?xml version="1.0"?>\n', "<!DOCTYPE gxl>\n", "<!-- 1, 2 -->\n", ""])
def test_xml_of_another_kind_is_told_to_be_xml_whatever_its_name(name: str, before: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as XML: its outermost element is <gxl>, which is neither GraphML nor GEXF"):
        read(tmp_path, name, before + GXL)


def test_names_in_angle_brackets_are_no_xml(tmp_path: Path) -> None:
    assert edges_of(read(tmp_path, "g.txt", "<s> <a>\n<a> <t>\n", "<s>", "<t>")) == {("<s>", "<a>"), ("<a>", "<t>")}


@pytest.mark.parametrize("name", ["g.graphml", "g.xml", "g.txt"])
def test_graphml_behind_a_long_comment_is_graphml(name: str, tmp_path: Path) -> None:
    text = re.sub("(?=<graphml)", f"<!--{'long' * 9999}-->", WRITTEN_BY_NETWORKX["g.graphml"])
    assert edges_of(read(tmp_path, name, text)) == set(ROUTE.edges)


def test_names_with_blanks_quotes_and_separators(tmp_path: Path) -> None:
    assert edges_of(read(tmp_path, "g.txt", '"new york" b\nb "c,d"\n', "new york", "b")) == {
        ("new york", "b"),
        ("b", "c,d"),
    }
    assert edges_of(read(tmp_path, "g.txt", "new york,b\nb,c\n", "b", "c")) == {("new york", "b"), ("b", "c")}
    assert edges_of(read(tmp_path, "g.csv", 'a,"say ""hi"", you"\n', "a", 'say "hi", you')) == {("a", 'say "hi", you')}


def test_columns_of_numbers_are_capacities_and_it_is_told(tmp_path: Path) -> None:
    problem = read(tmp_path, "g.txt", "s a 2\na t 3\n")
    assert [len(link.ways) for link in problem.links] == [2, 3]
    assert problem.notes[0] == "the third column holds the capacities of edges"
    assert read_graph(tmp_path / "g.txt", "s", "t", False, unweighted=True).notes == ()
    problem = read(tmp_path, "g.csv", "source,target,colour,weight\ns,t,red,2\n")
    assert problem.graph.edges["s", "t"] == {"colour": "red", "weight": 2}
    assert [len(link.ways) for link in read(tmp_path, "g.tgf", "s\nt\n#\ns t 2\n").links] == [2]


def test_empty_fields_at_the_end_of_a_line_are_no_names(tmp_path: Path) -> None:
    problem = read(tmp_path, "g.csv", "s,a,\na,t,2\nb,\nc,,\n")
    assert set(problem.graph) == {"s", "a", "t", "b", "c"}
    assert problem.counts == (5, 2)


@pytest.mark.parametrize("name", ["g.graphml", "g.gml", "g.gexf", "edges.json"])
def test_numbers_of_edges_that_are_no_capacities_are_told(name: str, tmp_path: Path) -> None:
    graph = nx.DiGraph()
    graph.add_edge("s", "t", value=3, colour="red", id=7)
    write = {"g.graphml": nx.write_graphml, "g.gml": nx.write_gml, "g.gexf": nx.write_gexf}.get(name)
    text = in_memory(write, graph) if write else json.dumps(nx.node_link_data(graph, edges="edges"))
    problem = read(tmp_path, name, text)
    assert problem.notes == ("every edge counts as one: value would count by the name of weight or capacity",)
    assert read_graph(tmp_path / name, "s", "t", undirected=False, unweighted=True).notes == ()


@pytest.mark.parametrize("header", ["Origin,Destination", "start,end", "parent,child"])
def test_columns_of_ends_are_known_by_other_names(header: str, tmp_path: Path) -> None:
    problem = read(tmp_path, "g.csv", f"{header},count\ns,t,2\n")
    assert problem.graph.edges["s", "t"] == {"count": "2"}
    note = "every edge counts as one: count would count by the name of weight or capacity"
    assert problem.notes == (note,)
    assert not read(tmp_path, "g.csv", f"{header},weight,count\ns,t,2,3\n").notes[1:]


def test_an_edge_list_has_comments_single_nodes_and_capacities(tmp_path: Path) -> None:
    named = read(tmp_path, "graph.txt", "# a graph\ns a 1\n\na t 1.00 # the last\nalone\ns t {'capacity': 1}\n")
    assert named.counts == (4, 3)


def nodes_and(*edges: tuple[object, object], ids: tuple[object, ...] = ("s", "a", "t"), **more: object) -> str:
    listed = [{"source": source, "target": target} for source, target in edges]
    return json.dumps({"directed": True, "nodes": [{"id": one} for one in ids], "edges": listed} | more)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("g.json", nodes_and(("s", "a"), ("A", "t")), "an edge ends at 'A', which is no node"),
        ("g.json", nodes_and(("1", 2), ids=(1, 2)), "'1', which is no node of the file, but one that prints the same"),
        ("g.json", nodes_and(ids=("s", "s", "t")), "two nodes have the same id"),
        ("g.json", nodes_and(directed="false"), "directed is true or false, not 'false'"),
        ("g.json", '{"nodes": [{"id": "s"}], "link": []}', "it has nodes, link; nodes with edges, links or adjacency"),
        ("g.json", "[]", "but neither an object nor a list"),
        ("g.json", "[1, 2", "no graph"),
        ("g.json", "[" * 200_000, "no graph"),
        ("g.json", '{"nodes": 3, "links": []}', "nodes is a list of objects, not 3"),
        ("g.graphml", "<graph", "no graph"),
        ("g.graphml", "<a/>", "no graph"),
        ("g.graphml", WRITTEN_BY_NETWORKX["g.graphml"].replace('source="s"', 'source="S"'), "ends at 'S'"),
        ("g.net", PAJEK + "5 1\n", "ends at '5'"),
        ("g.net", PAJEK.replace('"a"', '"s"'), "two vertices have the same label"),
        ("g.net", "*Vertices 2 3\n*Edges\n1 2\n", "more vertices of the first mode, 3, than in all, 2"),
        ("g.net", "*Vertices two\n*Edges\n1 2\n", "after \\*Vertices stands their number"),
        ("g.net", "*Vertices 3 2\n*Matrix\n1 0\n0 1\n", "does not have 2 rows of 1 numbers"),
        ("g.net", PAJEK + "*Edges\n1 3\n", "some directed edges and some undirected"),
        ("g.net", PAJEK + "*Arcslist\n1 3\n", "arcslist is not read"),
        ("g.tgf", "s\nt\n#\ns x\n", "ends at 'x'"),
        ("g.max", "p max 2 1\na 1 3 1\n", "line 2 has no place"),
        ("g.max", "p max 2 2\na 1 2 1\n", "states 2 edges, and 1 follow"),
        ("g.gr", "p sp 2 1\na 1 2 1\n", "`p max` and `p edge` are"),
        ("g.lgr", LEDA.replace("|{a}|", "|{s}|"), "same label"),
        ("g.g6", "A_\nA_\n", "one graph is read at a time"),
        ("g.txt", "DQc\nDQc\n", "one graph is read at a time, and it has 2"),
        ("g.txt", "DQ\n", "it is one word, 'DQ', and an edge has two names; a whole string of graph6"),
        ("g.g6", "DQ\n", "5 nodes take 2 characters, and 1 follow"),
        ("g.s6", ":~~~~~~~~_\n", "nodes are too many"),
        ("g.json", '[["s", "t"]]', "neither an object nor a list of elements or edges"),
        ("g.json", '[{"data": 1}, {"data": {}}]', "not every element has data"),
        ("g.json", '{"nodes": {"s": 1}, "edges": []}', "nodes is a list of objects, and has 1"),
        ("g.csv", "source,target,type\ns,t,Directed\nt,s,Undirected\n", "some edges are directed and some are not"),
        ("g.csv", "source,target\ns\n", "line 2 does not have the columns of the header"),
        ("g.txt", "0 2 1\n1 3\n2 3\n", "may be an edge of capacity 1 or name two neighbours"),
        ("g.txt", "s a b t\n", "name an adjacency list .adjlist"),
        ("g.txt", "new york b\n", "has 'b' where"),
        ("g.csv", "here,there,cost\ns,t,2\n", "line 1 is not known as a header, as source,target,weight is"),
        ("g.csv", "s,t\n,t\n", "line 2 has an empty field"),
        ("g.csv", "s,t\ns,,3\n", "line 2 has an empty field"),
        ("g.txt", "s, a\na t\n", "'s,' has a separator"),
        ("g.txt", "s t {'x'\n", "no graph"),
        ("g.txt", TGF, "call the file .tgf"),
        pytest.param("g.txt", WRITTEN_BY_NETWORKX["multi.adjlist"], "adjacency list .adjlist", id="with today's date"),
        ("g.txt", 's "t\n', "is no name"),
        ("g.txt", "s a\n", "no node 't'; the nodes are s, a"),
        ("g.txt", "", "no node 's'; the nodes are none at all"),
        ("g.gml", WRITTEN_BY_NETWORKX["g.graphml"], "begins as GraphML, and its name is one of GML"),
        ("g.mtx", "%%MatrixMarket matrix coordinate pattern general\n2 2 1\n1 2\n", "Matrix Market: it is not read"),
        ("g.lgl", "# s\nt\n", "igraph reads it"),
        ("g.txt", "DL n=2\nformat = edgelist1\n", "UCINET's DL: it is not read; igraph reads it"),
        ("g.dot", "digraph { s -> t }", "gv2gml"),
        ("g.txt", "graph G {\n s -- t\n}\n", "gv2gml"),
    ],
)  # fmt: skip
def test_what_is_not_meant_is_not_read_as_something_else(name: str, text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message) as refused:
        read(tmp_path, name, text)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("edges", [[], [("s", "t")]])
def test_nodes_that_a_cut_leaves_alone_are_read_again_from_edge_lists(edges: list[Any], tmp_path: Path) -> None:
    graph = nx.DiGraph(edges)
    graph.add_nodes_from("stu")
    again = read(tmp_path, "g.txt", text_of(graph, Path("g.txt")))
    assert (set(again.graph), edges_of(again)) == ({"s", "t", "u"}, set(edges))


def test_large_dimacs_files_are_read_in_time_proportional_to_their_size(tmp_path: Path) -> None:
    arcs = "".join(f"a {tail} {tail + 1} 1\n" for tail in range(1, 20_000))
    began = time.process_time()
    with pytest.raises(ValueError, match="at most 2500"):
        read(tmp_path, "g.max", f"p max 20000 19999\nn 1 s\nn 20000 t\n{arcs}", "", "")
    assert time.process_time() - began < 5


def test_an_ambiguous_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="the name 1 is that of 2 nodes: 1, '1'"):
        read(tmp_path, "g.json", nodes_and((1, 2), ("1", 2), ids=(1, "1", 2)), "1", "2")


def test_a_source_must_be_given_unless_the_file_names_it(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no node is given as the target: give its name by --target"):
        read(tmp_path, "g.txt", "s t\n", "s", "")


def test_missing_files_binary_files_and_folders_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "binary.txt").write_bytes(b"\xff\xfe\x00")
    for name, message in (("none.txt", "no file"), (".", "folder"), ("binary.txt", "not a text file")):
        with pytest.raises(ValueError, match=message):
            read_graph(tmp_path / name, "s", "t", undirected=False)


ATTRIBUTES = nx.DiGraph([("s", "a", {"weight": 2, "colour": "red"}), ("a", "t", {"weight": 3})])
PARALLEL = nx.MultiDiGraph([("s", "t"), ("s", "t"), ("s", "a", {"colour": "red"})])
READERS: dict[str, Callable[[Path], nx.Graph]] = {
    ".graphml": nx.read_graphml,
    ".xml": nx.read_graphml,
    ".gml": nx.read_gml,
    ".gexf": nx.read_gexf,
    ".json": lambda path: nx.node_link_graph(json.loads(path.read_text()), edges="edges"),
}


@pytest.mark.parametrize("suffix", [*READERS, ".txt"])
@pytest.mark.parametrize("kind", [nx.Graph, nx.DiGraph])
def test_written_and_read_again(suffix: str, kind: type[nx.Graph], tmp_path: Path) -> None:
    graph = kind([("s", "a"), ("a", "t"), ("s", "t"), ("b", "b")])
    graph.add_node("alone")
    undirected = suffix == ".txt" and not graph.is_directed()
    path = tmp_path / f"graph{suffix}"
    named = read(tmp_path, path.name, text_of(graph, path), undirected=undirected)
    assert named.directed == graph.is_directed()
    assert len(named.edges) == 3
    assert set(named.graph) == {"s", "a", "t", "b", "alone"}


@pytest.mark.parametrize("suffix", READERS)
@pytest.mark.parametrize(
    "graph", [ATTRIBUTES, nx.Graph(ATTRIBUTES), PARALLEL], ids=["directed", "undirected", "parallel"]
)
def test_networkx_reads_what_is_written_with_all_attributes_and_no_others(
    graph: nx.Graph, suffix: str, tmp_path: Path
) -> None:
    path = tmp_path / f"g{suffix}"
    path.write_text(text_of(graph, path))
    again = READERS[suffix](path)
    assert (type(again), again.number_of_edges()) == (type(graph), graph.number_of_edges())
    own = ("id",) if suffix == ".gexf" else ()
    expected = [about for *_, about in graph.edges(data=True)]
    for *_, about in again.edges(data=True):
        expected.remove({key: value for key, value in about.items() if key not in own})
    assert not expected
    if not graph.is_multigraph():
        assert nx.minimum_cut_value(again, "s", "t", capacity="weight") == 2


@pytest.mark.parametrize("suffix", READERS)
def test_attributes_called_id_or_source_do_not_change_names(suffix: str, tmp_path: Path) -> None:
    graph: nx.DiGraph = nx.DiGraph([("s", "a", {"source": "x"}), ("a", "t")])
    for number, node in enumerate("sat", 1):
        graph.nodes[node]["id"] = str(number)
    path = tmp_path / f"g{suffix}"
    again = read(tmp_path, path.name, text_of(graph, path))
    assert edges_of(again) == set(graph.edges)
    assert {about.get("id_", about.get("id")) for _, about in again.graph.nodes(data=True)} == {"1", "2", "3"}
    about = again.graph.edges["s", "a"]
    assert about.get("source_", about.get("source")) == "x"
    assert graph.nodes["s"] == {"id": "1"}


def test_networkx_reads_edge_lists_that_are_written(tmp_path: Path) -> None:
    path = tmp_path / "g.edgelist"
    path.write_text(text_of(ATTRIBUTES, path))
    again = nx.read_edgelist(path, create_using=nx.DiGraph)
    assert dict(again.edges) == dict(ATTRIBUTES.edges)


def test_ids_of_parallel_edges_are_unique_in_graphml(tmp_path: Path) -> None:
    edges = ElementTree.fromstring(text_of(PARALLEL, tmp_path / "g.graphml")).findall(".//{*}edge")
    assert sorted(str(edge.get("id")) for edge in edges) == ["0", "1", "2"]


@pytest.mark.parametrize("suffix", [".dot", ".max", ".csv", ".net"])
def test_formats_that_are_not_written_are_refused(suffix: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="graphs are written as GraphML"):
        text_of(ROUTE, tmp_path / f"g{suffix}")


@pytest.mark.parametrize(
    ("name", "about", "suffix", "message"),
    [
        ("s", {"pos": [1.5, 2]}, ".gexf", "g.gexf cannot hold the attribute pos of nodes, such as [1.5, 2]; .json and"),
        ("s", {"by": {"x": 1}}, ".graphml", 'the attribute by of nodes, such as {"x": 1}; .json and .gml can'),
        ("s", {"colour": "red"}, ".txt", 'the attribute colour of nodes, such as "red"; .json and .graphml and'),
        ("new york", {}, ".txt", 'g.txt cannot hold the name "new york"; .json and .graphml and .gml and .gexf can'),
        ("s", {"a b": {1}}, ".json", 'such as "{1}"; no format that is written can'),
    ],
)
def test_what_a_format_cannot_hold_is_named_and_what_can_is_true(
    name: str, about: dict[str, Any], suffix: str, message: str, tmp_path: Path
) -> None:
    graph = nx.DiGraph([(name, "t")])
    graph.nodes[name].update(about)
    with pytest.raises(ValueError, match=re.escape(message)) as refused:
        text_of(graph, tmp_path / f"g{suffix}")
    for able in re.findall(r"\.\w+(?= and | can)", str(refused.value).rpartition(";")[2]):
        assert set(read(tmp_path, f"again{able}", text_of(graph, Path(f"g{able}")), name).graph) == {name, "t"}


@pytest.mark.skipif(not FOREIGN.is_dir(), reason="foreign files are not part of the repository")
@pytest.mark.parametrize(
    ("name", "source", "target", "counts"),
    [
        ("adjacency.adjlist", "0", "3", (4, 4)),
        ("dimacs_max.txt", "", "", (4, 5)),
        ("d3_index3.json", "s", "t", (3, 3)),
        ("edgeless.edgelist", "a", "b", (2, 0)),
        ("edges_and_links.json", "s", "t", (2, 0)),
        ("four.edgelist", "a", "d", (4, 4)),
        ("name_key.json", "s", "t", (2, 1)),
        ("only_loop.edgelist", "a", "b", (2, 0)),
        ("parallel.edgelist", "s", "t", (2, 2)),
        ("pipes.edgelist", "a", "c", (3, 2)),
        ("small.gml", "A", "B", (2, 1)),
        ("umlaut.edgelist", "ä", "ü", (3, 2)),
    ],
)  # fmt: skip
def test_foreign_files(name: str, source: str, target: str, counts: tuple[int, int]) -> None:
    assert read_graph(FOREIGN / name, source, target, undirected=False).counts == counts
