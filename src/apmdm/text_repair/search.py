"""The cheapest ways through an automaton: a beam that keeps, at every token, the best of all that end in one state."""

import heapq
from collections.abc import Iterator
from math import inf

from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.paths import Edit, Mode, Path
from apmdm.text_repair.tokens import Kind

WIDTH = 24
MARGIN = 8.0


def cheapest(grammar: Json, num: int = 1, width: int = WIDTH, margin: float = MARGIN) -> list[Path]:
    """About the `num` cheapest repairs, the cheapest first."""
    end = len(grammar.kinds) - 1
    layers: dict[int, list[Path]] = {0: [grammar.start()]}
    found = list[Path]()
    while layers:
        at = min(layers)
        paths = layers.pop(at)
        for path in _closure(grammar, paths, num, width, margin):
            if path.at > at:
                layers.setdefault(path.at, []).append(path)
            elif at == end and path.mode == Mode.DONE:
                found.append(path)
    return sorted(found, key=lambda path: path.cost)


def _closure(grammar: Json, paths: list[Path], num: int, width: int, margin: float) -> Iterator[Path]:
    """All paths of one place and those that insertions lead to, and each that goes on from them."""
    heap = [(path.cost, number, path) for number, path in enumerate(paths)]
    heapq.heapify(heap)
    done, number, here = dict[tuple[object, ...], int](), len(heap), paths[0].at
    limit = heap[0][0] + margin
    if grammar.kinds[here] == Kind.END:  # whatever is open is closed, however deep
        heap, limit, width = heapq.nsmallest(4 * num, heap), inf, len(grammar.kinds) * 8 * num
    while heap and len(done) < width:
        cost, _, path = heapq.heappop(heap)
        if cost > limit:
            return
        state = (path.mode, path.frame and path.frame.number, path.since, path.quote, path.key, path.odd)
        if (times := done.get(state, 0)) == num:
            continue
        done[state] = times + 1
        if path.mode == Mode.DONE:
            yield path
        for further in grammar.follow(path, limit - cost):
            if further.at > here:
                yield further
            elif further.cost <= limit:
                number += 1
                heapq.heappush(heap, (further.cost, number, further))


def edits_of(path: Path) -> list[tuple[str, Edit]]:
    """The repairs of a path, in the order of the text."""
    found, trail = list[tuple[str, Edit]](), path.trail
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
