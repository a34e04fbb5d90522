"""Graphs as one word of printable characters, as nauty and NetworkX write them: graph6, sparse6 and digraph6.

After the mark of its kind, each character holds six bits: first of the number of nodes, then of what is adjacent.
"""

import re

import networkx as nx
from networkx.readwrite.graph6 import data_to_n

from apmdm.tasks.graph.lists import Found, simplified

HEADERS = r">>(?:graph6|sparse6|digraph6)<<"
MAX_NODES = 100_000
"""A word of eight characters can state 2^36 of them."""


def from_graph6(text: str) -> Found:
    """One graph; its nodes are numbers from 0 on."""
    words = _words(text)
    if len(words) != 1:
        raise ValueError(f"one graph is read at a time, and it has {len(words)}, one a line")
    return Found(_parsed(words[0]))


def is_graph6(text: str) -> bool:
    """Whether every line is a graph of two nodes or more, with no bit too few or too many."""
    try:
        return bool(words := _words(text)) and all(len(_parsed(word)) > 1 for word in words)
    except (ValueError, IndexError, nx.NetworkXException):
        return False


def _words(text: str) -> list[str]:
    return [word for line in re.sub(HEADERS, "", text).splitlines() if (word := line.strip())]


def _parsed(word: str) -> nx.Graph:
    mark = word[0] if word[0] in ":&" else ""
    data = [ord(character) - 63 for character in word[len(mark) :]]
    if not all(0 <= six < 64 for six in data):
        raise ValueError(f"{word[:40]!r} has a character that none of these formats has")
    nodes, rest = data_to_n(data)
    if nodes > MAX_NODES:
        raise ValueError(f"{nodes} nodes are too many")
    if mark == ":":
        return simplified(nx.from_sparse6_bytes(word.encode()))  # pyrefly: ignore[bad-argument-type]
    count = nodes * nodes if mark else nodes * (nodes - 1) // 2
    if len(rest) != -(-count // 6):
        raise ValueError(f"{nodes} nodes take {-(-count // 6)} characters, and {len(rest)} follow")
    bits = [six >> place & 1 for six in rest for place in range(5, -1, -1)]
    if any(bits[count:]):
        raise ValueError("there are bits behind the last edge")
    graph = nx.DiGraph() if mark else nx.Graph()
    graph.add_nodes_from(range(nodes))
    pairs = (
        ((tail, head) for tail in range(nodes) for head in range(nodes))
        if mark
        else ((tail, head) for head in range(1, nodes) for tail in range(head))
    )
    graph.add_edges_from(pair for pair, bit in zip(pairs, bits, strict=False) if bit)
    return graph
