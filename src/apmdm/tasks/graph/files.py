"""Files with graphs: which format each has, by its name and its beginning, and what can be written."""

import json
import os
import re
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import networkx as nx

from apmdm.lines import STANDARD_INPUT, read_text
from apmdm.tasks.graph.graph6 import HEADERS, from_graph6, is_graph6
from apmdm.tasks.graph.json_graphs import from_json, told
from apmdm.tasks.graph.lists import (
    THIRD_COLUMN,
    Found,
    adjacency_list,
    dimacs,
    edge_list,
    flat,
    pajek,
    simplified,
    tgf,
)
from apmdm.tasks.graph.metis import is_metis
from apmdm.tasks.graph.named import Named, both_ways, from_networkx
from apmdm.tasks.graph.xml_graphs import from_gexf, from_graphml, from_xml

HEAD = 10_000
"""Characters at the beginning of a file that tell its format."""
UNREADABLE = (
    *(ValueError, SyntaxError, LookupError, TypeError, AttributeError, RecursionError, StopIteration),
    nx.NetworkXException,
)
"""What readers raise for a file that is none of theirs."""
OFFERED = ".json", ".graphml", ".gml", ".gexf", ".txt"
WRITTEN = (
    "GraphML (.graphml, .xml), node-link JSON (.json), GML (.gml), GEXF (.gexf) and edge lists of words (.txt, "
    ".edgelist, .edges)"
)
OF_GEXF = {"viz", "parents", "spells", "slices"}
"""Attributes with parts for which GEXF has elements of its own."""


@dataclass(frozen=True)
class Format:
    """A format: its name, the ends of names of its files, how it is read, and how only its files begin."""

    name: str
    endings: tuple[str, ...]
    parse: Callable[[str], Found]
    sign: str = "(?!)"

    def begins(self, text: str) -> bool:
        return re.match(self.sign, text[:HEAD], re.DOTALL | re.IGNORECASE) is not None


def read_graph(path: Path, source: str, target: str, undirected: bool, unweighted: bool = False) -> Named:
    """The problem in a file of any of FORMATS; `-` is standard input, and what can be read only once is read once.

    Its beginning tells the format if it can, else the end of its name; without either it is an edge list. Edges of
    lists are directed, the other formats say it; `undirected` drops all directions, so that an edge and its reverse
    become one. Source and target are nodes as they print; where they are empty, the file must name them.
    Raises ValueError for a file that is none of these, and as from_networkx.
    """
    text = read_text(path, "a file with a graph")
    format = _format(path, text)
    try:
        found = format.parse(text)
        flat(found.graph)
    except UNREADABLE as error:
        reason = " ".join(str(error).split()) or "it ends too early"
        name = "standard input" if path == STANDARD_INPUT else path
        raise ValueError(f"{name} is no graph that can be read as {format.name}: {reason}") from None
    notes = [note for note in found.notes if not (unweighted and note == THIRD_COLUMN)]
    if path.suffix.lower() not in format.endings and format is not EDGE_LIST:
        notes.insert(0, f"read as {format.name}")
    ends = [_typed(source), _typed(target)]
    for number, name in enumerate(("source", "target")):
        if not ends[number]:
            ends[number] = found.ends[number]
            notes.append(f"the {name} is {ends[number]}, as the file says")
        if not ends[number]:
            raise ValueError(f"no node is given as the {name}: give its name by --{name}")
    graph, merged = both_ways(found.graph) if undirected else (found.graph, [])
    return from_networkx(graph, _node(graph, ends[0]), _node(graph, ends[1]), unweighted, notes + merged)


def text_of(graph: nx.Graph, path: Path) -> str:
    """The graph in the format that the name of a file asks for; ValueError if that cannot hold it."""
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise ValueError(f"cannot write {path}: graphs are written as {WRITTEN}")
    text = _written(graph, suffix)
    if text is None:
        able = " and ".join(other for other in OFFERED if _written(graph, other) is not None)
        raise ValueError(f"{path} cannot hold {_obstacle(graph, suffix)}; {able or 'no format that is written'} can")
    return text + "\n"


def _written(graph: nx.Graph, suffix: str) -> str | None:
    """None if the format cannot hold the graph."""
    try:
        return WRITERS[suffix](graph)
    except (TypeError, ValueError, KeyError, AttributeError, nx.NetworkXException):
        return None


def _obstacle(graph: nx.Graph, suffix: str) -> str:
    """The first name or attribute that the format cannot hold even alone."""
    return next((what for what, alone in _parts(graph) if _written(alone, suffix) is None), "this graph")


def _parts(graph: nx.Graph) -> Iterator[tuple[str, nx.Graph]]:
    """The names and attributes of a graph, each in words and in a graph that has nothing else."""
    for node in graph:
        alone = nx.Graph()
        alone.add_node(node)
        yield f"the name {told(node)}", alone
    owners = [("the graph", graph.graph), *(("nodes", about) for about in graph.nodes.values())]
    for owner, about in [*owners, *(("edges", about) for *_, about in graph.edges(data=True))]:
        for name, value in about.items():
            alone = nx.Graph([(0, 1)])
            place = {"the graph": alone.graph, "nodes": alone.nodes[0], "edges": alone.edges[0, 1]}[owner]
            place[name] = value
            yield f"the attribute {name} of {owner}, such as {told(value)}", alone


def _format(path: Path, text: str) -> Format:
    named = next((format for format in FORMATS if path.suffix.lower() in format.endings), EDGE_LIST)
    begun = next((format for format in FORMATS if format.begins(text)), named)
    if begun is not named and named is not EDGE_LIST and path.suffix.lower() not in begun.endings:
        raise ValueError(f"{path} begins as {begun.name}, and its name is one of {named.name}; rename it")
    if begun is named and is_metis(text, named is METIS or path.suffix.lower() == ".graph"):
        return METIS
    return GRAPH6 if begun is EDGE_LIST and is_graph6(text) else begun


def _typed(name: str) -> str:
    """A name from the command line, which is UTF-8 even where the locale knows ASCII only."""
    try:
        return os.fsencode(name).decode()
    except UnicodeError:
        return name


def _node(graph: nx.Graph, name: str) -> Hashable:
    """The node that prints so; the name itself if there is none."""
    found = [node for node in graph if str(node) == name]
    if len(found) > 1:
        raise ValueError(f"the name {name} is that of {len(found)} nodes: {', '.join(map(repr, found))}")
    return found[0] if found else name


def _gml(text: str) -> Found:
    """Nodes are called by their labels, or by their numbers if they have none. Edges may be parallel without saying."""
    label = "label" if re.search(r"\blabel\b", text) else "id"
    if re.search(r"\b(multigraph|key)\b", text):
        return Found(nx.parse_gml(text, label))
    text = re.sub(GML, r"\g<0> multigraph 1 ", text, count=1, flags=re.IGNORECASE)
    return Found(simplified(nx.parse_gml(text, label)))


def _leda(text: str) -> Found:
    graph = nx.parse_leda(text)
    counts = [int(line) for line in text.splitlines() if re.fullmatch(r"\s*\d+\s*", line)]
    if counts[:2] != [graph.number_of_nodes(), graph.number_of_edges()]:
        raise ValueError("nodes of the same label or parallel edges are not read")
    return Found(graph)


def _refused(hint: str) -> Callable[[str], Found]:
    def parse(text: str) -> Found:
        raise ValueError(f"it is not read; {hint}")

    return parse


EDGE_LIST = Format("an edge list", (".txt", ".edgelist", ".edges", ".csv", ".tsv"), edge_list)
GRAPH6 = Format(
    "graph6, sparse6 or digraph6", (".g6", ".graph6", ".s6", ".sparse6", ".d6", ".digraph6"), from_graph6, HEADERS
)
METIS = Format(
    "METIS",
    (".metis", ".mgraph"),
    _refused(
        "each of its lines has the neighbours of a node. Write every edge once instead, in a line of a .txt file: its "
        "two nodes, and its weight if it has one. Leave out the first line and the weights of nodes, and give "
        "--undirected"
    ),
)
GML = r"(?:\s|#[^\n]*\n|(?:creator|version|comment)\b[^\n]*\n)*graph\s*\["
XML = r"\s*<(?:(?!<\w).)*?"
FORMATS = (
    Format("GraphML", (".graphml", ".xml"), from_graphml, XML + r"<?graphml[\s>]"),
    Format("GEXF", (".gexf", ".xml"), from_gexf, XML + r"<?gexf[\s>]"),
    Format(
        "XML", (".xml", ".graphml", ".gexf", ".gxl"), from_xml,
        r"\s*<(?:\?xml|!doctype|!--|[\w:]+[\s>].*?(?:</|[\"']\s*/>))",
    ),
    Format("GML", (".gml",), _gml, GML),
    Format("JSON", (".json", ".cyjs"), from_json, r"\s*(?:\{|\[\s*[\[{])"),
    Format("Pajek", (".net", ".paj"), pajek, r"(?:\s|%[^%\n]*\n)*\*(?:network|vertices)\b"),
    Format("LEDA", (".lgr", ".leda", ".gw"), _leda, r"(?:\s|#[^\n]*\n)*LEDA\.GRAPH"),
    GRAPH6,
    Format("DIMACS", (".max", ".dimacs", ".col"), dimacs, r"(?:\s|c\b[^\n]*\n)*p\s+\w+\s+\d+\s+\d+\s"),
    Format("TGF", (".tgf",), tgf),
    Format("an adjacency list", (".adjlist", ".adj", ".multiline_adjlist"), adjacency_list),
    Format(
        "Matrix Market", (".mtx",),
        _refused("SciPy's mmread and NetworkX's from_scipy_sparse_array and write_graphml make GraphML of it"),
        r"%%MatrixMarket",
    ),
    Format("LGL", (".lgl",), _refused("igraph reads it and makes GraphML of it")),
    Format("UCINET's DL", (".dl",), _refused("igraph reads it and makes GraphML of it"), r"\s*dl\s+n\s*="),
    Format(
        "DOT", (".dot", ".gv"), _refused("Graphviz's gv2gml makes a .gml of it"),
        r"(?:\s|//[^\n]*\n|#[^\n]*\n|/\*.*?\*/)*(?:strict\s+)?(?:di)?graph\b[^\[\n]*\{",
    ),
    METIS,
    EDGE_LIST,
)  # fmt: skip


def _to_graphml(graph: nx.Graph) -> str:
    return "\n".join(nx.generate_graphml(_uniquely_keyed(graph)))


def _to_json(graph: nx.Graph) -> str:
    return json.dumps(nx.node_link_data(_apart(graph, {"id"}, {"source", "target", "key"}), edges="edges"))


def _to_gexf(graph: nx.Graph) -> str:
    """Only values that change in time, as NetworkX reads them, are lists, of tuples."""
    for about in [*graph.nodes.values(), *(about for *_, about in graph.edges(data=True))]:
        for name, value in about.items():
            in_time = isinstance(value, list) and all(isinstance(part, tuple) for part in value)
            if isinstance(value, list | dict) and name not in OF_GEXF and not in_time:
                raise ValueError(f"{name} has parts")
    return "\n".join(nx.generate_gexf(_apart(graph, {"id"}, set())))


def _to_gml(graph: nx.Graph) -> str:
    return "\n".join(nx.generate_gml(_apart(graph, {"id", "label"}, {"source", "target", "key"})))


def _apart(graph: nx.Graph, of_nodes: set[str], of_edges: set[str]) -> nx.Graph:
    """A copy in which attributes called as these, which the format needs to name nodes and ends, have a `_` behind."""
    copy = graph.copy()
    for taken, abouts in ((of_nodes, copy.nodes(data=True)), (of_edges, copy.edges(data=True))):
        for *_, about in abouts:
            for name in taken & about.keys():
                about[f"{name}_"] = about.pop(name)
    return copy


def _uniquely_keyed(graph: Any) -> nx.Graph:
    """Keys of parallel edges, which become ids, are numbers of edges unless no two are the same."""
    if not graph.is_multigraph() or len({key for _, _, key in graph.edges(keys=True)}) == graph.number_of_edges():
        return graph
    keyed = graph.__class__()
    keyed.graph.update(graph.graph)
    keyed.add_nodes_from(graph.nodes(data=True))
    keyed.add_edges_from((tail, head, key, about) for key, (tail, head, about) in enumerate(graph.edges(data=True)))
    return keyed


def _to_lines(graph: nx.Graph) -> str:
    """As NetworkX reads it, and besides a line for each node without edges."""
    if any(not str(node) or len(str(node).split()) > 1 or set(str(node)) & set('#,;"{%') for node in graph):
        raise ValueError("a name in an edge list has no space and no # , ; % { or quote")
    if any(about for _, about in graph.nodes(data=True)):
        raise ValueError("an edge list has no attributes of nodes")
    lines = [f"{tail} {head} {about}" if about else f"{tail} {head}" for tail, head, about in graph.edges(data=True)]
    return "\n".join(lines + [str(node) for node in nx.isolates(graph)])


WRITERS: dict[str, Callable[[nx.Graph], str]] = {
    ".graphml": _to_graphml,
    ".xml": _to_graphml,
    ".json": _to_json,
    ".gml": _to_gml,
    ".gexf": _to_gexf,
    **dict.fromkeys(("", ".txt", ".edgelist", ".edges"), _to_lines),
}
