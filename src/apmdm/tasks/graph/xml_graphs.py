"""Graphs in XML: GraphML and GEXF, read by NetworkX, and besides the graphs within their nodes."""

import io
import re
import warnings
from collections.abc import Hashable
from xml.etree import ElementTree

import networkx as nx
from networkx.readwrite.gexf import GEXF

from apmdm.tasks.graph.lists import Found, complete, declared


def from_xml(text: str) -> Found:
    """GraphML or GEXF, whichever its outermost element says."""
    _, root = next(ElementTree.iterparse(io.StringIO(text), ["start"]))
    kind = root.tag.rpartition("}")[2]
    if kind not in ("graphml", "gexf"):
        raise ValueError(f"its outermost element is <{kind}>, which is neither GraphML nor GEXF")
    return from_graphml(text) if kind == "graphml" else from_gexf(text)


def from_graphml(text: str) -> Found:
    """Attributes as NetworkX reads them; blanks around numbers and truth values are no part of them."""
    root = ElementTree.fromstring(text)
    nodes, edges, keys, data = (root.findall(f".//{{*}}{kind}") for kind in ("node", "edge", "key", "data"))
    notes = ["graphs within nodes are read as parts of one graph; what is saved is that one"] if _flatten(root) else []
    strings = {key.get("id") for key in keys if key.get("attr.type", "string") == "string"}
    defaults = [value for key in keys if key.get("id") not in strings for value in key]
    for value in [*defaults, *(one for one in data if one.get("key") not in strings)]:
        value.text = value.text and value.text.strip()
    with warnings.catch_warnings(action="ignore"):
        graph = nx.parse_graphml(ElementTree.tostring(root, "unicode"))
    if any(map(len, data)) or root.find(".//{*}port") is not None:
        notes.append("drawings and ports in this file are no attributes; a graph that is saved does not have them")
    return Found(_whole(graph, nodes, len(edges)), notes=tuple(notes))


def _flatten(root: ElementTree.Element) -> bool:
    """Move the nodes and edges of graphs within nodes and edges into the graph around; whether there were any."""
    outer = _only_graph(root)
    nested = [(holder, graph) for holder in root.iter() for graph in holder.findall("{*}graph") if graph is not outer]
    for holder, graph in nested:
        holder.remove(graph)
        holder.attrib.pop("yfiles.foldertype", None)
        for edge in graph.findall("{*}edge") if "edgedefault" in graph.attrib else ():
            edge.attrib.setdefault("directed", "true" if graph.get("edgedefault") == "directed" else "false")
        for kind in ("node", "edge", "hyperedge"):
            outer.extend(graph.findall(f"{{*}}{kind}"))
    return bool(nested)


def _only_graph(root: ElementTree.Element) -> ElementTree.Element:
    graphs = root.findall("{*}graph")
    if len(graphs) != 1:
        raise ValueError(f"it has {len(graphs)} graphs, and one is read at a time" if graphs else "it has no graph")
    return graphs[0]


def from_gexf(text: str) -> Found:
    """NetworkX knows the names of versions up to 1.2, and edges that are not within nodes."""
    known = GEXF.versions["1.2draft"]["NS_GEXF"]
    text = re.sub(r"(?<=[\"'])http://(?:www\.)?gexf\.net/1\.\d(?:draft)?(?=[\"'])", known, text)
    root = ElementTree.fromstring(text)
    outer, nodes, edges = _only_graph(root), root.findall(".//{*}node"), root.findall(".//{*}edge")
    for holder in outer.findall("{*}edges"):
        outer.remove(holder)
    if edges:
        ElementTree.SubElement(outer, edges[0].tag + "s").extend(edges)
    graph = nx.read_gexf(io.BytesIO(ElementTree.tostring(root)))
    mutual = sum(edge.get("type") == "mutual" for edge in edges) if graph.is_directed() else 0
    return Found(_whole(graph, nodes, len(edges) + mutual))


def _whole(graph: nx.Graph, nodes: list[ElementTree.Element], num_edges: int) -> nx.Graph:
    """The graph; raises ValueError unless it has the nodes of the file and so many edges."""
    names: set[Hashable] = {node.get("id") for node in nodes}
    declared(iter(graph), names)
    if len(names) < len(nodes):
        raise ValueError("two nodes have the same id")
    if len(graph) < len(nodes):
        raise ValueError(f"it has {len(nodes)} nodes, and {len(graph)} of them could be read")
    return complete(graph, num_edges)
