"""The cheapest ways through an automaton: a beam that keeps, at every token, the best of all that end in one state."""

import heapq
from collections.abc import Iterator
from math import inf
from typing import Protocol, TypeVar, runtime_checkable

from apmdm.text_repair.ways import Edit, Trail

NUM, WIDTH, MARGIN = 6, 64, 10.0


@runtime_checkable
class PartialRepair(Protocol):
    """A repair up to the token `at`. trail: see ways.Way."""

    @property
    def cost(self) -> float: ...
    @property
    def at(self) -> int: ...
    @property
    def trail(self) -> Trail: ...


W = TypeVar("W", bound=PartialRepair)


@runtime_checkable
class Grammar(Protocol[W]):
    """An automaton over the tokens of a text. last: the number of its last token, which is empty."""

    @property
    def last(self) -> int: ...
    def start(self) -> W: ...
    def follow(self, way: W, budget: float) -> Iterator[W]:
        """Every repair that goes one token or one insertion further. budget: what it may cost to be of use."""
        ...

    def key(self, way: W) -> tuple[object, ...]:
        """What decides how a way can go on from its token."""
        ...

    def ended(self, way: W) -> bool: ...


def cheapest(grammar: Grammar[W], num: int = NUM, width: int = WIDTH, margin: float = MARGIN) -> list[W]:
    """About the `num` cheapest repairs, the cheapest first.

    num: of how many ways that lead to one state. width: of how many states of a token. margin: of ways that cost how
    much more than the cheapest. Others are given up.
    """
    layers: dict[int, list[W]] = {0: [grammar.start()]}
    found = list[W]()
    while layers:
        at = min(layers)
        ways = layers.pop(at)
        for way in _closure(grammar, ways, num, width, margin):
            if way.at > at:
                layers.setdefault(way.at, []).append(way)
            elif at == grammar.last and grammar.ended(way):
                found.append(way)
    return sorted(found, key=lambda way: way.cost)


def _closure(grammar: Grammar[W], ways: list[W], num: int, width: int, margin: float) -> Iterator[W]:
    """All ways of one place and those that insertions lead to, and each that goes on from them."""
    heap = [(way.cost, number, way) for number, way in enumerate(ways)]
    heapq.heapify(heap)
    done, number, here = dict[tuple[object, ...], int](), len(heap), ways[0].at
    limit = heap[0][0] + margin
    if here == grammar.last:  # whatever is open is closed, however deep
        heap, limit, width = heapq.nsmallest(4 * num, heap), inf, (grammar.last + 1) * 8 * num
    while heap and len(done) < width:
        cost, _, way = heapq.heappop(heap)
        if cost > limit:
            return
        state = grammar.key(way)
        if (times := done.get(state, 0)) == num:
            continue
        done[state] = times + 1
        if grammar.ended(way):
            yield way
        for further in grammar.follow(way, limit - cost):
            if further.at > here:
                yield further
            elif further.cost <= limit:
                number += 1
                heapq.heappush(heap, (further.cost, number, further))


def repairs_of(way: PartialRepair) -> Iterator[tuple[str, float, tuple[Edit, ...]]]:
    """The kind, the cost and the edits of each repair of a way, the last repair first."""
    trail = way.trail
    while trail is not None:
        trail, kind, cost, edits = trail  # pyrefly: ignore[not-iterable]
        yield kind, cost, edits


def edits_of(way: PartialRepair) -> list[tuple[str, Edit]]:
    """The repairs of a way, in the order of the text."""
    found = list[tuple[str, Edit]]()
    for kind, _, edits in repairs_of(way):
        found.extend((kind, edit) for edit in reversed(edits))
    found.reverse()
    return sorted(found, key=lambda item: (item[1].start, item[1].end))


def applied(source: str, edits: list[Edit]) -> str:
    out, at = list[str](), 0
    for edit in edits:
        out.append(source[at : edit.start])
        out.append(edit.text)
        at = max(at, edit.end)
    return "".join([*out, source[at:]])
