"""Brackets of programs as a pushdown automaton, in any language that has (), [] and {}: tokens, costs and automaton.

Lines count too: what is in brackets is indented further than the line that opens them. Texts in quotes and comments
are left out as far as they can be told without knowing the language.
"""

import re
from collections.abc import Iterator
from math import inf
from typing import NamedTuple

from apmdm.text_repair.ways import Edit, Fault, Trail, place

CLOSED_BY = {"(": ")", "[": "]", "{": "}"}
COSTS: dict[str, float] = {
    "missing closer at a line's end": 3.5,
    "missing closer before a bracket": 4.5,
    "missing opener": 6.0,
    "extra closer": 4.5,
    "extra opener": 5.5,
    "wrong closer": 4.0,
    "not indented within brackets": 2.0,
    "indented after brackets": 2.0,
    "closing line indented otherwise": 1.5,
}
"""Set by hand."""
_SLASHES = re.compile(r"(?:^|[;{},])[ \t]*//", re.MULTILINE)
"""Two slashes that begin a comment for sure. In a text without any they divide, as in Python."""


def _tokens(*comments: str) -> re.Pattern[str]:
    left_out = r'''
        """(?:\\.|[^\\])*?"""|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`
    '''
    patterns = "|".join((left_out, r"/\*.*?\*/", r"(?<!\S)\#\s[^\n]*", *comments))
    return re.compile(
        rf"(?P<left_out>{patterns}) | (?P<line>\n[ \t]*(?=[^\s])) | (?P<bracket>[()\[\]{{}}])", re.VERBOSE | re.DOTALL
    )


_TOKEN, _TOKEN_OR_SLASHES = _tokens(), _tokens(r"//[^\n]*")


class Token(NamedTuple):
    """A bracket, or the beginning of a line, which has no text. before: where the text before it ends.

    indent: that of the line. first: whether it begins the line.
    """

    text: str
    start: int
    before: int
    indent: int
    first: bool


class Opener(NamedTuple):
    """An open bracket and the indentation of its line."""

    text: str
    at: int
    indent: int
    parent: "Opener | None"


class BracketsWay(NamedTuple):
    """A repair up to the token `at`. frame: the innermost open bracket. trail: as in Way."""

    cost: float
    at: int
    frame: Opener | None = None
    trail: Trail = None


def tokens_of(source: str) -> list[Token]:
    """The tokens of a text, the last of them an empty one."""
    found, indent, first = list[Token](), len(source) - len(source.lstrip(" \t")), True
    pattern = _TOKEN_OR_SLASHES if _SLASHES.search(source) else _TOKEN
    for match in pattern.finditer(source):
        start, last = match.end() - (match.lastgroup == "bracket"), found[-1].start if found else 0
        before = last + len(source[last:start].rstrip())
        if match.lastgroup == "line":
            indent, first = len(match.group()) - 1, True
            found.append(Token("", start, before, indent, True))
        elif match.lastgroup == "bracket":
            blank = not source[source.rfind("\n", 0, start) + 1 : start].strip()
            found.append(Token(match.group(), start, before, indent, first and blank))
            first = False
    end = len(source.rstrip())
    return [*found, Token("", end, end, 0, True)]


def is_balanced(text: str) -> bool:
    return unmatched(text) is None


def unmatched(text: str) -> Fault | None:
    """The first closing bracket that closes nothing, or else the innermost bracket that stays open."""
    stack = list[Token]()
    for token in tokens_of(text):
        if token.text in CLOSED_BY:
            stack.append(token)
        elif token.text and (not stack or CLOSED_BY[stack.pop().text] != token.text):
            return Fault(*place(text, token.start), f"{token.text} closes nothing that is open")
    return Fault(*place(text, stack[-1].start), f"{stack[-1].text} is not closed") if stack else None


class AnyBrackets:
    """The automaton over one text."""

    def __init__(self, source: str) -> None:
        self.source, self.tokens = source, tokens_of(source)
        self.last = len(self.tokens) - 1

    def start(self) -> BracketsWay:
        return BracketsWay(0.0, 0)

    def ended(self, way: BracketsWay) -> bool:
        return way.at == self.last and way.frame is None

    def key(self, way: BracketsWay) -> tuple[object, ...]:
        frame, found = way.frame, list[object]()
        while frame is not None:
            found.append((frame.text, frame.at))
            frame = frame.parent
        return tuple(found)

    def follow(self, way: BracketsWay, budget: float = inf) -> Iterator[BracketsWay]:
        token, frame = self.tokens[way.at], way.frame
        on = way._replace(at=way.at + 1)
        if frame is not None:
            yield self._closed(way, frame)
        if way.at == self.last:
            return
        if not token.text:
            outside = frame is not None and token.indent <= frame.indent and not self._closes(token)
            yield self._pay(on, "not indented within brackets") if outside else on
        elif token.text in CLOSED_BY:
            yield on._replace(frame=Opener(token.text, way.at, token.indent, frame))
            yield self._pay(on, "extra opener", Edit(token.start, token.start + 1, ""))
        else:
            yield self._pay(on, "extra closer", Edit(token.start, token.start + 1, ""))
            if frame is None:
                return
            if token.first and token.indent != frame.indent:
                on = self._pay(on, "closing line indented otherwise")
            closed = on._replace(frame=frame.parent)
            right = CLOSED_BY[frame.text]
            edit = Edit(token.start, token.start + 1, right)
            yield closed if token.text == right else self._pay(closed, "wrong closer", edit)
        if budget >= COSTS["missing opener"] and token.text in CLOSED_BY.values():
            for mark in CLOSED_BY:
                opened = self._pay(way, "missing opener", Edit(token.start, token.start, mark))
                yield opened._replace(frame=Opener(mark, way.at, token.indent, frame))

    def _closes(self, token: Token) -> bool:
        return self.source[token.start : token.start + 1] in CLOSED_BY.values()

    def _closed(self, way: BracketsWay, frame: Opener) -> BracketsWay:
        """The closing bracket is missing before this token."""
        token = self.tokens[way.at]
        if not token.text and token.indent > frame.indent:
            way = self._pay(way, "indented after brackets")
        what = "missing closer before a bracket" if token.text else "missing closer at a line's end"
        closed = self._pay(way, what, Edit(token.before, token.before, CLOSED_BY[frame.text]))
        return closed._replace(frame=frame.parent)

    def _pay(self, way: BracketsWay, kind: str, *edits: Edit) -> BracketsWay:
        return way._replace(cost=way.cost + COSTS[kind], trail=(way.trail, kind, COSTS[kind], edits))
