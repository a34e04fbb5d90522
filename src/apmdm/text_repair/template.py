"""What can't be known: what a program puts in the place of template code, such as `<% if (a) { %>` or `{{ name }}`.

Neither can what is meant by a text such as `{x}`, of which only the brackets would be left.
"""

import re
from bisect import bisect_right

from apmdm.text_repair.search import PartialRepair, applied, edits_of, repairs_of
from apmdm.text_repair.ways import Edit

CODE = "template code"
GUESS = 0.1
"""The most that such a repair is probable; set by hand."""
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
_STRAY = {"stray text", "stray text for a value"}
Guesses = dict[Edit, tuple[str, int]]
"""Edits that are no more than guesses, with what they do and where."""


def guesses(way: PartialRepair, source: str) -> Guesses:
    return emptying(way, source) | of_template(way, source)


def emptying(way: PartialRepair, source: str) -> Guesses:
    """The edits that drop words, if no word is left then."""
    edits = edits_of(way)
    stray = [(kind, edit) for kind, edit in edits if kind in _STRAY and _has_words(source[edit.start : edit.end])]
    dropped = {edit: (kind, edit.start) for kind, edit in stray}
    return dropped if dropped and not _has_words(applied(source, [edit for _, edit in edits])) else {}


def _has_words(text: str) -> bool:
    return any(map(str.isalnum, text))


def of_template(way: PartialRepair, source: str) -> Guesses:
    """The first edit of each repair that drops template code outside of strings, or takes it for text."""
    spans = [match.span() for match in _BEGINS.finditer(source)]
    found = dict[Edit, tuple[str, int]]()
    for kind, _, edits in repairs_of(way) if spans else ():
        if kind in _OUTSIDE_OF_STRINGS:
            after = bisect_right(spans, edits[0].start, key=lambda span: span[1])
            if after < len(spans) and spans[after][0] <= edits[-1].end:
                found[edits[0]] = CODE, spans[after][0]
    return found
