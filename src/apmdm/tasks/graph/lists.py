"""Graphs written as lines of names: edge lists and tables, adjacency lists, TGF, DIMACS, Pajek."""

import ast
import csv
import re
from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import networkx as nx

from apmdm.lines import listed
from apmdm.tasks.graph.named import both_ways

SEPARATORS = "\t;,"
THIRD_COLUMN = "the third column holds the capacities of edges"
HEADERS = {
    ("source", "target"),
    ("from", "to"),
    ("tail", "head"),
    ("src", "dst"),
    ("fromnodeid", "tonodeid"),
    ("node1", "node2"),
    ("origin", "destination"),
    ("start", "end"),
    ("parent", "child"),
    ("u", "v"),
}
"""How the two columns of ends may be called, in lower case."""
NAME = re.compile(r'\s*(?:"(?P<quoted>[^"]*)"|(?P<plain>[^\s"#{][^\s"#]*))')


@dataclass(frozen=True)
class Found:
    """What a file says: the graph, the source and the target if it names them, and how it was read."""

    graph: nx.Graph
    ends: tuple[str, str] = ("", "")
    notes: tuple[str, ...] = ()


@dataclass
class Row:
    """A line of an edge list."""

    number: int
    cells: list[str]
    about: dict[str, Any] | None = None


def simplified(graph: nx.Graph) -> nx.Graph:
    """The same graph as one without parallel edges, if it has none."""
    simple = nx.DiGraph(graph) if graph.is_directed() else nx.Graph(graph)
    return simple if simple.number_of_edges() == graph.number_of_edges() else graph


def _found(graph: nx.MultiDiGraph, directed: bool, ends: tuple[str, str] = ("", "")) -> Found:
    """The graph as it was written, or with edges that lead both ways."""
    read, notes = (graph, []) if directed else both_ways(graph)
    return Found(simplified(read), ends, tuple(notes))


def declared(ends: Iterator[Hashable], nodes: set[Hashable]) -> None:
    """Raises ValueError for the first end of an edge that is no node."""
    for end in ends:
        if end not in nodes:
            alike = ", but one that prints the same" if str(end) in map(str, nodes) else ""
            raise ValueError(f"an edge ends at {end!r}, which is no node of the file{alike}")


def complete(graph: nx.Graph, num_edges: int) -> nx.Graph:
    """The graph; raises ValueError unless it has all of the file's edges."""
    if graph.number_of_edges() != num_edges:
        raise ValueError(
            f"it has {num_edges} edges, and {graph.number_of_edges()} could be told apart: edges between the same "
            "nodes need ids or keys of their own"
        )
    return graph


def flat(graph: nx.Graph) -> None:
    """Raises ValueError if edges stand within a node or among the attributes of the graph, where they would be lost."""
    for owner, about in [("the graph", graph.graph), *((f"node {name}", about) for name, about in graph.nodes.items())]:
        if _holds_edges(about):
            raise ValueError(f"{owner} has a graph of its own within it; put all nodes and edges side by side")


def _holds_edges(about: dict[str, Any]) -> bool:
    values = ((name, value if isinstance(value, list) else [value]) for name, value in about.items())
    parts = [(name, part) for name, value in values for part in value]
    return any(
        (isinstance(part, dict) and _holds_edges(part)) or (name in ("edge", "edges", "links") and _is_edge(part))
        for name, part in parts
    )


def _is_edge(value: Any) -> bool:
    """An object, or a pair as JSON may have it."""
    return isinstance(value, dict) or (isinstance(value, list) and len(value) == 2)


def edge_list(text: str) -> Found:
    """Two names a line, as words or between tabs, semicolons or commas; then a capacity, or attributes in braces.

    A header like `source,target,weight` names the columns; a name alone is a node. Edges are directed, unless a column
    `Type` (of Gephi) says that all are undirected. Names alone are a graph without edges if none
    is repeated.
    """
    _refuse_tgf(text)
    lines = _lines(text)
    mark = _separator([line for _, line in lines])
    rows = [_row(number, line, mark) for number, line in lines]
    header = [cell.lower() for cell in rows[0].cells] if rows else []
    for names in HEADERS:
        if set(names) <= set(header):
            return _table(rows, header, names)
    return _unnamed(rows, table=mark == "," or mark == ";")


def _lines(text: str) -> list[tuple[int, str]]:
    """The lines with something in them, with their numbers, without those that `#` or `%` makes comments."""
    lines = ((number, line.strip(" ")) for number, line in enumerate(text.splitlines(), 1))
    return [(number, line) for number, line in lines if line.strip() and line.lstrip()[0] not in "#%"]


def _separator(lines: list[str]) -> str | None:
    """What stands between the names in every line that has more than one, None for blanks."""
    bare = [line.partition("{")[0] for line in lines]
    for mark in SEPARATORS:
        if any(mark in line for line in bare) and all(mark in line or len(line.split()) < 2 for line in bare):
            return mark
    return None


def _row(number: int, line: str, mark: str | None) -> Row:
    row, rest = Row(number, []), line
    if mark is not None:
        before, brace, after = line.partition("{")
        (cells,) = csv.reader([before], delimiter=mark, skipinitialspace=True)
        row.cells = [cell.strip() for cell in cells]
        while row.cells and not row.cells[-1]:
            row.cells.pop()
        rest = brace + after
    else:
        while name := NAME.match(rest):
            plain = name["plain"]
            if plain is not None and set(plain) & set(",;"):
                raise ValueError(f"line {number}: {plain!r} has a separator; separate all names alike, or quote them")
            row.cells.append(name["quoted"] if plain is None else plain)
            rest = rest[name.end() :]
    if rest.strip().startswith("{"):
        row.about = _attributes(number, rest.strip())
    elif rest.strip() and not rest.strip().startswith("#"):
        raise ValueError(f"line {number}: {rest.strip()!r} is no name; put names with a quote or a brace elsewhere")
    return row


def _attributes(number: int, text: str) -> dict[str, Any]:
    try:
        return {str(name): value for name, value in ast.literal_eval(text[: text.rindex("}") + 1]).items()}
    except (ValueError, SyntaxError, AttributeError, RecursionError):
        raise ValueError(f"line {number}: attributes are like {{'weight': 2}}, not {text!r}") from None


def _number(text: str) -> int | float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return int(value) if value.is_integer() else value


def _table(rows: list[Row], header: list[str], names: tuple[str, str]) -> Found:
    """Edges under a header; every further column is an attribute, and that of a weight or capacity a number."""
    tail, head = map(header.index, names)
    titles, graph, types = rows[0].cells, nx.MultiDiGraph(), set[str]()
    for row in rows[1:]:
        if not max(tail, head) < len(row.cells) <= len(titles) or "" in (row.cells[tail], row.cells[head]):
            raise ValueError(f"line {row.number} does not have the columns of the header: {listed(titles)}")
        about: dict[str, Any] = {}
        for column, cell in enumerate(row.cells):
            if header[column] == "type" and cell.lower() in ("directed", "undirected"):
                types.add(cell.lower())
            elif column not in (tail, head) and cell:
                value = _number(cell) if header[column] in ("weight", "capacity") else cell
                about[titles[column]] = cell if value is None else value
        graph.add_edges_from([(row.cells[tail], row.cells[head], about)])
    if len(types) > 1:
        raise ValueError("some edges are directed and some are not; that is not read")
    return _found(graph, directed=types != {"undirected"})


def _unnamed(rows: list[Row], table: bool) -> Found:
    """Edges without a header."""
    if len(rows) == len(rows[0].cells if rows else ()) == 1:
        raise ValueError(
            f"it is one word, {rows[0].cells[0][:40]!r}, and an edge has two names; a whole string of graph6, sparse6 "
            "or digraph6 would be read, and this is none"
        )
    alone = [row.cells[0] for row in rows if len(row.cells) == 1]
    if len(alone) == len(rows) > len(set(alone)):
        twice = next(name for name in alone if alone.count(name) > 1)
        raise ValueError(
            "no line has two names, as words or between commas, semicolons or tabs, so it has no edges; and it is no "
            f"list of nodes, since {twice!r} is there twice"
        )
    rows, notes = _without_counts(rows)
    graph = nx.MultiDiGraph()
    widths = {len(row.cells) for row in rows if len(row.cells) > 1}
    nodes = {cell for row in rows for cell in row.cells[:2]}
    thirds = {row.cells[2] for row in rows if len(row.cells) == 3}
    for row in rows:
        if len(row.cells) > 3 or (len(row.cells) == 3 and (_number(row.cells[2]) is None or row.about is not None)):
            extra = f"{len(row.cells)} names" if len(row.cells) > 3 else f"{row.cells[2]!r}"
            known = " is not known as a header, as source,target,weight is, and" if row is rows[0] else ""
            raise ValueError(
                f"line {row.number}{known} has {extra} where an edge list has two names and then a capacity or "
                "attributes in braces at most; name an adjacency list .adjlist, quote names with blanks"
            )
        if "" in row.cells:
            raise ValueError(f"line {row.number} has an empty field where a name or a capacity stands")
        if row.about is not None and len(row.cells) < 2:
            raise ValueError(f"line {row.number} has one name with attributes; call an adjacency list .adjlist")
        if len(widths) > 1 and len(row.cells) == 3 and thirds & nodes:
            raise ValueError(
                f"line {row.number} may be an edge of capacity {row.cells[2]} or name two neighbours: call the file "
                ".adjlist if it is an adjacency list, else give every edge a capacity"
            )
        graph.add_nodes_from(row.cells[:2])
        if len(row.cells) > 1:
            capacity = {"capacity": _number(row.cells[2])} if len(row.cells) == 3 else {}
            graph.add_edges_from([(row.cells[0], row.cells[1], (row.about or {}) | capacity)])
    if thirds:
        notes.append(THIRD_COLUMN)
    notes += _alone([row for row in rows if len(row.cells) == 1 and not graph.degree(row.cells[0])])
    if table and rows:
        notes.append("the first line is read as an edge, since it names no columns such as source,target,weight")
    return Found(simplified(graph), notes=tuple(notes))


def _alone(rows: list[Row]) -> list[str]:
    """What is to be noted of rows with one name, which no edge has."""
    if not rows:
        return []
    first = f"line {rows[0].number}, {rows[0].cells[0]!r}"
    if len(rows) == 1:
        return [f"{first}, has one name, which is read as a node without edges"]
    return [f"{len(rows)} lines have one name, which is read as a node without edges; the first is {first}"]


def _without_counts(rows: list[Row]) -> tuple[list[Row], list[str]]:
    """The rows without first ones that count nodes, or nodes and edges, and what is to be noted.

    Counts in one row may be an edge between two nodes as well, so that row stays.
    """
    alone = [row.cells[0] for row in takewhile(lambda row: len(row.cells) == 1 and row.cells[0].isdecimal(), rows)]
    nodes = {cell for row in rows if len(row.cells) > 1 for cell in row.cells[:2]}
    counts = [str(len(nodes)), str(len(rows) - len(alone))]
    if nodes and alone in (counts[:1], counts) and all(len(row.cells) > 1 for row in rows[len(alone) :]):
        what = "a count of nodes" + (" and edges" if len(alone) > 1 else "")
        return rows[len(alone) :], [f"what the file begins with is read as {what}"]
    first, rest = rows[0].cells if rows else [], rows[1:]
    if len(first) == 2 and all(map(str.isdecimal, first)) and all(len(row.cells) > 1 for row in rest):
        nodes = {cell for row in rest for cell in row.cells[:2]}
        if rest and int(first[0]) >= len(nodes) and int(first[1]) == len(rest):
            return rows, ["the first line is read as an edge; take it out if it counts nodes and edges"]
    return rows, []


def _refuse_tgf(text: str) -> None:
    """TGF by another name would be an edge list from nodes to labels."""
    before, mark, after = ("\n" + text).partition("\n#\n")
    nodes = {line.split()[0] for _, line in _lines(before)}
    edges = [line.split()[:2] for _, line in _lines(after)]
    if mark and edges and all(len(edge) == 2 and set(edge) <= nodes for edge in edges):
        raise ValueError("the # alone in a line is that of TGF, between nodes and edges; call the file .tgf")


def adjacency_list(text: str) -> Found:
    """A node and then its successors in each line; or, with attributes in braces, NetworkX's form of several lines."""
    lines = [line for _, line in _lines(text)]
    if any("{" in line for line in lines):
        return Found(simplified(nx.parse_multiline_adjlist(iter(lines), create_using=nx.MultiDiGraph)))
    if lines and all(re.match(r"[^\s:]+:(\s|$)", line) for line in lines):
        lines = [line.replace(":", " ", 1) for line in lines]
    mark = _separator(lines)
    lines = [mark.join(cell.strip() for cell in line.split(mark)) if mark else line for line in lines]
    return Found(simplified(nx.parse_adjlist(lines, delimiter=mark, create_using=nx.MultiDiGraph)))


def tgf(text: str) -> Found:
    """A line for each node, its name and perhaps a label; a line with #; a line for each edge, perhaps with a label.

    Labels of edges are capacities if all are numbers.
    """
    before, mark, after = ("\n" + text).partition("\n#")
    if not mark:
        raise ValueError("there is no line with # alone between nodes and edges")
    graph = nx.MultiDiGraph()
    for line in filter(str.strip, before.splitlines()):
        name, *label = line.split(maxsplit=1)
        graph.add_node(name, **({"label": label[0].strip()} if label else {}))
    edges = [line.split(maxsplit=2) for line in filter(str.strip, after.splitlines())]
    if any(len(edge) < 2 for edge in edges):
        raise ValueError("an edge has less than two ends")
    declared((end for edge in edges for end in edge[:2]), set(graph))
    labels = [edge[2].strip() for edge in edges if len(edge) > 2]
    weighted = bool(labels) and all(_number(label) is not None for label in labels)
    for tail, head, *label in edges:
        about = {"weight": _number(label[0])} if weighted and label else {"label": label[0].strip()} if label else {}
        graph.add_edge(tail, head, **about)
    return Found(simplified(graph))


def dimacs(text: str) -> Found:
    """`p max` with the source and the target (`n 1 s`) and arcs with capacities (`a 1 2 5`); `p edge` with `e 1 2`."""
    graph, ends, kind, stated = nx.MultiDiGraph(), {"s": "", "t": ""}, "", 0
    for number, line in enumerate(text.splitlines(), 1):
        match line.split():
            case [] | ["c", *_]:
                pass
            case ["p", "max" | "edge" | "col" as kind, nodes, edges]:
                graph.add_nodes_from(map(str, range(1, int(nodes) + 1)))
                stated = int(edges)
            case ["p", other, *_]:
                raise ValueError(f"problems of the kind {other} are not read; `p max` and `p edge` are")
            case ["n", node, "s" | "t" as end] if kind == "max" and node in graph:
                ends[end] = node
            case ["a", tail, head, capacity] if kind == "max" and tail in graph and head in graph:
                graph.add_edge(tail, head, capacity=capacity if _number(capacity) is None else _number(capacity))
            case ["e", tail, head] if kind in ("edge", "col") and tail in graph and head in graph:
                graph.add_edge(tail, head)
            case _:
                raise ValueError(f"line {number} has no place in a file of {len(graph)} nodes: {line.strip()!r}")
    if not kind:
        raise ValueError("there is no line `p max NODES ARCS`")
    if graph.number_of_edges() != stated:
        raise ValueError(f"the line p states {stated} edges, and {graph.number_of_edges()} follow")
    return _found(graph, directed=kind == "max", ends=(ends["s"], ends["t"]))


def pajek(text: str) -> Found:
    """Vertices and then arcs, which are directed, or edges, which are not. Vertices are called by their labels."""
    sections: list[list[str]] = []
    for line in filter(str.strip, text.splitlines()):
        if line.lstrip().startswith("*"):
            sections.append([line.strip()])
        elif not line.lstrip().startswith("%") and sections:
            sections[-1].append(line)
    used = [section for section in sections if len(section) > 1 or not section[0].lower().startswith(("*arc", "*edge"))]
    kinds = [section[0].split()[0].lower() for section in used]
    if "*vertices" not in kinds:
        raise ValueError("there are no *Vertices")
    if kinds.count("*vertices") > 1:
        raise ValueError(f"it has {kinds.count('*vertices')} networks, and one is read at a time")
    for kind in kinds:
        if kind not in ("*network", "*vertices", "*arcs", "*edges", "*matrix"):
            raise ValueError(f"{kind} is not read; *Vertices with *Arcs, *Edges or *Matrix are")
    if len(set(kinds) - {"*network", "*vertices"}) > 1:
        raise ValueError("there are *Arcs and *Edges; some directed edges and some undirected ones are not read")
    header, *vertices = used[kinds.index("*vertices")]
    count, first = _vertices(header)
    if len(vertices) < count:
        vertices = [f'{number} "{number}"' for number in range(1, count + 1)]
    used[kinds.index("*vertices")] = [f"*Vertices {count}", *(_labelled(line) for line in vertices)]
    if first and "*matrix" in kinds:
        used[kinds.index("*matrix")] = ["*Edges", *_two_mode(used[kinds.index("*matrix")][1:], first, count - first)]
    graph = nx.parse_pajek("\n".join(line for section in used for line in section))
    declared((node for node, about in graph.nodes(data=True) if "id" not in about), set())
    if graph.number_of_nodes() < len(vertices):
        raise ValueError("two vertices have the same label")
    return Found(simplified(graph))


def _vertices(header: str) -> tuple[int, int]:
    """How many vertices there are, and how many of them are of the first mode: 0 if there is one mode only."""
    numbers = header.split()[1:]
    if not 1 <= len(numbers) <= 2 or not all(map(str.isdecimal, numbers)):
        raise ValueError(f"after *Vertices stands their number, and perhaps that of the first mode, not {header!r}")
    count, first = int(numbers[0]), int([*numbers, "0"][1])
    if first > count:
        raise ValueError(f"{header!r} has more vertices of the first mode, {first}, than in all, {count}")
    return count, first


def _two_mode(matrix: list[str], rows: int, columns: int) -> list[str]:
    """The edges of a matrix with a row for each vertex of the first mode, and a column for each of the second."""
    cells = [line.split() for line in matrix]
    if [len(row) for row in cells] != [columns] * rows:
        raise ValueError(f"the *Matrix of two modes does not have {rows} rows of {columns} numbers")
    return [
        f"{tail} {head} {value}"
        for tail, row in enumerate(cells, 1)
        for head, value in enumerate(row, rows + 1)
        if _number(value) != 0
    ]


def _labelled(line: str) -> str:
    """A vertex without a label is called by its number."""
    return line if len(line.split()) > 1 else f"{line.strip()} {line.strip()}"
