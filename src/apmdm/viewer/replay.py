"""A film played back in Python, as the page does it: what is shown of every frame."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from apmdm.viewer.film import NEW, after, pairs, shifted
from apmdm.vocab import MASK


@dataclass(frozen=True)
class Shown:
    """One token or item: what it shows, and what the step does with it.

    becomes: the text that a MASK is about to be written with. deed: unmask, remask, delete, wait or nothing.
    inserts: a MASK comes after it. level, guess: how many guesses it hangs on, and whether it is one itself.
    """

    text: str
    becomes: str | None = None
    deed: str = ""
    inserts: bool = False
    level: int = 0
    guess: bool = False


def shots(film: dict[str, Any], as_tokens: bool = False) -> Iterator[tuple[list[Shown], str]]:
    """For every frame its cells and its note. as_tokens: the tokens, even if there is a drawing."""
    frames, palette, symbols = film["frames"], [], film["symbols"]
    wholes = list(_wholes(frames))
    for number, (frame, (tokens, items, span, note)) in enumerate(zip(frames, wholes, strict=True)):
        palette += frame.get("items", [])
        deeds, goes_on = _deeds(frame, tokens), number < len(frames) - 1
        if as_tokens or film["kind"] is None:
            texts = [{"t": symbols[token]} for token in tokens]
            later: dict[int, Any] = {position: {"t": symbols[token]} for position, token in deeds["unmask"].items()}
            order = list(range(len(tokens)))
        else:
            texts, order = [palette[item] for item in items], _positions(items, span)
            palette_then = palette + (frames[number + 1].get("items", []) if goes_on else [])
            later = _later(frame, tokens, wholes[number + 1], palette_then) if goes_on and span else {}
        cells = zip(texts, order, strict=True)
        yield [_shown(item, position, tokens, deeds, later, goes_on) for item, position in cells], note


Whole = tuple[list[int], list[int], Any, str]


def _wholes(frames: list[dict[str, Any]]) -> Iterator[Whole]:
    """Tokens, items, span and note of every frame."""
    tokens, items, span, note, before = list[int](), list[int](), None, "", dict[str, Any]()
    for frame in frames:
        tokens = frame["t"] if "t" in frame else after(before, tokens)
        if span is not None:
            start, end, backwards = span
            inner = items[::-1] if backwards else items
            moved = shifted(before, [*[NEW] * start, *inner, *[NEW] * end], NEW)
            moved = moved[start : len(moved) - end]
            items = moved[::-1] if backwards else moved
        if "x" in frame:
            start, gone, *come = frame["x"]
            items = [*items[:start], *come, *items[start + gone :]]
        items = list(items)
        for index, item in pairs(frame.get("c", [])):
            items[index] = item
        span, note, before = frame.get("span", span), frame.get("n", note), frame
        yield tokens, items, span, note


def _deeds(frame: dict[str, Any], tokens: list[int]) -> dict[str, Any]:
    return {
        "unmask": dict(pairs(frame.get("u", []))),
        "remask": set(frame.get("r", ())),
        "delete": set(frame.get("d", ())),
        "insert": set(frame.get("i", ())),
        "wait": {position for position, token in enumerate(tokens) if token == MASK},
    }


def _positions(items: list[int], span: Any) -> list[int | None]:
    if span is None:
        return [None] * len(items)
    start, _, backwards = span
    places: list[int | None] = list(range(start, start + len(items)))
    return places[::-1] if backwards else places


def _later(frame: dict[str, Any], tokens: list[int], then: Whole, palette: list[Any]) -> dict[int, Any]:
    """The item that each position has in the next frame, if it is written in this one."""
    _, items, span, _ = then
    places, written = shifted(frame, range(len(tokens)), NEW), frame.get("u", [])[::2]
    found = {}
    for position, item in zip(_positions(items, span), items, strict=True):
        if position is not None and places[position] in written:
            found[places[position]] = palette[item]
    return found


def _shown(
    item: dict[str, Any], position: int | None, tokens: list[int], deeds: dict[str, Any], later: Any, goes_on: bool
) -> Shown:
    names = ("unmask", "remask", "delete", "wait")
    deed = next((name for name in names if position in deeds[name]), "") if goes_on else ""
    shown = later.get(position, item) if deed == "unmask" else item
    becomes = shown["t"] if deed == "unmask" and position in later else None
    return Shown(item["t"], becomes, deed, position in deeds["insert"], shown.get("l", 0), bool(shown.get("g")))
