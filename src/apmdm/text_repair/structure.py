"""How valid documents are built: when an object or array ends, and of what kind the next value is.

Contexts and outcomes are short texts. A table gives for each context the surprise of each outcome: minus the logarithm
of its probability, less what is expected, so that a usual document costs nothing, however long it is.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from math import log

from apmdm.text_repair.tokens import Kind, Tokens
from apmdm.text_repair.ways import Frame

Table = Mapping[str, Mapping[str, float]]
END, ON, KIND, LIKE, SHARE = "end", "on", "kind", "like", "share"
SCALED = END, KIND, LIKE, SHARE
"""The first words of contexts; each group has a weight of its own."""
GROUPS = {
    Kind.OPEN_OBJECT: "object",
    Kind.OPEN_ARRAY: "array",
    Kind.WHOLE_OBJECT: "object",
    Kind.WHOLE_ARRAY: "array",
    Kind.NUMBER: "number",
    Kind.LITERAL: "literal",
    Kind.FOREIGN_LITERAL: "literal",
}
TEXT = "text"
SMOOTHING = 5.0


def ending(frame: Frame) -> str:
    """The context of whether a frame ends: how many children it has, how like the one before, what the last was."""
    kind, like = ("array", _length(frame)) if frame.array else ("object", _keys(frame))
    return f"{END} {kind} {like} {_few(frame.size)} {frame.last}"


def _length(frame: Frame) -> str:
    if frame.length is None:
        return "?"
    return "=" if frame.size == frame.length else "<" if frame.size < frame.length else ">"


def _keys(frame: Frame) -> str:
    if frame.like is None:
        return "?"
    if frame.names == frame.like:
        return "="
    if frame.names < frame.like:
        return "<"
    if frame.names > frame.like:
        return ">"
    return "~" if frame.names & frame.like else "!"


def _few(count: int) -> int:
    return count if count < 5 else 5 if count < 9 else 9


def family(frame: Frame) -> Iterator[tuple[str, str]]:
    """Of what ends: is it like the one before, and does an object have a key of the object that it is in?"""
    likeness = _length(frame) if frame.array else _keys(frame)
    if likeness != "?":
        yield f"{LIKE} {'array' if frame.array else 'object'}", likeness
    if frame.parent is not None and not frame.array and not frame.parent.array:
        yield f"{SHARE} object", "some" if frame.names & frame.parent.names else "none"


def kind_of_item(frame: Frame) -> str:
    """The context of the kind of the next value of an array: the kind of the last one."""
    return f"{KIND} item {frame.last}"


def kind_of_member(usual: str | None, last: str) -> str:
    """The context of the kind of a value of an object: what its key has elsewhere, or what the key before it has."""
    return f"{KIND} known {usual}" if usual else f"{KIND} member {last}"


def usual_kinds(tokens: Tokens) -> dict[str, str]:
    """For each key that stands more than once in a text the kind of value that it has most often."""
    found = dict[str, Counter[str]]()
    kinds = tokens.kinds
    for at in range(len(kinds) - 2):
        if kinds[at] == Kind.TEXT and kinds[at + 1] == Kind.COLON:
            name = tokens.text(at)[1:-1]
            found.setdefault(name, Counter())[GROUPS.get(kinds[at + 2], TEXT)] += 1
    return {name: counts.most_common(1)[0][0] for name, counts in found.items() if counts.total() > 1}


def surprises(events: Iterable[tuple[str, str, float]]) -> dict[str, dict[str, float]]:
    """The table for contexts, outcomes and weights, counted in valid documents.

    Rare contexts are mixed with those that share their first three words.
    """
    fine, coarse = dict[str, dict[str, float]](), dict[str, dict[str, float]]()
    for context, outcome, weight in events:
        for counts in (fine.setdefault(context, {}), coarse.setdefault(_rough(context), {})):
            counts[outcome] = counts.get(outcome, 0.0) + weight
    table = dict[str, dict[str, float]]()
    for context, counts in sorted(fine.items()):
        rough = coarse[_rough(context)]
        total, all_rough = sum(counts.values()), sum(rough.values()) + len(rough)
        chance = {
            outcome: (counts.get(outcome, 0.0) + SMOOTHING * (rough[outcome] + 1) / all_rough) / (total + SMOOTHING)
            for outcome in rough
        }
        expected = -sum(p * log(p) for p in chance.values())
        table[context] = {outcome: round(-log(p) - expected, 3) for outcome, p in chance.items()}
    return table


def _rough(context: str) -> str:
    return " ".join(context.split()[:3])
