"""What people, programs and language models do wrong in JSON, one function a kind; json_text_damages has more."""

import re
from collections.abc import Callable
from random import Random

from apmdm.text_repair.document import Document, Mistake, one
from apmdm.text_repair.folding import CLOSERS, OPENERS
from apmdm.text_repair.json_text_damages import (
    added,
    apostrophes,
    bad_escape,
    bare,
    raw_newline,
    texts,
    unescaped,
)
from apmdm.text_repair.tokens import Kind, json_literal
from apmdm.text_repair.ways import Edit

Damage = Callable[[Document, Random], Mistake | None]


def _at(select: Callable[[Document], list[int]], change: Callable[[Document, int, Random], Mistake | None]) -> Damage:
    """A damage at one of the places that `select` finds."""

    def damage(document: Document, random: Random) -> Mistake | None:
        at = one(select(document), random)
        return None if at is None else change(document, at, random)

    return damage


def _simple(select: Callable[[Document], list[int]], text: Callable[[str, Random], str]) -> Damage:
    """A damage that changes the text of one token and no value."""
    return _at(
        select,
        lambda document, at, random: Mistake([document.token(at, text(document.tokens.text(at), random))], {at}, []),
    )


def _closers(document: Document) -> list[int]:
    return [at for at in document.of(*CLOSERS) if at in document.partner]


def _openers(document: Document) -> list[int]:
    return document.of(*OPENERS)


def _missing_end(document: Document, random: Random) -> Mistake | None:
    last = len(document.tokens) - 2
    first = last + 1
    while first > 1 and document.tokens.kinds[first - 1] in CLOSERS:
        first -= 1
    if first > last:
        return None
    first = random.randint(first, last)
    edit = Edit(document.tokens.ends[first - 1], len(document.tokens.source), "")
    return Mistake([edit], set(range(first, last + 1)), [])


def _missing_brackets(document: Document, random: Random) -> Mistake | None:
    """An array of plain values in an object without its brackets."""
    at = one([at for at in document.of(Kind.OPEN_ARRAY) if at > 1 and _is_plain(document, at)], random)
    if at is None:
        return None
    end = document.partner[at]
    return Mistake([document.token(at, ""), document.token(end, "")], {*range(at, end + 1)}, [])


def _is_plain(document: Document, at: int) -> bool:
    """An array has several items, all of them plain, and stands behind a key."""
    kinds, end = document.tokens.kinds, document.partner.get(at, at)
    inside = set(kinds[at + 1 : end])
    return kinds[at - 1] == Kind.COLON and Kind.COMMA in inside and inside.isdisjoint(OPENERS)


def _missing_commas(document: Document, random: Random) -> Mistake | None:
    """An object or array without its commas."""
    at = one([at for at in document.of(*OPENERS) if at in document.partner], random)
    if at is None:
        return None
    end, depth, commas = document.partner[at], 0, list[int]()
    for inner in range(at + 1, end):
        kind = document.tokens.kinds[inner]
        depth += (kind in OPENERS) - (kind in CLOSERS)
        if kind == Kind.COMMA and not depth:
            commas.append(inner)
    edits = [document.token(comma, "" if document.spaced(comma) else " ") for comma in commas]
    return Mistake(edits, set(commas), []) if len(edits) > 1 else None


def _wide_marks(document: Document, random: Random) -> Mistake | None:
    """Colons and commas of a Chinese keyboard, and most often its quotes."""
    marks, touched = {Kind.COLON: "\uff1a", Kind.COMMA: "\uff0c"}, document.of(Kind.COLON, Kind.COMMA)
    edits = [document.token(at, marks[document.tokens.kinds[at]]) for at in touched]
    if random.random() < 0.6:
        quoted = document.of(Kind.TEXT)
        edits += [document.token(at, f"“{document.tokens.text(at)[1:-1]}”") for at in quoted]
        touched += quoted
    return Mistake(edits, set(touched), []) if edits else None


def _missing_root(document: Document, random: Random) -> Mistake | None:
    """A list of one item is not missed."""
    last = document.partner.get(0)
    if last is None or (document.tokens.kinds[0] == Kind.OPEN_ARRAY and not document.of(Kind.COMMA)):
        return None
    return Mistake([document.token(0, ""), document.token(last, "")], {0, last}, [])


def _extra_close(document: Document, at: int, random: Random) -> Mistake:
    if random.random() < 0.3:
        at = len(document.tokens) - 2
    return Mistake([document.after(at, random.choice(("}", "]", document.tokens.text(at))))], {at}, [])


def _swapped(document: Document, at: int, random: Random) -> Mistake:
    first, second = document.tokens.text(at), document.tokens.text(at + 1)
    return Mistake([document.token(at, second), document.token(at + 1, first)], {at, at + 1}, [])


def _swappable(document: Document) -> list[int]:
    kinds = document.tokens.kinds
    return [at for at in _closers(document) if kinds[at + 1] in CLOSERS and kinds[at] != kinds[at + 1]]


def _double_braces(document: Document, random: Random) -> Mistake | None:
    at = one([at for at in document.of(Kind.OPEN_OBJECT) if at in document.partner], random)
    if at is None:
        return None
    end = document.partner[at]
    return Mistake([document.token(at, "{{"), document.token(end, "}}")], {at, end}, [])


def _before_closer(document: Document) -> list[int]:
    """Last tokens of what is not empty."""
    return [at - 1 for at in _closers(document) if document.tokens.kinds[at - 1] not in OPENERS]


_COMMENTS = (
    "TODO",
    "see the docs",
    "not used yet",
    "default",
    'the "old" value',
    "keep in step with prod",
    "optional, see #12",
)


def _comment(document: Document, random: Random) -> Mistake | None:
    kinds, words = document.tokens.kinds, random.choice(_COMMENTS)
    line_ends = [at for at in range(1, len(kinds) - 1) if document.tokens.first[at + 1] and at + 2 < len(kinds)]
    if line_ends and random.random() < 0.7:
        at = random.choice(line_ends)
        return Mistake([document.after(at, random.choice((" // ", " // ", " # ", "  //")) + words)], {at}, [])
    at = random.randrange(1, len(kinds) - 1) if len(kinds) > 2 else 1
    return Mistake([document.before(at, f"/* {words} */ ")], {at}, [])


def _ellipsis(document: Document, at: int, random: Random) -> Mistake:
    return Mistake([document.after(at, random.choice((", ...", ",\n...", " ...", ", // ...\n")))], {at}, [])


_STRAY = ("and", "b", "ok", "then", "TODO", "note", "x1", "undefined_", "json", "continue")


def _stray(document: Document, random: Random) -> Mistake | None:
    if len(document.tokens) < 3:
        return None
    at = random.randrange(1, len(document.tokens) - 1)
    word = random.choice(_STRAY)
    after = document.tokens.kinds[at] in (Kind.COMMA, *CLOSERS)
    if not after:
        return None
    return Mistake([document.after(at, f" {word}" if random.random() < 0.5 else f"\n{word}\n")], {at}, [])


_FOREIGN = {"true": ("True",), "false": ("False",), "null": ("None", "undefined", "None")}


def _missing_value(document: Document, random: Random) -> Mistake | None:
    """A key without its plain value, and sometimes without its colon: null, an empty text, or nothing is meant."""
    kinds = document.tokens.kinds
    at = one([at for at in sorted(document.keys) if at + 4 < len(kinds) and kinds[at + 2] not in OPENERS], random)
    if at is None:
        return None
    value, colon = document.token(at + 2, ""), document.token(at + 1, "")
    first, last = at, at + 2
    if kinds[at + 3] == Kind.COMMA:
        last += 1
    elif kinds[at - 1] == Kind.COMMA:
        first -= 1
    gone = Edit(document.tokens.starts[first], document.tokens.ends[last], "")
    broken = [value, colon] if random.random() < 0.3 else [value]
    others = [document.token(at + 2, '""')], [gone]
    return Mistake(broken, {*range(first, last + 1)}, [document.token(at + 2, "null")], others)


def _literal(document: Document, at: int, random: Random) -> Mistake:
    return Mistake([document.token(at, random.choice(_FOREIGN[document.tokens.text(at)]))], {at}, [])


def _nan(document: Document, at: int, random: Random) -> Mistake:
    return Mistake(
        [document.token(at, random.choice(("NaN", "Infinity", "-Infinity")))], {at}, [document.token(at, "null")]
    )


def _bad_number(document: Document, at: int, random: Random) -> Mistake | None:
    text = document.tokens.text(at)
    if text.startswith("0.") and random.random() < 0.5:
        return Mistake([document.token(at, text[1:])], {at}, [])
    if text.startswith("-") or "." in text or "e" in text.lower():
        return Mistake([document.token(at, "+" + text)], {at}, []) if not text.startswith("-") else None
    return Mistake([document.token(at, "00" + text)], {at}, [document.token(at, f'"00{text}"')])


def _style(quote: str | None, keys_bare: bool = False, python: bool = False, smart: bool = False) -> Damage:
    """All strings and literals of a document in another language's style."""

    def damage(document: Document, random: Random) -> Mistake | None:
        edits, touched = list[Edit](), set[int]()
        for at, kind in enumerate(document.tokens.kinds):
            text = document.tokens.text(at)
            if kind == Kind.TEXT and at in document.keys and keys_bare:
                if text[1:-1].replace("_", "a").replace("$", "a").isidentifier():
                    edits.append(document.token(at, text[1:-1]))
            elif kind == Kind.TEXT and smart:
                edits.append(document.token(at, f"“{text[1:-1]}”"))
            elif kind == Kind.TEXT and quote:
                inside = text[1:-1].replace('\\"', '"').replace("'", "\\'")
                if python and "'" in text and '\\"' not in text:
                    continue
                edits.append(document.token(at, f"'{inside}'"))
            elif kind == Kind.LITERAL and python:
                edits.append(document.token(at, _FOREIGN[text][0]))
            else:
                continue
            touched.add(at)
        return Mistake(edits, touched, []) if edits else None

    return damage


_PLAIN_WORDS = re.compile(r"(?!(?:true|false|null)\b)[A-Za-z_](?:[\w .@-]*\w)?")


def _no_quotes(document: Document, random: Random) -> Mistake | None:
    """Keys and values without quotes, as programs print them, and sometimes equals signs for colons."""
    tokens = document.tokens
    inside = {at: tokens.text(at)[1:-1] for at in document.of(Kind.TEXT)}
    edits = {at: document.token(at, text) for at, text in inside.items() if is_bare(text)}
    if random.random() < 0.4:
        edits |= {at: Edit(tokens.starts[at], tokens.starts[at + 1], "=") for at in document.of(Kind.COLON)}
    return Mistake(list(edits.values()), set(edits), []) if edits else None


def is_bare(text: str) -> bool:
    return _PLAIN_WORDS.fullmatch(text) is not None and json_literal(text) is None


def _stringified(document: Document, random: Random) -> Mistake | None:
    every = document.of(Kind.TEXT)
    if any("\\" in document.tokens.text(at) for at in every) or not every:
        return None
    chosen = every if random.random() < 0.6 else [at for at in every if random.random() < 0.5]
    edits = [document.token(at, '\\"' + document.tokens.text(at)[1:-1] + '\\"') for at in chosen]
    return Mistake(edits, set(chosen), []) if edits else None


def _newline_literal(document: Document, random: Random) -> Mistake | None:
    firsts = [at for at in range(1, len(document.tokens) - 1) if document.tokens.first[at]]
    if not firsts:
        return None
    edits = [
        Edit(document.tokens.ends[at - 1], document.tokens.starts[at] - document.tokens.indent[at], "\\n")
        for at in firsts
    ]
    return Mistake(edits, set(), [])


DAMAGES: dict[str, Damage] = {
    "missing closer": _simple(_closers, lambda text, random: ""),
    "missing end": _missing_end,
    "missing opener": _simple(_openers, lambda text, random: ""),
    "missing root": _missing_root,
    "missing brackets": _missing_brackets,
    "extra closer": _at(_closers, _extra_close),
    "extra opener": _simple(_openers, lambda text, random: text + random.choice((text, "[", "{"))),
    "double braces": _double_braces,
    "wrong closer": _simple(_closers, lambda text, random: random.choice((")", *"]}".replace(text, "") * 5))),
    "swapped closers": _at(_swappable, _swapped),
    "missing comma": _simple(lambda document: document.of(Kind.COMMA), lambda text, random: ""),
    "missing commas": _missing_commas,
    "wide marks": _wide_marks,
    "double comma": _simple(lambda document: document.of(Kind.COMMA), lambda text, random: ",,"),
    "trailing comma": _simple(_before_closer, lambda text, random: text + ","),
    "leading comma": _simple(_openers, lambda text, random: text + ","),
    "wrong comma": _simple(lambda document: document.of(Kind.COMMA), lambda text, random: random.choice(";:.")),
    "missing colon": _simple(lambda document: document.of(Kind.COLON), lambda text, random: ""),
    "wrong colon": _simple(
        lambda document: document.of(Kind.COLON),
        lambda text, random: random.choice(("=", "=", ";", "=>", ",", "::", " -")),
    ),
    "missing value": _missing_value,
    "missing opening quote": _simple(texts, lambda text, random: text[1:]),
    "missing closing quote": _simple(texts, lambda text, random: text[:-1]),
    "extra quote": _simple(
        lambda document: document.of(Kind.TEXT),
        lambda text, random: text + '"' if random.random() < 0.5 else '"' + text,
    ),
    "added texts": _at(bare, added),
    "unquoted value": _simple(bare, lambda text, random: text[1:-1]),
    "unquoted key": _simple(lambda document: sorted(document.keys), lambda text, random: text[1:-1]),
    "single quotes, one": _simple(bare, lambda text, random: "'" + text[1:-1].replace("'", "\\'") + "'"),
    "single quotes": _style("'"),
    "unquoted keys": _style(None, keys_bare=True),
    "no quotes": _no_quotes,
    "apostrophes": apostrophes,
    "python": _style("'", python=True),
    "smart quotes": _style(None, smart=True),
    "smart quotes, one": _simple(texts, lambda text, random: f"“{text[1:-1]}”"),
    "stringified": _stringified,
    "newline as text": _newline_literal,
    "unescaped quotes": unescaped,
    "bad escape": bad_escape,
    "raw newline": raw_newline,
    "comment": _comment,
    "ellipsis": _at(_before_closer, _ellipsis),
    "stray text": _stray,
    "foreign literal": _at(lambda document: document.of(Kind.LITERAL), _literal),
    "not a number": _at(lambda document: document.of(Kind.NUMBER), _nan),
    "bad number": _at(lambda document: document.of(Kind.NUMBER), _bad_number),
}
SHARES = {
    "unescaped quotes": 21.0,
    "missing closer": 7.0,
    "missing end": 3.0,
    "missing opener": 1.5,
    "missing root": 0.5,
    "missing brackets": 0.3,
    "extra closer": 2.5,
    "extra opener": 1.5,
    "double braces": 0.7,
    "wrong closer": 2.0,
    "swapped closers": 0.5,
    "missing opening quote": 4.0,
    "missing closing quote": 4.5,
    "unquoted value": 3.0,
    "unquoted key": 1.0,
    "unquoted keys": 1.5,
    "no quotes": 1.5,
    "extra quote": 1.7,
    "added texts": 0.5,
    "missing comma": 5.5,
    "missing commas": 0.8,
    "wide marks": 0.4,
    "trailing comma": 6.0,
    "double comma": 1.0,
    "leading comma": 0.3,
    "wrong comma": 0.8,
    "missing colon": 1.0,
    "wrong colon": 0.7,
    "missing value": 0.6,
    "single quotes, one": 1.0,
    "single quotes": 1.5,
    "apostrophes": 0.8,
    "python": 3.0,
    "smart quotes": 0.4,
    "smart quotes, one": 0.4,
    "stringified": 0.6,
    "newline as text": 0.6,
    "bad escape": 8.0,
    "raw newline": 4.0,
    "truncated": 9.0,
    "fence": 5.0,
    "prose": 5.0,
    "concatenated": 0.8,
    "comment": 4.5,
    "ellipsis": 1.0,
    "stray text": 1.5,
    "foreign literal": 0.8,
    "not a number": 0.5,
    "bad number": 0.3,
}
STYLES = {
    "no quotes",
    "single quotes",
    "apostrophes",
    "unquoted keys",
    "python",
    "smart quotes",
    "stringified",
    "newline as text",
    "wide marks",
}
