"""Graphs in JSON: node-link and adjacency data of NetworkX, nodes and edges of D3 and graphology, Cytoscape's."""

import json
from collections.abc import Hashable
from typing import Any

import networkx as nx

from apmdm.tasks.graph.lists import Found, declared, simplified

NAMES = "id", "name", "key"
"""Fields that may name a node, in this order."""
SHOWN = 8
"""Fields that are told of an object that is no graph."""


def from_json(text: str) -> Found:
    data = json.loads(text)
    if not isinstance(data, dict):
        raise ValueError("it is JSON, but no object")
    for flag in ("directed", "multigraph"):
        if not isinstance(data.get(flag, False), bool):
            raise ValueError(f"{flag} is true or false, not {data[flag]!r}")
    if isinstance(data.get("elements"), dict):
        return _cytoscape(data)
    if "adjacency" in data and "nodes" in data:
        return _adjacency(data)
    if "nodes" in data and {"edges", "links"} & data.keys():
        return _node_link(data)
    fields = ", ".join([*data][:SHOWN]) + (", ..." if len(data) > SHOWN else "")
    raise ValueError(f"it has {fields or 'nothing'}; nodes with edges, links or adjacency are read, or elements")


def _node_link(data: dict[str, Any]) -> Found:
    """Edges count nodes from 0, as D3 and old versions of NetworkX have them, if no node is named by a number."""
    field = "edges" if "edges" in data else "links"
    nodes, edges, notes = (*(_flat(_objects(data, name)) for name in ("nodes", field)), [])
    if isinstance(data.get("options"), dict):
        data = {"directed": data["options"].get("type") == "directed"} | data
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
    graph = nx.node_link_graph(whole, edges=field, name=name or "id")
    return Found(graph if data.get("multigraph") else simplified(graph), notes=tuple(notes))


def _adjacency(data: dict[str, Any]) -> Found:
    nodes = [node.get("id") for node in _objects(data, "nodes")]
    declared((one.get("id") for row in data["adjacency"] for one in row), set(nodes))
    if len(data["adjacency"]) != len(nodes):
        raise ValueError(f"there are {len(nodes)} nodes and adjacencies of {len(data['adjacency'])}")
    return Found(nx.adjacency_graph(data, directed=False, multigraph=False))


def _cytoscape(data: dict[str, Any]) -> Found:
    """Nodes are called by their `id`; NetworkX also writes a `value`, which its edges name."""
    elements = data["elements"]
    nodes = [dict(one["data"]) for one in _objects(elements, "nodes")]
    edges = [dict(one["data"]) for one in _objects(elements, "edges")]
    graph = nx.MultiDiGraph() if data.get("directed") else nx.MultiGraph()
    for node in nodes:
        graph.add_node(node.get("value", node.get("id")), **{k: v for k, v in node.items() if k not in ("id", "value")})
    ends = [(edge.pop("source", None), edge.pop("target", None)) for edge in edges]
    declared((end for edge in ends for end in edge), set(graph))
    for (tail, head), about in zip(ends, edges, strict=True):
        graph.add_edge(tail, head, about.pop("key", None), **about)
    return Found(graph if data.get("multigraph") else simplified(graph))


def _objects(data: dict[str, Any], field: str) -> list[dict[str, Any]]:
    found = data.get(field, [])
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise ValueError(f"{field} is a list of objects")
    return found


def _flat(objects: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With the `attributes` of graphology among the other fields."""
    found = []
    for one in objects:
        about = one.get("attributes")
        found.append({k: v for k, v in one.items() if k != "attributes"} | about if isinstance(about, dict) else one)
    return found


def _hashable(name: Any) -> Hashable:
    return tuple(map(_hashable, name)) if isinstance(name, list) else name
