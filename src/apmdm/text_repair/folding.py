"""Objects and arrays that are surely right as one token each, so that the work is where something is wrong."""

from dataclasses import dataclass

from apmdm.text_repair.tokens import Kind, Tokens

MANY = 20_000
"""With more tokens than these, whatever is complete counts as right, however it is laid out."""
_VALUES = {Kind.TEXT, Kind.NUMBER, Kind.LITERAL}


@dataclass
class _Open:
    """An object or array under way. waits: for what. child: the indentation of its children, -1 if unknown yet."""

    at: int
    array: bool
    waits: str
    child: int = -1
    sure: bool = True


def folded(tokens: Tokens, any_layout: bool = False) -> Tokens:
    """The tokens, where objects and arrays that are valid and laid out line by line, or in any way, are folded.

    Laid out line by line: every child has a line of its own, all with one indentation, larger than that of the line
    with the opening bracket, which the line with the closing one has as well.
    """
    spans = list[tuple[int, int, Kind]]()
    any_layout |= len(tokens) > MANY
    under_way = list[_Open]()
    for at, kind in enumerate(tokens.kinds):
        top = under_way[-1] if under_way else None
        if kind in (Kind.CLOSE_OBJECT, Kind.CLOSE_ARRAY):
            if top is None or top.array != (kind == Kind.CLOSE_ARRAY) or top.waits not in ("first", "comma"):
                under_way.clear()
                continue
            under_way.pop()
            if top.waits == "comma" and (any_layout or (top.sure and _ends_in_line(tokens, top.at, at))):
                while spans and spans[-1][0] > top.at:
                    spans.pop()
                spans.append((top.at, at, Kind.WHOLE_ARRAY if top.array else Kind.WHOLE_OBJECT))
            if under_way:
                under_way[-1].waits = "comma"
        elif top is not None and not _follows(tokens, at, kind, top):
            under_way.clear()
        if kind in (Kind.OPEN_OBJECT, Kind.OPEN_ARRAY):
            under_way.append(_Open(at, kind == Kind.OPEN_ARRAY, "first"))
    return tokens.merged(spans)


def _ends_in_line(tokens: Tokens, first: int, last: int) -> bool:
    return tokens.first[last] and tokens.indent[last] == tokens.indent[first]


def _follows(tokens: Tokens, at: int, kind: Kind, top: _Open) -> bool:
    """Whether a token is what an object or array waits for, which is then told."""
    waits = top.waits
    if waits in ("first", "child"):
        indent = tokens.indent[at]
        if top.child < 0:
            top.child = indent
        top.sure &= tokens.first[at] and indent == top.child > tokens.indent[top.at]
        value = kind in _VALUES or kind in (Kind.OPEN_OBJECT, Kind.OPEN_ARRAY)
        top.waits = "comma" if top.array else "colon"
        return value if top.array else kind == Kind.TEXT
    if waits == "value":
        top.waits = "comma"
        return kind in _VALUES or kind in (Kind.OPEN_OBJECT, Kind.OPEN_ARRAY)
    if waits == "colon":
        top.waits = "value"
        return kind == Kind.COLON
    top.waits = "child"
    return kind == Kind.COMMA
