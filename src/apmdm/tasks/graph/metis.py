"""METIS: which texts are written so. It knows nothing of other formats.

The first line is `nodes edges`, and perhaps a format and how many weights a node has. Then every line has the
neighbours of one node. The format is three digits, of which zeros in front may be left out: whether a node has a size,
weights, and whether each neighbour is followed by the weight of the edge. `%` begins a comment.
"""

import re
from typing import NamedTuple


class _Head(NamedTuple):
    """The first line. own: how many numbers of a line stand before the neighbours. plain: it could be of an edge."""

    nodes: int
    edges: int
    own: int
    weighted: bool
    plain: bool


def is_metis(text: str, named: bool) -> bool:
    """Whether a text is METIS and can hardly be a list of edges.

    named: the name of the file is one that METIS often has, so that an edge may lack its other direction.
    """
    lines = [line.split() for line in text.splitlines() if not line.lstrip().startswith("%")]
    head = _head(next(filter(None, lines), []))
    rows = lines[1 + next((at for at, line in enumerate(lines) if line), 0) :]
    if head is None or len(rows) < head.nodes or any(rows[head.nodes :]):
        return False
    return not head.plain or _agrees(head, rows[: head.nodes], named)


def _head(cells: list[str]) -> _Head | None:
    if not 2 <= len(cells) <= 4 or not all(map(str.isdecimal, cells)):
        return None
    nodes, edges, form, weights = [*cells, *["0", "1"][len(cells) - 2 :]]
    if not re.fullmatch("[01]{1,3}", form):
        return None
    sized, heavy, weighted = (digit == "1" for digit in form.zfill(3))
    own = sized + heavy * int(weights)
    return _Head(int(nodes), int(edges), own, weighted, plain=not re.fullmatch("0[01]{2}", form))


def _agrees(head: _Head, rows: list[list[str]], named: bool) -> bool:
    """Whether the lines have as many neighbours as the first line says, and, unless it is named, each both ways."""
    step = 2 if head.weighted else 1
    neighbours = [row[head.own :: step] for row in rows]
    pairs = {(str(number), cell) for number, cells in enumerate(neighbours, 1) for cell in cells}
    names = set(map(str, range(1, head.nodes + 1)))
    return (
        len(pairs) == sum(map(len, neighbours)) == 2 * head.edges > 0
        and all((len(row) - head.own) % step == 0 <= len(row) - head.own for row in rows)
        and all(tail != end and end in names for tail, end in pairs)
        and (named or all((end, tail) in pairs for tail, end in pairs))
    )
