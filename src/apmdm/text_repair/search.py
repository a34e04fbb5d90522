"""The cheapest ways through an automaton: a beam that keeps, at every token, the best of all that end in one state."""

import heapq
from collections.abc import Iterator
from math import inf

from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.tokens import Kind
from apmdm.text_repair.ways import Edit, Mode, Way

NUM, WIDTH, MARGIN = 4, 64, 10.0


def cheapest(grammar: Json, num: int = NUM, width: int = WIDTH, margin: float = MARGIN) -> list[Way]:
    """About the `num` cheapest repairs, the cheapest first.

    num: of how many ways that lead to one state. width: of how many states of a token. margin: of ways that cost how
    much more than the cheapest. Others are given up.
    """
    end = len(grammar.kinds) - 1
    layers: dict[int, list[Way]] = {0: [grammar.start()]}
    found = list[Way]()
    while layers:
        at = min(layers)
        ways = layers.pop(at)
        for way in _closure(grammar, ways, num, width, margin):
            if way.at > at:
                layers.setdefault(way.at, []).append(way)
            elif at == end and way.mode == Mode.DONE:
                found.append(way)
    return sorted(found, key=lambda way: way.cost)


def _closure(grammar: Json, ways: list[Way], num: int, width: int, margin: float) -> Iterator[Way]:
    """All ways of one place and those that insertions lead to, and each that goes on from them."""
    heap = [(way.cost, number, way) for number, way in enumerate(ways)]
    heapq.heapify(heap)
    done, number, here = dict[tuple[object, ...], int](), len(heap), ways[0].at
    limit = heap[0][0] + margin
    if grammar.kinds[here] == Kind.END:  # whatever is open is closed, however deep
        heap, limit, width = heapq.nsmallest(4 * num, heap), inf, len(grammar.kinds) * 8 * num
    while heap and len(done) < width:
        cost, _, way = heapq.heappop(heap)
        if cost > limit:
            return
        state = (way.mode, way.frame and way.frame.number, way.since, way.quote, way.key, way.odd)
        if (times := done.get(state, 0)) == num:
            continue
        done[state] = times + 1
        if way.mode == Mode.DONE:
            yield way
        for further in grammar.follow(way, limit - cost):
            if further.at > here:
                yield further
            elif further.cost <= limit:
                number += 1
                heapq.heappush(heap, (further.cost, number, further))


def edits_of(way: Way) -> list[tuple[str, Edit]]:
    """The repairs of a way, in the order of the text."""
    found, trail = list[tuple[str, Edit]](), way.trail
    while trail is not None:
        trail, kind, _, edits = trail
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
