"""Template code, such as `<% if (a) { %>` or `{{ name }}`: what a program would put in its place can't be known."""

import re
from bisect import bisect_right

from apmdm.text_repair.search import PartialRepair
from apmdm.text_repair.ways import Edit

CODE = "template code"
GUESS = 0.1
"""The most that a repair is probable which changes template code; set by hand."""
_BEGINS = re.compile(r"<%|\{%|\$\{|\{\{(?!\s*\w+\s*:)[-~]?\s*[#/>^&!]?\s*[A-Za-z_$@.]")
_OUTSIDE_OF_STRINGS = {
    "unquoted key",
    "unquoted value",
    "missing opening quote",
    "stray text",
    "stray text for a value",
    "extra opener",
    "prose",
}


def guesses(way: PartialRepair, source: str) -> set[Edit]:
    """The first edit of each repair of a way that drops template code outside of strings, or takes it for text."""
    spans = [match.span() for match in _BEGINS.finditer(source)]
    found, trail = set[Edit](), way.trail
    while spans and trail is not None:
        trail, kind, _, edits = trail
        if kind in _OUTSIDE_OF_STRINGS:
            after = bisect_right(spans, edits[0].start, key=lambda span: span[1])
            if after < len(spans) and spans[after][0] <= edits[-1].end:
                found.add(edits[0])
    return found
