"""What people do wrong in Python, one function a kind, each at a random place of a valid text."""

import io
import re
import tokenize
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from apmdm.text_repair.python_tokens import CLOSERS, OPENERS, parses
from apmdm.text_repair.search import applied
from apmdm.text_repair.ways import Edit

TRIES = 20
_QUOTES = re.compile(r"([A-Za-z]*)(\"\"\"|'''|\"|')")


class Site(NamedTuple):
    """A token of a valid text, or the blanks before a statement."""

    start: int
    end: int
    text: str


def places(source: str) -> dict[str, list[Site]]:
    """Where mistakes can be made: brackets, colons, commas, texts and blanks before statements."""
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: dict[str, list[Site]] = {name: [] for name in ("closer", "opener", "colon", "comma", "text", "line")}
    new_line, depth = True, 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start, end = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
        if token.type in (tokenize.NL, tokenize.COMMENT, tokenize.INDENT, tokenize.DEDENT):
            continue
        if token.type in (tokenize.NEWLINE, tokenize.ENDMARKER):
            new_line = True
            continue
        if new_line:
            line = starts[token.start[0] - 1]
            found["line"].append(Site(line, start, source[line:start]))
        new_line = False
        place = Site(start, end, token.string)
        if token.string in OPENERS:
            depth += 1
            found["opener"].append(place)
        elif token.string in CLOSERS:
            depth -= 1
            found["closer"].append(place)
        elif token.string == ":" and not depth:
            found["colon"].append(place)
        elif token.string == "," and depth:
            found["comma"].append(place)
        elif token.type == tokenize.STRING:
            found["text"].append(place)
    return found


def _instead(kind: str, change: Callable[[Site, Random], tuple[int, int, str] | None]) -> "Damage":
    """A damage at a random place of a kind. change: which characters of it become what."""

    def damage(found: dict[str, list[Site]], random: Random) -> Edit | None:
        if not found[kind]:
            return None
        place = random.choice(found[kind])
        changed = change(place, random)
        return changed and Edit(place.start + changed[0], place.start + changed[1], changed[2])

    return damage


Damage = Callable[[dict[str, list[Site]], Random], Edit | None]


def _closing(place: Site, mark: str) -> tuple[int, int, str]:
    quote = _QUOTES.match(place.text)
    assert quote is not None
    size = len(place.text)
    return size - len(quote[2]), size, mark


def _opening(place: Site, random: Random) -> tuple[int, int, str]:
    quote = _QUOTES.match(place.text)
    assert quote is not None
    return quote.start(2), quote.end(2), ""


def _wrong_quote(place: Site, random: Random) -> tuple[int, int, str] | None:
    if place.text.endswith(('"""', "'''")):
        return None
    return _closing(place, "'" if place.text[-1] == '"' else '"')


def _moved(place: Site, random: Random) -> tuple[int, int, str]:
    """A line that is indented otherwise: by one to four blanks more or less, or not at all."""
    size = place.end - place.start
    wanted = random.choice(
        (size + random.randint(1, 4), max(0, size - random.randint(1, 4)), max(0, size - 4), size + 4)
    )
    return 0, size, " " * wanted


DAMAGES: dict[str, tuple[float, Damage]] = {
    "missing closer": (0.14, _instead("closer", lambda place, random: (0, 1, ""))),
    "missing opener": (0.08, _instead("opener", lambda place, random: (0, 1, ""))),
    "extra closer": (0.06, _instead("closer", lambda place, random: (1, 1, random.choice((")", "]", place.text))))),
    "extra opener": (0.03, _instead("opener", lambda place, random: (0, 0, place.text))),
    "wrong closer": (
        0.06,
        _instead(
            "closer", lambda place, random: (0, 1, random.choice([each for each in CLOSERS if each != place.text]))
        ),
    ),
    "missing colon": (0.15, _instead("colon", lambda place, random: (0, 1, ""))),
    "missing comma": (0.05, _instead("comma", lambda place, random: (0, 1, ""))),
    "missing closing quote": (0.12, _instead("text", lambda place, random: _closing(place, ""))),
    "missing opening quote": (0.08, _instead("text", _opening)),
    "wrong quote": (0.03, _instead("text", _wrong_quote)),
    "wrong indentation": (0.2, _instead("line", _moved)),
}
"""Each kind with its share."""


def damaged(
    source: str, num: int, random: Random, kinds: tuple[str, ...] = tuple(DAMAGES)
) -> tuple[str, tuple[str, ...]] | None:
    """A text with `num` mistakes of these kinds, each of which alone keeps it from parsing; None if there is none."""
    found, edits = places(source), list[Edit]()
    names = random.choices(kinds, [DAMAGES[kind][0] for kind in kinds], k=num)
    for name in names:
        for _ in range(TRIES):
            edit = DAMAGES[name][1](found, random)
            if edit is None or any(edit.start <= other.end and other.start <= edit.end for other in edits):
                continue
            if not parses(applied(source, [edit])):
                edits.append(edit)
                break
        else:
            return None
    broken = applied(source, sorted(edits))
    return None if parses(broken) else (broken, tuple(names))
