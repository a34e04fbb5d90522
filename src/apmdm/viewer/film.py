"""A recorded run as a film: plain JSON that the page replays, with what the task draws of every state.

A film has `symbols`, the texts of the tokens; how it is drawn (`kind` and what belongs to it); and `frames`, one for
each state. A frame holds what the step that begins there does, and what is new in the drawing:

t: the tokens, in the first frame and where they are not what the step before leads to. u: positions and the tokens
written there, alternating. r, i, d: the positions that are remasked, followed by a new MASK, or deleted. A MASK that is
in neither u nor d waits. p: probabilities.
items: what was never drawn before. span: positions before, and after, those that are drawn, and whether they are drawn
from right to left; null if nothing tells which position is where. n: the note. l: the depth.
c: indices and items, alternating, that differ from what the last step makes of the last drawing. x: if the number of
items differs from that, instead: where, how many items go, and the items that come.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Seq
from itertools import count, takewhile
from typing import Any

from apmdm.base_task import BaseTask
from apmdm.state import Sequence
from apmdm.trace import Step, Trace
from apmdm.viewer.layout import layout
from apmdm.vocab import MASK, MASK_SYMBOL, Vocab, readable

Draw = Callable[[Sequence], dict[str, Any]]
Frame = dict[str, Any]
Span = tuple[int, int, bool]
NEW, LONGEST_TEXT, LONGEST_NOTE = -1, 60, 200
"""NEW: an item that the drawing before did not have."""


def film(trace: Trace, draw: Draw | None = None, about: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A whole run. draw: of its task; without it the page shows tokens. about: what is told beside the film."""
    camera, states = Camera(trace.vocab, draw), trace.states()
    frames = [camera.frame(state, step) for state, step in zip(states, [*trace.steps, None], strict=True)]
    return camera.opening | {"about": dict(about or trace.info or {}), "frames": frames}


def draw_of(task: BaseTask) -> Draw | None:
    """How a task draws its states, None if as tokens only."""
    return None if type(task).draw is BaseTask.draw else task.draw


class Camera:
    """Takes the frames of one run, one after the other. `opening`, complete after the first: the film without them."""

    def __init__(self, vocab: Vocab, draw: Draw | None) -> None:
        texts = ["_" if symbol == MASK_SYMBOL else readable(symbol)[:LONGEST_TEXT] for symbol in vocab.symbols]
        self.opening: dict[str, Any] = {"symbols": texts, "kind": None}
        self._draw = draw
        self._begun = False
        self._palette: dict[tuple[Any, ...], int] = {}
        self._tokens: list[int] = []
        self._items: list[int] = []
        self._span: list[int] | None = None
        self._note, self._depth = "", 0
        self._last: Frame = {}

    def frame(self, state: Sequence, step: Step | None) -> Frame:
        """The frame of a state and of the step that follows, None if it is the last state."""
        tokens = state.ids.tolist()
        taken: Frame = {} if self._begun and tokens == after(self._last, self._tokens) else {"t": tokens}
        if step is not None:
            taken |= _done(step)
        if self._draw is not None:
            taken |= self._drawn(state, len(tokens))
        self._begun, self._last, self._tokens = True, taken, tokens
        return taken

    def _drawn(self, state: Sequence, length: int) -> Frame:
        assert self._draw is not None
        try:
            drawing = self._draw(state)
            items, about = ITEMS[drawing["kind"]](drawing)
            span = _span(drawing, len(items), length)
            note = " · ".join(re.split(r"\s{2,}", str(drawing.get("note") or "").strip()))[:LONGEST_NOTE]
        except Exception as error:  # a task's own code may raise anything
            if not self._begun:
                self._draw = None
            return {"n": f"this state cannot be drawn: {type(error).__name__}: {error}"[:LONGEST_NOTE]}
        if not self._begun:
            self.opening |= {"kind": drawing["kind"]} | about
        new = dict.fromkeys(item for item in items if item not in self._palette)
        self._palette |= dict(zip(new, count(len(self._palette)), strict=False))
        drawn = [self._palette[item] for item in items]
        told: Frame = {"items": [_told(item) for item in new]} if new else {}
        told |= _difference(self._expected(), drawn)
        depth = max((item[1] for item in items), default=0)
        for name, value, was in (
            ("n", note, self._note),
            ("l", depth, self._depth),
            ("span", span and list(span), self._span),
        ):
            told |= {} if value == was else {name: value}
        self._items, self._span, self._note, self._depth = drawn, span and list(span), note, depth
        return told

    def _expected(self) -> list[int]:
        """The last drawing after the last step: what stays has moved, what is inserted is NEW."""
        if self._span is None:
            return self._items
        before, behind, backwards = self._span
        inner = self._items[::-1] if backwards else self._items
        moved = shifted(self._last, [*[NEW] * before, *inner, *[NEW] * behind], NEW)
        moved = moved[before : len(moved) - behind]
        return moved[::-1] if backwards else moved


def shifted(frame: Frame, values: Seq[int], inserted: int) -> list[int]:
    """Values at the positions before the step of a frame, where they are after it: without changes of tokens."""
    gone, followed = set(frame.get("d", ())), set(frame.get("i", ()))
    moved: list[int] = []
    for position, value in enumerate(values):
        if position not in gone:
            moved += [value, inserted] if position in followed else [value]
    return moved


def after(frame: Frame, tokens: Seq[int]) -> list[int]:
    """The tokens after the step of a frame."""
    changed = list(tokens)
    for position in frame.get("r", ()):
        changed[position] = MASK
    for position, token in pairs(frame.get("u", [])):
        changed[position] = token
    return shifted(frame, changed, MASK)


def pairs(flat: Seq[int]) -> Iterator[tuple[int, int]]:
    """First and second, third and fourth, and so on."""
    return zip(flat[::2], flat[1::2], strict=True)


def _done(step: Step) -> Frame:
    """What a step does, without bits that change nothing."""
    masked = [token == MASK for token in step.tokens]
    gone = [position for position in step.delete if masked[position]]
    left = set(range(len(masked))) - set(gone)
    done = {
        "u": [number for written in sorted(step.unmask.items()) for number in written],
        "r": [position for position in step.remask if not masked[position]],
        "i": [position for position in step.insert if position in left],
        "d": gone,
    }
    told = None if step.odds is None else {str(position): list(odds) for position, odds in step.odds.items()}
    return {name: value for name, value in done.items() if value} | ({} if told is None else {"p": told})


def _difference(expected: list[int], drawn: list[int]) -> Frame:
    if len(expected) == len(drawn):
        pairs = enumerate(zip(expected, drawn, strict=True))
        changed = [number for index, (was, item) in pairs if was != item for number in (index, item)]
        return {"c": changed} if changed else {}
    start = _common(expected, drawn)
    end = min(_common(expected[::-1], drawn[::-1]), len(expected) - start, len(drawn) - start)
    return {"x": [start, len(expected) - start - end, *drawn[start : len(drawn) - end]]}


def _common(first: Seq[int], second: Seq[int]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _span(drawing: dict[str, Any], num_items: int, length: int) -> Span | None:
    places = drawing.get("positions")
    if places is None:
        follows = drawing["kind"] in ("grid", "graph") or num_items == length
        return (0, length - num_items, False) if follows and num_items <= length else None
    places = list(places)
    backwards = len(places) > 1 and places[0] > places[-1]
    ordered = places[::-1] if backwards else places
    if len(ordered) != num_items or ordered != list(range(ordered[0], ordered[0] + num_items) if ordered else ()):
        return None
    before = ordered[0] if ordered else 0
    behind = length - before - num_items
    return (before, behind, backwards) if before >= 0 and behind >= 0 else None


Item = tuple[str, int, bool, tuple[int, ...]]
"""Text, depth, whether it is a guess, and for an edge its ends."""


def _item(text: Any, level: Any = 0, guess: Any = False, ends: Iterable[Any] = ()) -> Item:
    shown = "_" if text == MASK_SYMBOL else str(text)[:LONGEST_TEXT]
    return shown, int(level), bool(guess), tuple(map(int, ends))


def _told(item: Item) -> dict[str, Any]:
    text, level, guess, ends = item
    others = {"l": level, "g": 1 if guess else 0, "e": list(ends)}
    return {"t": text} | {name: value for name, value in others.items() if value}


def _string(drawing: dict[str, Any]) -> tuple[list[Item], dict[str, Any]]:
    return [_item(symbol) for symbol in drawing["symbols"]], {}


def _grid(drawing: dict[str, Any]) -> tuple[list[Item], dict[str, Any]]:
    rows = drawing["rows"]
    cells = [_item(cell["text"], cell.get("level", 0), cell.get("guess")) for row in rows for cell in row]
    return cells, {"columns": len(rows[0]) if rows else 1, "box": int(drawing.get("box") or 0)}


def _table(drawing: dict[str, Any]) -> tuple[list[Item], dict[str, Any]]:
    rows, header = [list(row) for row in drawing["rows"]], [str(name) for name in drawing.get("header") or ()]
    columns = max(map(len, [header, *rows]))
    cells = [_item(text) for row in rows for text in [*row, *[""] * (columns - len(row))]]
    return cells, {"columns": columns, "header": header}


def _graph(drawing: dict[str, Any]) -> tuple[list[Item], dict[str, Any]]:
    edges = [_item(text, ends=(tail, head)) for tail, head, text in drawing["edges"]]
    return edges, {"nodes": layout(ends for *_, ends in edges)}


ITEMS = {"string": _string, "grid": _grid, "table": _table, "graph": _graph}
