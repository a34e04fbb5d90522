"""What all tokens of broken JSON tell about its layout: where lines and comments end, and where a document may."""

from collections.abc import Iterator

from apmdm.text_repair.folding import OPENERS
from apmdm.text_repair.tokens import Kind, Tokens

BARE = {Kind.WORD, Kind.NUMBER, Kind.LITERAL, Kind.FOREIGN_LITERAL, Kind.LINE_COMMENT, Kind.ELLIPSIS}
_IN_TEXT = {*BARE, Kind.COMMA, Kind.COLON, Kind.QUOTE, Kind.SINGLE_QUOTE, Kind.SMART_QUOTE, Kind.FENCE, Kind.BLANK}
_BEFORE_VALUES = {*OPENERS, Kind.COLON, Kind.COMMA}


def behind_comments(tokens: Tokens) -> tuple[list[bool], list[int]]:
    """Which tokens begin their line, if comments are left out, and its indentation."""
    first, indent, inside, pending = list(tokens.first), list(tokens.indent), False, -1
    for at, kind in enumerate(tokens.kinds):
        if inside:
            inside = kind != Kind.BLOCK_CLOSE
        elif kind == Kind.BLOCK_OPEN:
            inside, pending = True, indent[at] if first[at] else pending
        else:
            if pending >= 0 and not first[at]:
                first[at], indent[at] = True, pending
            pending = -1
    return first, indent


def cuts(tokens: Tokens) -> Iterator[int]:
    """Before which tokens a document may be cut off: others that begin at a line's beginning, and what is behind all.

    That is the last lines that are a fence or running text, without indentation, or a semicolon. No other document
    begins where a value is waited for.
    """
    kinds, last, behind = tokens.kinds, len(tokens) - 2, -1
    for at, kind in enumerate(kinds):
        if kind in OPENERS and tokens.first[at] and not tokens.indent[at] and kinds[at - 1] not in _BEFORE_VALUES:
            yield at
    at = last
    while at >= 0 and kinds[at] in _IN_TEXT:
        if tokens.first[at] and not tokens.indent[at] and kinds[at] in (Kind.WORD, Kind.FENCE):
            behind = at
        at -= 1
    if behind >= 0:
        yield behind
    elif last >= 0 and tokens.text(last) == ";":
        yield last


def following(flags: list[bool]) -> list[int]:
    """For each place the next one, after it, with a flag; the number of places if there is none."""
    found, after = [0] * len(flags), len(flags) - 1
    for at in range(len(flags) - 1, -1, -1):
        found[at] = after
        if flags[at]:
            after = at
    return found
