"""Graphs in JSON: NetworkX's, D3's, graphology's, vis-network's, Cytoscape's, JSON Graph Format, lists of edges."""

import json
from collections.abc import Hashable
from dataclasses import replace
from itertools import compress
from operator import not_
from typing import Any

import networkx as nx

from apmdm.tasks.graph.lists import Found, complete, declared, simplified

NAMES = "id", "name", "key"
"""Fields that may name a node, in this order."""
SHOWN = 8
"""Fields that are told of an object that is no graph."""
REPEATED = 40
"""Characters of a value that a message repeats."""


def from_json(text: str) -> Found:
    """Edges lead both ways unless the file says that they are directed; in a list of edges alone they are directed."""
    data = json.loads(text)
    if isinstance(data, list):
        data = _listed(data)
    if not isinstance(data, dict):
        raise ValueError("it is JSON, but neither an object nor a list of elements or edges")
    if isinstance(data.get("graph"), dict) and "nodes" in data["graph"] and "nodes" not in data:
        data = {"directed": True} | data["graph"]
    if isinstance(data.get("options"), dict):
        kind = data["options"].get("type", data["options"].get("directed"))
        data = {"directed": kind in ("directed", True)} | data
    for flag in ("directed", "multigraph"):
        if not isinstance(data.get(flag, False), bool):
            raise ValueError(f"{flag} is true or false, not {data[flag]!r}")
    if data.get("hyperedges"):
        raise ValueError("it has hyperedges, and only edges of two ends are read")
    found = _parsed(data)
    if "directed" in data:
        return found
    return replace(found, notes=(*found.notes, "edges lead both ways, since the file does not say `directed`"))


def _listed(items: list[Any]) -> Any:
    """A list of Cytoscape's elements, or of edges, as an object."""
    if not items or not all(isinstance(one, dict) for one in items):
        return items
    if any("data" in one for one in items):
        return {"elements": items}
    edges = [_with_ends(one) for one in items]
    ends = (edge.get(end) for edge in edges for end in ("source", "target"))
    return {"directed": True, "nodes": [{"id": end} for end in dict.fromkeys(map(_hashable, ends))], "edges": edges}


def _parsed(data: dict[str, Any]) -> Found:
    if (
        isinstance(data.get("nodes"), list)
        and data["nodes"]
        and all("data" in node for node in _objects(data, "nodes"))
    ):
        data = {"elements": data} | data
    if isinstance(data.get("elements"), dict | list):
        return _cytoscape(data)
    if "adjacency" in data and "nodes" in data:
        return _adjacency(data)
    if "nodes" in data and {"edges", "links"} & data.keys():
        return _node_link(data)
    fields = ", ".join([*data][:SHOWN]) + (", ..." if len(data) > SHOWN else "")
    raise ValueError(f"it has {fields or 'nothing'}; nodes with edges, links or adjacency are read, or elements")


def _node_link(data: dict[str, Any]) -> Found:
    """Edges count nodes from 0, as D3 and old versions of NetworkX have them, if no node is named by a number.

    An edge may be a pair, the list of its two ends.
    """
    field = "edges" if "edges" in data else "links"
    if isinstance(data[field], list):
        data = data | {field: [_from_pair(one) for one in data[field]]}
    if isinstance(data["nodes"], dict):
        abouts = _objects({"nodes": [*data["nodes"].values()]}, "nodes")
        data = data | {"nodes": [{"id": name} | about for name, about in zip(data["nodes"], abouts, strict=True)]}
    nodes, edges, notes = (*(_flat(_objects(data, name)) for name in ("nodes", field)), [])
    edges = [_with_ends(edge) for edge in edges]
    if field == "edges" and data.get("links"):
        notes.append("`edges` are read, and `links` are not")
    name = next((name for name in NAMES if nodes and all(name in node for node in nodes)), None)
    if name is None and nodes:
        raise ValueError("not every node has an id")
    named: list[Hashable] = [_hashable(node[name or ""]) for node in nodes]
    if len(set(named)) < len(named):
        raise ValueError("two nodes have the same id")
    if any(end not in edge for edge in edges for end in ("source", "target")):
        raise ValueError("an edge has no source or no target")
    ends = [_hashable(edge[end]) for edge in edges for end in ("source", "target")]
    numbers = bool(ends) and all(type(end) is int and 0 <= end < len(nodes) for end in ends)
    if numbers and not any(isinstance(node, int) for node in named):
        notes.append(f"the {field} count the nodes from 0")
        edges = [edge | {end: named[edge[end]] for end in ("source", "target")} for edge in edges]
    else:
        declared(iter(ends), set(named))
    whole = data | {"nodes": nodes, field: edges, "multigraph": True}
    graph = complete(nx.node_link_graph(whole, edges=field, name=name or "id"), len(edges))
    return Found(graph if data.get("multigraph") else simplified(graph), notes=tuple(notes))


def _adjacency(data: dict[str, Any]) -> Found:
    nodes = [node.get("id") for node in _objects(data, "nodes")]
    declared((one.get("id") for row in data["adjacency"] for one in row), set(nodes))
    if len(data["adjacency"]) != len(nodes):
        raise ValueError(f"there are {len(nodes)} nodes and adjacencies of {len(data['adjacency'])}")
    for node, row in zip(nodes, data["adjacency"], strict=True):
        if len({(one["id"], one.get("key") if data.get("multigraph") else None) for one in row}) < len(row):
            raise ValueError(f"node {node} has a neighbour twice; only with `multigraph` and keys are edges parallel")
    return Found(nx.adjacency_graph(data, directed=False, multigraph=False))


def _cytoscape(data: dict[str, Any]) -> Found:
    """Nodes are called by their `id`; NetworkX also writes a `value` that prints the same, which its edges name."""
    nodes, edges = _elements(data)
    name = "value" if all(str(node.get("value")) == node.get("id") for node in nodes) else "id"
    graph = nx.MultiDiGraph() if data.get("directed") else nx.MultiGraph()
    for node in nodes:
        graph.add_node(node.get(name), **{key: value for key, value in node.items() if key not in ("id", name)})
    if len(graph) < len(nodes):
        raise ValueError("two nodes have the same id")
    ends = [(edge.pop("source", None), edge.pop("target", None)) for edge in edges]
    declared((end for edge in ends for end in edge), set(graph))
    for (tail, head), about in zip(ends, edges, strict=True):
        graph.add_edge(tail, head, about.pop("key", None), **about)
    complete(graph, len(edges))
    ids = {node.get("id") for node in nodes}
    within = any(node["parent"] in ids for node in nodes if isinstance(node.get("parent"), str | int))
    notes = ("nodes lie within others: `parent` is kept as an attribute, and joins no nodes",) if within else ()
    return Found(graph if data.get("multigraph") else simplified(graph), notes=notes)


def _elements(data: dict[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The data of nodes and of edges, which may stand in one list. There an edge may say so, or else has a source."""
    elements = data["elements"]
    if isinstance(elements, list):
        every = _abouts(data, "elements")
        is_edge = [
            one.get("group", "edges" if "source" in about else "nodes") == "edges"
            for one, about in zip(elements, every, strict=True)
        ]
        return [*compress(every, map(not_, is_edge))], [*compress(every, is_edge)]
    return _abouts(elements, "nodes"), _abouts(elements, "edges")


def _abouts(data: dict[str, Any], field: str) -> list[dict[str, Any]]:
    abouts = [one.get("data") for one in _objects(data, field)]
    if not all(isinstance(about, dict) for about in abouts):
        raise ValueError("not every element has data")
    return [dict(about) for about in abouts if about is not None]


def _objects(data: dict[str, Any], field: str) -> list[dict[str, Any]]:
    found = data.get(field, [])
    if not isinstance(found, list):
        raise ValueError(f"{field} is a list of objects, not {told(found)}")
    for one in found:
        if not isinstance(one, dict):
            raise ValueError(f"{field} is a list of objects, and has {told(one)}")
    return found


def told(value: Any) -> str:
    """As JSON, with as much of it as a message repeats."""
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= REPEATED else f"{text[:REPEATED]} ..."


def _flat(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the `attributes` of graphology among the other fields."""
    found = []
    for one in objects:
        about = one.get("attributes")
        found.append({k: v for k, v in one.items() if k != "attributes"} | about if isinstance(about, dict) else one)
    return found


def _from_pair(edge: Any) -> dict[str, Any]:
    if isinstance(edge, dict):
        return edge
    if isinstance(edge, list) and len(edge) == 2:
        return {"source": edge[0], "target": edge[1]}
    raise ValueError(f"an edge is an object with source and target or a list of two nodes, not {told(edge)}")


def _with_ends(edge: dict[str, Any]) -> dict[str, Any]:
    """With its ends called source and target, which are `from` and `to` in vis-network and others."""
    if edge.keys() & {"source", "target"} or not edge.keys() >= {"from", "to"}:
        return edge
    return {{"from": "source", "to": "target"}.get(name, name): value for name, value in edge.items()}


def _hashable(name: Any) -> Hashable:
    return tuple(map(_hashable, name)) if isinstance(name, list) else name
