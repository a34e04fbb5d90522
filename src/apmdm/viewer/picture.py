"""A film as a moving picture: one SVG file, which pages that show images play, README files too."""

import html
from collections.abc import Iterator
from itertools import groupby
from typing import Any

from apmdm.viewer.replay import Shown, shots

SECONDS, LAST_SECONDS, SPEEDUP = 0.45, 3.0, 40
"""How long a frame and the last one are shown. Of films with more frames than SPEEDUP the whole takes no longer."""
MOST, LONGEST, LONGEST_TEXT = 600, 400, 11
"""Frames and cells of a picture, and characters of a cell; larger films are for a page."""
SIDE, GAP, MARGIN, CAPTION, WIDTH, WIDEST, SHORT = 34, 4, 16, 58, 800, 80, 2
"""Pixels, except SHORT: characters of texts that are set large."""
STYLE = """
svg { --ink: #1d2129; --soft: #565d6b; --line: #dcd9d3; --panel: #ffffff; --on: #ffffff;
  --unmask: #1862b8; --insert: #127a43; --remask: #b9480b; --delete: #b0164a; }
@media (prefers-color-scheme: dark) { svg { --ink: #e8e9ec; --soft: #a9afbb; --line: #333842; --panel: #1b1e25;
  --on: #101216; --unmask: #79b6ff; --insert: #62d394; --remask: #ffa168; --delete: #ff86a8; } }
text { font: 500 16px system-ui, sans-serif; fill: var(--ink); text-anchor: middle; dominant-baseline: central; }
rect { fill: none; stroke: var(--line); }
.wait text, .mask text { fill: var(--soft); } .guess text { font-weight: 800; text-decoration: underline; }
.unmask rect { fill: var(--unmask); } .remask rect { fill: var(--remask); } .delete rect { fill: var(--delete); }
.insert path { fill: var(--insert); }
.unmask text, .remask text, .delete text { fill: var(--on); }
.remask text, .delete text { text-decoration: line-through; }
.small { font-size: 11px; }
.told { text-anchor: start; font-size: 13px; fill: var(--soft); } .ground { fill: var(--panel); stroke: var(--line); }
.box { stroke: var(--soft); stroke-width: 1.5; } .swatch { stroke: none; }
"""
Looks = tuple[str, str]
"""Class and text of a cell."""


def animated(films: list[dict[str, Any]]) -> str:
    """The picture of one film; raises ValueError if it is too large, or if there are several films."""
    if len(films) > 1:
        raise ValueError("a picture shows one run; two beside each other go into a page (--out FILE.html)")
    (film,) = films
    as_tokens = film["kind"] == "graph"
    frames = list(shots(film, as_tokens))
    slots = max(len(cells) for cells, _ in frames)
    if len(frames) > MOST or slots > LONGEST:
        raise ValueError(
            f"a picture is for up to {MOST} states of up to {LONGEST} cells, this run has {len(frames)} of up to "
            f"{slots}; write a page (--out FILE.html)"
        )
    gridded = film["kind"] in ("grid", "table")
    longest = max((len(cell.becomes or cell.text) for cells, _ in frames for cell in cells), default=1)
    wide = SIDE if longest <= SHORT else min(WIDEST, 10 + 7 * longest)
    columns, gap = (film["columns"], 0) if gridded else (max(1, min(slots, WIDTH // (wide + GAP))), GAP)
    rows = -(-slots // max(1, columns))
    width, height = max(columns * (wide + gap), 330) + 2 * MARGIN, rows * (SIDE + gap) + 2 * MARGIN + CAPTION
    times = _times(len(frames))
    inner = MARGIN + (width - 2 * MARGIN - columns * (wide + gap)) // 2 if gridded else MARGIN

    def cells() -> Iterator[str]:
        for slot in range(slots):
            x, y = inner + slot % columns * (wide + gap), MARGIN + slot // columns * (SIDE + gap)
            looks = [_look(shown[slot]) if slot < len(shown) else None for shown, _ in frames]
            for look, start, end in _spans(looks):
                if look is not None:
                    yield _drawn(look, x, y, wide, _shown(start, end, times))

    foot = height - CAPTION + 4
    captions = [f"step {number} of {len(frames) - 1}" + (f"   {note}" if note else "") for number, (_, note) in
                enumerate(frames)]  # fmt: skip
    told = (
        f'<text class="told" x="{MARGIN}" y="{foot + 12}" visibility="hidden">{html.escape(caption)}'
        f"{_shown(start, end, times)}</text>"
        for caption, start, end in _spans(captions)
    )
    lines = _boxes(film, inner, wide, rows) if gridded else ""
    title = html.escape(f"A run of {film['about'].get('title', 'a model')}, {len(frames) - 1} steps")
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" aria-label="{title}"><title>{title}</title><style>{STYLE}</style>',
        f'<rect class="ground" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10"/>',
        *cells(), lines, *told, _legend(foot + 34), "</svg>\n",
    ])  # fmt: skip


def _times(number: int) -> list[float]:
    """When each frame begins, and when the last one ends, in seconds."""
    each = SECONDS * min(1.0, SPEEDUP / number)
    return [each * frame for frame in range(number)] + [each * (number - 1) + LAST_SECONDS]


def _spans(values: list[Any]) -> Iterator[tuple[Any, int, int]]:
    start = 0
    for value, group in groupby(values):
        end = start + len(list(group))
        yield value, start, end
        start = end


def _look(cell: Shown) -> Looks:
    text = cell.text if cell.becomes is None else cell.becomes
    named = {cell.deed: cell.deed, "insert": cell.inserts, "guess": cell.guess, "mask": cell.text == "_"}
    return " ".join(name for name, true in named.items() if true), text


def _drawn(look: Looks, x: int, y: int, wide: int, shown: str) -> str:
    names, text = look
    small, text = ' class="small"' if len(text) > SHORT else "", html.escape(text[:LONGEST_TEXT])
    mark = f'<path d="M{x + wide - 5} {y}h5v{SIDE}h-5z"/>' if "insert" in names.split() else ""
    return (
        f'<g class="{names}" visibility="hidden"><rect x="{x}" y="{y}" width="{wide}" height="{SIDE}" rx="3"/>'
        f'<text x="{x + wide // 2}" y="{y + SIDE // 2}"{small}>{text}</text>{mark}{shown}</g>'
    )


def _shown(start: int, end: int, times: list[float]) -> str:
    """Makes an element visible from one frame up to another, again and again."""
    whole = times[-1]
    if start == 0 and end == len(times) - 1:
        return '<set attributeName="visibility" to="visible"/>'
    values, keys = ["visible"], [times[start] / whole]
    if start:
        values, keys = ["hidden", *values], [0.0, *keys]
    if end < len(times) - 1:
        values, keys = [*values, "hidden"], [*keys, times[end] / whole]
    return (
        f'<animate attributeName="visibility" values="{";".join(values)}" '
        f'keyTimes="{";".join(f"{key:.4f}".rstrip("0").rstrip(".") for key in keys)}" dur="{whole:.2f}s" '
        f'calcMode="discrete" repeatCount="indefinite"/>'
    )


def _boxes(film: dict[str, Any], inner: int, wide: int, rows: int) -> str:
    """The lines around the boxes of a grid."""
    box, columns = film.get("box") or 0, film["columns"]
    if not box:
        return ""
    return "".join(
        f'<rect class="box" x="{inner + column * wide}" y="{MARGIN + row * SIDE}" width="{box * wide}" '
        f'height="{box * SIDE}"/>'
        for row in range(0, rows, box)
        for column in range(0, columns, box)
    )


def _legend(y: int) -> str:
    return "".join(
        f'<rect class="swatch" x="{MARGIN + 78 * number}" y="{y - 6}" width="12" height="12" rx="3" '
        f'style="fill: var(--{name})"/><text class="told" x="{MARGIN + 17 + 78 * number}" y="{y}">{name}</text>'
        for number, name in enumerate(("unmask", "insert", "remask", "delete"))
    )
