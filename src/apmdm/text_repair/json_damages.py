"""What people, programs and language models do wrong in JSON, one function a kind."""

from collections.abc import Callable
from random import Random

from apmdm.text_repair.document import Document, Mistake, parses
from apmdm.text_repair.folding import CLOSERS, OPENERS
from apmdm.text_repair.tokens import Kind
from apmdm.text_repair.ways import Edit

Damage = Callable[[Document, Random], Mistake | None]


def _one(places: list[int], random: Random) -> int | None:
    return random.choice(places) if places else None


def _at(select: Callable[[Document], list[int]], change: Callable[[Document, int, Random], Mistake | None]) -> Damage:
    """A damage at one of the places that `select` finds."""

    def damage(document: Document, random: Random) -> Mistake | None:
        at = _one(select(document), random)
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


def _inner_openers(document: Document) -> list[int]:
    return [at for at in document.of(*OPENERS) if at > 0]


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


def _missing_root(document: Document, random: Random) -> Mistake | None:
    last = document.partner.get(0)
    return None if last is None else Mistake([document.token(0, ""), document.token(last, "")], {0, last}, [])


def _extra_close(document: Document, at: int, random: Random) -> Mistake:
    return Mistake([document.after(at, random.choice(("}", "]", document.tokens.text(at))))], {at}, [])


def _swapped(document: Document, at: int, random: Random) -> Mistake:
    first, second = document.tokens.text(at), document.tokens.text(at + 1)
    return Mistake([document.token(at, second), document.token(at + 1, first)], {at, at + 1}, [])


def _swappable(document: Document) -> list[int]:
    kinds = document.tokens.kinds
    return [at for at in _closers(document) if kinds[at + 1] in CLOSERS and kinds[at] != kinds[at + 1]]


def _double_braces(document: Document, random: Random) -> Mistake | None:
    at = _one([at for at in document.of(Kind.OPEN_OBJECT) if at in document.partner], random)
    if at is None:
        return None
    end = document.partner[at]
    return Mistake([document.token(at, "{{"), document.token(end, "}}")], {at, end}, [])


def _before_closer(document: Document) -> list[int]:
    """Last tokens of what is not empty."""
    return [at - 1 for at in _closers(document) if document.tokens.kinds[at - 1] not in OPENERS]


def _texts(document: Document) -> list[int]:
    return [at for at in document.of(Kind.TEXT) if document.tokens.ends[at] - document.tokens.starts[at] > 2]


def _wordy(document: Document) -> list[int]:
    return [at for at in document.values() if " " in document.tokens.text(at).strip('" ')]


def _bare(document: Document) -> list[int]:
    return [
        at for at in document.values() if set(document.tokens.text(at)[1:-1]) and "\\" not in document.tokens.text(at)
    ]


def _unescaped(document: Document, random: Random) -> Mistake | None:
    held = [at for at in document.of(Kind.TEXT) if '\\"' in document.tokens.text(at)]
    if held and random.random() < 0.7:
        at = random.choice(held)
        return Mistake([document.token(at, document.tokens.text(at).replace('\\"', '"'))], {at}, [])
    at = _one(_wordy(document), random)
    if at is None:
        return None
    words = document.tokens.text(at)[1:-1].split(" ")
    first = random.randrange(len(words))
    last = min(len(words) - 1, first + random.choice((0, 0, 0, 1, 2)))
    if random.random() < 0.12 and (first + 1 < len(words) or words[first][-1:].isdigit()):
        words[first] += '\\"'
    else:
        words[first], after = '\\"' + words[first], words[last]
        mark = after[-1] if len(after) > 1 and after[-1] in ".,;:!?" else ""
        words[last] = (words[last][:-1] if mark else words[last]) + '\\"' + mark
    right = '"' + " ".join(words) + '"'
    if not parses(right):
        return None
    return Mistake([document.token(at, right.replace('\\"', '"'))], {at}, [document.token(at, right)])


_PATHS = (r"C:\Users\dana\data", r"D:\work\project", r"src\main\app", r"\\server\share", r"..\lib\core")
_PATTERNS = (r"\d+", r"\w+@\w+\.com", r"^\s*$", r"\(x\)", r"a\_b", r"\[link\]", r"\$5", r"\*bold\*", r"it\'s")


def _bad_escape(document: Document, random: Random) -> Mistake | None:
    held = [at for at in document.of(Kind.TEXT) if "\\\\" in document.tokens.text(at)]
    if held and random.random() < 0.7:
        at = random.choice(held)
        wrong = document.tokens.text(at).replace("\\\\", "\\")
        return Mistake([document.token(at, wrong)], {at}, [])
    at = _one(document.values(), random)
    if at is None:
        return None
    if random.random() < 0.3 and "'" in (text := document.tokens.text(at)):
        return Mistake([document.token(at, text.replace("'", "\\'"))], {at}, [])
    new = random.choice(_PATHS + _PATTERNS)
    inside = document.tokens.text(at)[1:-1]
    if " " in inside:
        cut = inside.index(" ") + 1
        new = inside[:cut] + new + inside[cut - 1 :]
    right = '"' + new.replace("\\'", "'").replace("\\", "\\\\") + '"' if "\\" not in inside else None
    if right is None:
        return None
    return Mistake([document.token(at, f'"{new}"')], {at}, [document.token(at, right)])


def _raw_newline(document: Document, random: Random) -> Mistake | None:
    held = [at for at in document.values() if "\\n" in document.tokens.text(at).replace("\\\\", "")]
    if held and random.random() < 0.7:
        at = random.choice(held)
        text = document.tokens.text(at)
        return Mistake([document.token(at, text.replace("\\n", "\n"))], {at}, []) if "\\\\" not in text else None
    at = _one(_wordy(document), random)
    if at is None:
        return None
    text = document.tokens.text(at)
    place = random.choice([place for place, char in enumerate(text) if char == " "])
    wrong = text[:place] + "\n" + text[place + 1 :]
    return Mistake([document.token(at, wrong)], {at}, [document.token(at, wrong.replace("\n", "\\n"))])


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
    at = random.randrange(1, len(document.tokens) - 1)
    word = random.choice(_STRAY)
    after = document.tokens.kinds[at] in (Kind.COMMA, *CLOSERS)
    if not after:
        return None
    return Mistake([document.after(at, f" {word}" if random.random() < 0.5 else f"\n{word}\n")], {at}, [])


_FOREIGN = {"true": ("True",), "false": ("False",), "null": ("None", "undefined", "None")}


def _literal(document: Document, at: int, random: Random) -> Mistake:
    return Mistake([document.token(at, random.choice(_FOREIGN[document.tokens.text(at)]))], {at}, [])


def _nan(document: Document, at: int, random: Random) -> Mistake:
    return Mistake(
        [document.token(at, random.choice(("NaN", "Infinity", "-Infinity")))], {at}, [document.token(at, "null")]
    )


def _bad_number(document: Document, at: int, random: Random) -> Mistake | None:
    text = document.tokens.text(at)
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


def _stringified(document: Document, random: Random) -> Mistake | None:
    edits = list[Edit]()
    texts = document.of(Kind.TEXT)
    if any("\\" in document.tokens.text(at) for at in texts) or not texts:
        return None
    chosen = texts if random.random() < 0.6 else [at for at in texts if random.random() < 0.5]
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
    "missing opener": _simple(_inner_openers, lambda text, random: ""),
    "missing root": _missing_root,
    "extra closer": _at(_closers, _extra_close),
    "extra opener": _simple(_inner_openers, lambda text, random: text + random.choice((text, "[", "{"))),
    "double braces": _double_braces,
    "wrong closer": _simple(_closers, lambda text, random: random.choice((")", *"]}".replace(text, "") * 5))),
    "swapped closers": _at(_swappable, _swapped),
    "missing comma": _simple(lambda document: document.of(Kind.COMMA), lambda text, random: ""),
    "double comma": _simple(lambda document: document.of(Kind.COMMA), lambda text, random: ",,"),
    "trailing comma": _simple(_before_closer, lambda text, random: text + ","),
    "wrong comma": _simple(lambda document: document.of(Kind.COMMA), lambda text, random: random.choice(";:.")),
    "missing colon": _simple(lambda document: document.of(Kind.COLON), lambda text, random: ""),
    "wrong colon": _simple(
        lambda document: document.of(Kind.COLON),
        lambda text, random: random.choice(("=", "=", ";", "=>", ",", "::", " -")),
    ),
    "missing opening quote": _simple(_texts, lambda text, random: text[1:]),
    "missing closing quote": _simple(_texts, lambda text, random: text[:-1]),
    "extra quote": _simple(
        lambda document: document.of(Kind.TEXT),
        lambda text, random: text + '"' if random.random() < 0.5 else '"' + text,
    ),
    "unquoted value": _simple(_bare, lambda text, random: text[1:-1]),
    "unquoted key": _simple(lambda document: sorted(document.keys), lambda text, random: text[1:-1]),
    "single quotes, one": _simple(_bare, lambda text, random: "'" + text[1:-1].replace("'", "\\'") + "'"),
    "single quotes": _style("'"),
    "unquoted keys": _style(None, keys_bare=True),
    "python": _style("'", python=True),
    "smart quotes": _style(None, smart=True),
    "smart quotes, one": _simple(_texts, lambda text, random: f"“{text[1:-1]}”"),
    "stringified": _stringified,
    "newline as text": _newline_literal,
    "unescaped quotes": _unescaped,
    "bad escape": _bad_escape,
    "raw newline": _raw_newline,
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
    "extra closer": 2.5,
    "extra opener": 1.5,
    "double braces": 0.7,
    "wrong closer": 2.0,
    "swapped closers": 0.5,
    "missing opening quote": 4.0,
    "missing closing quote": 4.5,
    "unquoted value": 3.5,
    "unquoted key": 1.0,
    "unquoted keys": 1.5,
    "extra quote": 2.0,
    "missing comma": 6.0,
    "trailing comma": 6.0,
    "double comma": 1.2,
    "wrong comma": 0.8,
    "missing colon": 1.0,
    "wrong colon": 0.7,
    "single quotes, one": 1.0,
    "single quotes": 2.0,
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
STYLES = {"single quotes", "unquoted keys", "python", "smart quotes", "stringified", "newline as text"}
