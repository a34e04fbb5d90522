"""Objects and arrays that are surely right as one token each, so that the work is where something is wrong."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from apmdm.text_repair.tokens import Kind, Tokens

MANY = 20_000
"""With more tokens than these, what looks like at least two others counts as right, however it is laid out."""
OPENERS = {Kind.OPEN_OBJECT: False, Kind.OPEN_ARRAY: True}
CLOSERS = {Kind.CLOSE_OBJECT: "}", Kind.CLOSE_ARRAY: "]"}
WHOLE = {Kind.WHOLE_OBJECT, Kind.WHOLE_ARRAY}
_VALUES = {Kind.TEXT, Kind.NUMBER, Kind.LITERAL, *OPENERS, *WHOLE}


@dataclass
class Opened:
    """An object or array under way. waits: for what. child: the indentation of its children, -1 if unknown yet.

    sure: every child has a line of its own. shape: its keys, or the kinds of its items.
    """

    at: int
    array: bool
    waits: str = "first"
    child: int = -1
    sure: bool = True
    shape: list[object] = field(default_factory=list)


def folded(tokens: Tokens) -> Tokens:
    """The tokens, where objects and arrays that are valid and laid out line by line are folded.

    Laid out line by line: every child has a line of its own, all with one indentation, larger than that of the line
    with the opening bracket, which the line with the closing one has as well.
    """
    found = tokens.merged(_outermost((first, last) for first, last, top in complete(tokens) if top.sure))
    if len(found) <= MANY:
        return found
    shapes = [(first, last, (top.array, *top.shape)) for first, last, top in complete(found)]
    times = Counter(shape for *_, shape in shapes)
    return found.merged(_outermost((first, last) for first, last, shape in shapes if times[shape] > 2))


def is_one_value(tokens: Tokens) -> bool:
    """Whether the tokens are one valid object or array, however deep."""
    last = len(tokens) - 2
    return last > 0 and any((first, end) == (0, last) for first, end, _ in complete(tokens))


def complete(tokens: Tokens) -> Iterator[tuple[int, int, Opened]]:
    """The first and the last token of each valid object or array that is not empty, the inner ones first."""
    under_way = list[Opened]()
    for at, kind in enumerate(tokens.kinds):
        top = under_way[-1] if under_way else None
        if kind in CLOSERS:
            if top is None or top.array != (kind == Kind.CLOSE_ARRAY) or top.waits not in ("first", "comma"):
                under_way.clear()
                continue
            under_way.pop()
            if top.waits == "comma":
                top.sure &= tokens.first[at] and tokens.indent[at] == tokens.indent[top.at]
                yield top.at, at, top
        elif top is not None and not _follows(tokens, at, kind, top):
            under_way.clear()
        elif kind == Kind.TEXT and tokens.hardly_meant(at):
            for each in under_way:
                each.sure = False
        if kind in OPENERS:
            under_way.append(Opened(at, OPENERS[kind]))


def _follows(tokens: Tokens, at: int, kind: Kind, top: Opened) -> bool:
    """Whether a token is what an object or array waits for, which is then changed."""
    waits = top.waits
    if waits in ("first", "child"):
        indent = tokens.indent[at]
        if top.child < 0:
            top.child = indent
        top.sure &= tokens.first[at] and indent == top.child > tokens.indent[top.at]
        top.shape.append(kind if top.array else tokens.text(at))
        top.waits = "comma" if top.array else "colon"
        return kind in _VALUES if top.array else kind == Kind.TEXT
    if waits == "value":
        top.waits = "comma"
        return kind in _VALUES
    if waits == "colon":
        top.waits = "value"
        return kind == Kind.COLON
    top.waits = "child"
    return kind == Kind.COMMA


def _outermost(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    """Spans that come inner ones first, without those within others."""
    found = list[tuple[int, int]]()
    for first, last in spans:
        while found and found[-1][0] > first:
            found.pop()
        found.append((first, last))
    return found
