"""Broken JSON as tokens: marks, quotes, escapes and words, with the line and the indentation of each."""

import re
from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a token is. A TEXT is a whole string whose quotes both stand next to marks; WHOLE is what was folded."""

    OPEN_OBJECT = 0
    OPEN_ARRAY = 1
    CLOSE_OBJECT = 2
    CLOSE_ARRAY = 3
    COLON = 4
    COMMA = 5
    TEXT = 6
    SINGLE_TEXT = 7
    NUMBER = 8
    LITERAL = 9
    FOREIGN_LITERAL = 10
    QUOTE = 11
    SINGLE_QUOTE = 12
    SMART_QUOTE = 13
    ESCAPED_QUOTE = 14
    ESCAPE = 15
    BAD_ESCAPE = 16
    LINE_COMMENT = 17
    BLOCK_OPEN = 18
    BLOCK_CLOSE = 19
    FENCE = 20
    ELLIPSIS = 21
    WORD = 22
    BLANK = 23
    WHOLE_OBJECT = 24
    WHOLE_ARRAY = 25
    END = 26


MARKS = {
    "{": Kind.OPEN_OBJECT,
    "[": Kind.OPEN_ARRAY,
    "}": Kind.CLOSE_OBJECT,
    "]": Kind.CLOSE_ARRAY,
    ":": Kind.COLON,
    ",": Kind.COMMA,
}
WIDE_COLON, WIDE_COMMAS = "\uff1a", "\uff0c\uff1b\u3001"
"""Marks of Chinese and Japanese keyboards; each is a WORD of its own."""
FOREIGN_LITERALS = {
    "True": "true",
    "TRUE": "true",
    "False": "false",
    "FALSE": "false",
    "None": "null",
    "NULL": "null",
    "Null": "null",
    "nil": "null",
    "undefined": "null",
    "NaN": "null",
    "nan": "null",
    "Infinity": "null",
    "-Infinity": "null",
}

_FOREIGN_NUMBER = re.compile(r"([+-]?)(?:(0[xX][0-9a-fA-F]{1,1000})|(0|[1-9]\d*)?(\.\d*)?([eE][+-]?\d+)?)")
"""A number of JavaScript: .5, 5., +1 or 0x1F."""

_END_OF_TEXT = r"(?=[ \t]*(?:[:,}\]\r\n]|\\[nrt]|\Z))"
_TOKEN = re.compile(
    rf"""
    (?P<space>[ \t\r\n]+)
    |(?P<blank>[^\S \t\r\n]|[\ufeff\u200b])
    |(?P<text>"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}))*+"{_END_OF_TEXT})
    |(?P<single>'(?:[^'\\\x00-\x1f]++|\\.)*+'{_END_OF_TEXT})
    |(?P<mark>[{{}}\[\]:,])
    |(?P<quote>")
    |(?P<single_quote>['`])(?!``)
    |(?P<smart>[“”„‟«»\u2018\u2019\u201a])
    |(?P<escape>\\(?:["\\/bfnrt]|u[0-9a-fA-F]{{4}}))
    |(?P<bad_escape>\\.?)
    |(?P<fence>```+)
    |(?P<ellipsis>\.\.\.+|…)
    |(?P<line_comment>//+|\#)
    |(?P<block_open>/\*+)
    |(?P<block_close>\*+/)
    |(?P<word>(?:(?!\.\.\.|//|/\*|\*/)[^\s{{}}\[\]:,"'`“”„‟«»\u2018\u2019\u201a\\…\#\ufeff\u200b;={WIDE_COLON}{WIDE_COMMAS}])++)
    |(?P<other>=>|.)
    """,
    re.VERBOSE | re.DOTALL,
)
_HARDLY_MEANT = re.compile(r"(?<!\\)(?:\\\\)*\\[bf]|\b[A-Za-z]:(?:\\\\\w*)*\\[nrt]")
"""A backspace or form feed, and a control character in a path such as `C:\\new`."""
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_KINDS = {
    "text": Kind.TEXT,
    "single": Kind.SINGLE_TEXT,
    "quote": Kind.QUOTE,
    "single_quote": Kind.SINGLE_QUOTE,
    "smart": Kind.SMART_QUOTE,
    "escape": Kind.ESCAPE,
    "bad_escape": Kind.BAD_ESCAPE,
    "fence": Kind.FENCE,
    "ellipsis": Kind.ELLIPSIS,
    "line_comment": Kind.LINE_COMMENT,
    "block_open": Kind.BLOCK_OPEN,
    "block_close": Kind.BLOCK_CLOSE,
    "blank": Kind.BLANK,
    "other": Kind.WORD,
}
_BEFORE_TEXT = {Kind.OPEN_OBJECT, Kind.OPEN_ARRAY, Kind.COLON, Kind.COMMA}


@dataclass(frozen=True)
class Tokens:
    """The tokens of a text, the last of them an empty END. Blanks between them are none.

    first: whether a token is the first of its line. indent: how many blanks begin its line.
    """

    source: str
    kinds: list[Kind]
    starts: list[int]
    ends: list[int]
    first: list[bool]
    indent: list[int]

    def __len__(self) -> int:
        return len(self.kinds)

    def text(self, at: int) -> str:
        return self.source[self.starts[at] : self.ends[at]]

    def hardly_meant(self, at: int) -> bool:
        """Whether a TEXT or SINGLE_TEXT has escapes that a person hardly means."""
        return _HARDLY_MEANT.search(self.source, self.starts[at], self.ends[at]) is not None

    def merged(self, spans: list[tuple[int, int]]) -> "Tokens":
        """With the tokens of each span, from its first to its last, an object or array, as one."""
        if not spans:
            return self
        kept, at = list[int](), 0
        kinds, ends = list(self.kinds), list(self.ends)
        for first, last in spans:
            kept.extend(range(at, first + 1))
            kinds[first] = Kind.WHOLE_ARRAY if kinds[first] == Kind.OPEN_ARRAY else Kind.WHOLE_OBJECT
            ends[first], at = ends[last], last + 1
        kept.extend(range(at, len(kinds)))
        columns = kinds, self.starts, ends, self.first, self.indent
        return Tokens(self.source, *([column[at] for at in kept] for column in columns))  # pyrefly: ignore[bad-argument-type]


def tokens_of(source: str) -> Tokens:
    found = Tokens(source, [], [], [], [], [])
    at, last = 0, Kind.COMMA
    first, indent = True, 0
    while at < len(source):
        match = _TOKEN.match(source, at)
        assert match is not None
        name, end = match.lastgroup or "", match.end()
        if name in ("text", "single") and not (last in _BEFORE_TEXT or first):
            name, end = ("quote" if name == "text" else "single_quote"), at + 1
        if name == "space":
            blanks = match.group()
            if (newline := max(blanks.rfind("\n"), blanks.rfind("\r"))) >= 0:
                first, indent = True, len(blanks) - newline - 1
            elif not found.kinds:
                indent = len(blanks)
            at = end
            continue
        kind = _kind(name, source[at:end])
        if kind != Kind.ESCAPE:
            last = kind
        found.kinds.append(kind)
        found.starts.append(at)
        found.ends.append(end)
        found.first.append(first)
        found.indent.append(indent)
        at, first = end, False
    found.kinds.append(Kind.END)
    found.starts.append(at)
    found.ends.append(at)
    found.first.append(True)
    found.indent.append(0)
    return found


def _kind(name: str, text: str) -> Kind:
    if name == "mark":
        return MARKS[text]
    if name == "escape":
        return Kind.ESCAPED_QUOTE if text == '\\"' else Kind.ESCAPE
    if name != "word":
        return _KINDS[name]
    if text in ("true", "false", "null"):
        return Kind.LITERAL
    if _NUMBER.fullmatch(text):
        return Kind.NUMBER
    return Kind.WORD if json_literal(text) is None else Kind.FOREIGN_LITERAL


def json_literal(text: str) -> str | None:
    """What a literal or a number of another language is in JSON; None if it is neither."""
    found = _FOREIGN_NUMBER.fullmatch(text)
    if found is None or not any(character.isdigit() for character in text):
        return FOREIGN_LITERALS.get(text)
    sign, hexadecimal, whole, part, exponent = found.groups(default="")
    number = (
        str(int(hexadecimal, 16)) if hexadecimal else (whole or "0") + (part + "0" if part == "." else part) + exponent
    )
    return sign.replace("+", "") + number
