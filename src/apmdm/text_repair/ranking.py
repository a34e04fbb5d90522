"""Whole repairs of one text beside each other: what a beam that reads from left to right can't compare.

A repair has features: how its strings look, how much its objects and arrays differ from each other, and what stands
around each of its edits. Its score is their weighted sum (benchmarks/json_ranking.py learns the weights).
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Hashable, Iterator
from itertools import pairwise
from math import exp, log, log1p
from typing import Any, NamedTuple

from apmdm.text_repair.costs import read
from apmdm.text_repair.search import PartialRepair, repairs_of

Features = dict[str, float]
SMALLEST = 1e-9


class Candidate(NamedTuple):
    """A valid text, the cheapest way that leads to it, and its share of all that were found, by the costs of ways."""

    text: str
    way: PartialRepair
    share: float


def as_found(source: str, found: list[Candidate]) -> list[float]:
    """The share of each repair, by the costs of ways alone."""
    return [each.share for each in found]


def compared(source: str, found: list[Candidate]) -> list[float]:
    """The share of each repair, whole repairs beside each other; as they are if one is too deep to be read."""
    if len(found) < 2:
        return as_found(source, found)
    try:
        features = [features_of(source, each) for each in found]
    except RecursionError:
        return as_found(source, found)
    weights = read()["ranking"]
    scores = [sum(weights.get(name, 0.0) * value for name, value in each.items()) for each in features]
    amounts = [exp(score - max(scores)) for score in scores]
    return [amount / sum(amounts) for amount in amounts]


def features_of(source: str, found: Candidate) -> Features:
    """What speaks for and against a repair of a source. Raises RecursionError if it is too deep."""
    value = json.loads(found.text, object_pairs_hook=Members, parse_int=float)
    share = {"share": log(max(found.share, SMALLEST))}
    return share | around(found.way, source) | looks(value) | surprises(value)


class Members(list[tuple[str, Any]]):
    """The members of an object in their order, also those whose key stands twice."""


def values(value: Any) -> Iterator[Any]:
    """A value and all that is in it, in the order of the text."""
    stack = [value]
    while stack:
        top = stack.pop()
        yield top
        if isinstance(top, Members):
            stack.extend(inner for _, inner in reversed(top))
        elif isinstance(top, list):
            stack.extend(reversed(top))


# How strings look.

_LIKE_STRUCTURE = re.compile(r"""["'“”]\s*[:,\]}]|[{\[,:]\s*["'“]""")
_BROKEN_PATH = re.compile(r"\b[A-Za-z]:(?:\\\w*)*[\b\f\n\r\t]")
_USUAL_KEY = re.compile(r"[\w$@./-]+")
_MARKS = tuple("{}[]:,")
LOOKS: dict[str, Callable[[str], bool]] = {
    "like structure": lambda text: _LIKE_STRUCTURE.search(text) is not None,
    "odd quotes": lambda text: text.count('"') % 2 == 1,
    "blank at an end": lambda text: text != text.strip(),
    "mark first": lambda text: text.startswith(_MARKS),
    "mark last": lambda text: text.endswith(_MARKS),
    "quote first": lambda text: text.startswith('"'),
    "quote last": lambda text: text.endswith('"'),
    "line break": lambda text: "\n" in text,
    "empty": lambda text: not text,
    "control character": lambda text: "\b" in text or "\f" in text,
    "broken path": lambda text: _BROKEN_PATH.search(text) is not None,
    "odd brackets": lambda text: sum(map(text.count, "([{")) != sum(map(text.count, ")]}")),
}
KEY_LOOKS = LOOKS | {
    "words": lambda text: " " in text,
    "unusual": lambda text: _USUAL_KEY.fullmatch(text) is None,
}


def looks(value: Any) -> Features:
    """How many texts and keys look in a way that speaks against them."""
    found = Counter[str]()
    for inner in values(value):
        if isinstance(inner, str):
            found.update(f"text: {name}" for name, holds in LOOKS.items() if holds(inner))
        elif isinstance(inner, Members):
            found.update(f"key: {name}" for key, _ in inner for name, holds in KEY_LOOKS.items() if holds(key))
        elif inner is None:
            found["null"] += 1
    return {name: float(count) for name, count in found.items()}


# How much objects and arrays differ from each other.

DISCOUNT = 0.5
RARE = {"lengths": 0.05, "places": 0.001, "order": 0.5}
"""The chance of an outcome that never was, for each group of events."""


def surprises(value: Any) -> Features:
    """For each group of events how improbable they are, each foretold by those before it in the same document."""
    total, seen, everywhere = dict[str, float](), dict[Hashable, Counter[Hashable]](), dict[str, Counter[Hashable]]()
    for group, context, outcome in events(value):
        rough = everywhere.setdefault(group, Counter())
        fine = seen.setdefault((group, context), Counter())
        chance = _chance(fine, outcome, _chance(rough, outcome, RARE[group]))
        total[group] = total.get(group, 0.0) - log(chance)
        if not fine[outcome]:
            rough[outcome] += 1
        fine[outcome] += 1
    return total


def _chance(counts: Counter[Hashable], outcome: Hashable, otherwise: float) -> float:
    """Of an outcome after others, by absolute discounting."""
    left = DISCOUNT * (1 + len(counts)) * otherwise
    return (max(counts[outcome] - DISCOUNT, 0.0) + left) / (counts.total() + DISCOUNT)


def events(value: Any) -> Iterator[tuple[str, Hashable, Hashable]]:
    """Group, context and outcome of what can be like the rest of the document.

    lengths: of arrays in one array. places: the key two levels above a key. order: whether a key comes after the one
    before it in the alphabet.
    """
    stack: list[tuple[Any, str, str]] = [(value, "", "")]
    while stack:
        inner, name, above = stack.pop()
        if isinstance(inner, Members):
            yield from (("places", key, above) for key, _ in inner)
            yield from (("order", None, second > first) for (first, _), (second, _) in pairwise(inner))
            stack.extend((child, key, name) for key, child in reversed(inner))
        elif isinstance(inner, list):
            yield from (("lengths", id(inner), len(child)) for child in inner if type(child) is list)
            stack.extend((child, name + "[]", name) for child in reversed(inner))


# What stands around edits.


def around(way: PartialRepair, source: str) -> Features:
    """Which kinds of edits there are, after and before which characters, of which ones, and how much text they lose."""
    found, lost = set[str](), Counter[str]()
    for kind, _, edits in repairs_of(way):
        if kind.startswith("="):
            continue
        for start, end, text in edits:
            before, after = _before(source, start), _after(source, end)
            found |= {f"{kind} after {before}", f"{kind} before {after}"}
            if end > start:
                found.add(f"{kind}: {_class(source[start])} to {_class(source[end - 1])}")
                lost[kind if kind in _LOSES else "text"] += _letters(source[start:end]) - _letters(text)
    return dict.fromkeys(found, 1.0) | {f"lost as {kind}": log1p(num) for kind, num in lost.items() if num > 0}


_LOSES = {"prose", "comment", "fence"}


def _letters(text: str) -> int:
    return sum(map(str.isalnum, text))


def _before(source: str, at: int) -> str:
    """The class of the last character before a place, and whether a line ends between."""
    start = at
    while start and source[start - 1] in _BLANKS:
        start -= 1
    return (_class(source[start - 1]) if start else "nothing") + "\n" * ("\n" in source[start:at])


def _after(source: str, at: int) -> str:
    end = at
    while end < len(source) and source[end] in _BLANKS:
        end += 1
    return "\n" * ("\n" in source[at:end]) + (_class(source[end]) if end < len(source) else "nothing")


def _class(char: str) -> str:
    if char in "{}[]:,\"'\\`/#.":
        return char
    if char.isdigit():
        return "digit"
    return "letter" if char.isalpha() or char == "_" else "other"


_BLANKS = " \t\r\n"
