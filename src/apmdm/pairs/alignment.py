"""How a source becomes its target, one column after another from left to right.

The longest text that both have in common stays, and likewise what is longest to its left and to its right (Ratcliff and
Obershelp's matching; for inflection, the edit trees of Chrupala 2008). What lies between is replaced token by token.
"""

from collections.abc import Sequence as Seq
from difflib import SequenceMatcher
from typing import NamedTuple


class Column(NamedTuple):
    """What becomes of one MASK.

    token: what is written there; None if the MASK is deleted.
    place: the place of the source that it belongs to, 0 before the first token.
    more: whether another MASK of the same place is inserted after it.
    """

    token: int | None
    place: int
    more: bool = False


def columns(source: Seq[int], target: Seq[int]) -> list[Column]:
    """The columns of a pair, in order.

    One column of place 0, of every token of the source and of the place after the last is there from the beginning. The
    others are inserted while a gap grows. A gap grows until there is a MASK too many, which is deleted.
    """
    own: list[int | None] = [None] * len(source)
    gaps: list[list[int]] = [[] for _ in range(len(source) + 1)]
    for _, first, last, start, stop in SequenceMatcher(None, source, target, autojunk=False).get_opcodes():
        paired = min(last - first, stop - start)
        own[first : first + paired] = target[start : start + paired]
        gaps[first + paired] += target[start + paired : stop]
    *inner, after = gaps if source else (*gaps, [])
    found = _gap(inner[0], 0)
    for place, (token, gap) in enumerate(zip(own, [*inner[1:], []], strict=False), 1):
        found += [Column(token, place, bool(gap)), *(_gap(gap, place) if gap else [])]
    return found + _gap(after, len(source) + 1)


def _gap(tokens: Seq[int], place: int) -> list[Column]:
    return [*(Column(token, place, True) for token in tokens), Column(None, place)]
