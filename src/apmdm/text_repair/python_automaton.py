"""Python as a pushdown automaton over broken tokens: brackets, quotes, colons and indentation.

It accepts more than Python does. Whether a repair parses is asked of Python in the end.
"""

import builtins
import re
from collections.abc import Iterator
from math import inf

from apmdm.text_repair.automaton import Automaton
from apmdm.text_repair.costs import Costs, read
from apmdm.text_repair.python_kinds import BITS, PRIOR
from apmdm.text_repair.python_signs import loose_quotes, suspicious, usual_indentation
from apmdm.text_repair.python_tokens import (
    ASSIGNED,
    ATTRIBUTE,
    CLOSERS,
    END,
    GOING_ON,
    HEADERS,
    KEYWORDS,
    NAME,
    NUMBER,
    OPENERS,
    OPERATOR,
    OTHER,
    QUOTE,
    SIGN,
    SIMPLE,
    TEXT,
    TRIPLE,
    WHOLE,
    Level,
    PythonTokens,
    line_ends,
)
from apmdm.text_repair.python_ways import AFTER, DONE, OPERAND, STATEMENT, STRING, Bracket, PythonWay
from apmdm.text_repair.ways import Edit

FAR = 4

_PREFIX = re.compile(r"[rR][bBfF]?|[bBfF][rR]?")
_EMPTY = re.compile(r"(?:\n|\A)([ \t]*)(?=\r?\n)")
_DUNDER = re.compile(r"__\w+__\Z")
_OPERANDS = {NAME, NUMBER, TEXT, "..."}
_UNARY = {SIGN, "not", "await", "*", "**", "yield"}
_BETWEEN = {OPERATOR, SIGN, "*", "**", "@", "and", "or", "in", "is", "as", "from", "import"}
_MAY_BE_BARE = {"return", "raise", "pass", "break", "continue", "yield", "try", "else", "finally", "except"}
_GOES_ON_AFTER = {
    "elif": {"if"},
    "else": {"if", "for", "while", "except", "elif"},
    "except": {"try", "except"},
    "finally": {"try", "except", "else"},
}


class Python(Automaton[PythonWay]):
    """The automaton over one text. costs: others than those learned."""

    def __init__(self, tokens: PythonTokens, costs: Costs | None = None) -> None:
        self.tokens, self.kinds, self.first, self.indent = tokens, tokens.kinds, tokens.first, tokens.indent
        self.starts, self.ends, self.last = tokens.starts, tokens.ends, len(tokens) - 1
        self.bits = BITS
        self.costs = PRIOR | (read("python_costs.json")["costs"] if costs is None else costs)
        self.line_ends = line_ends(tokens)
        self.closers_from, self.openers_to = suspicious(tokens)
        self.loose = loose_quotes(tokens)
        self.unit = usual_indentation(tokens)
        self.names = (
            {*dir(builtins), *re.findall(r"\b[^\W\d]\w*|\d+", tokens.source)} if self.openers_to >= 0 else set()
        )
        self.modes = (self._statement, self._operand, self._after, self._string, self._done)

    def start(self) -> PythonWay:
        return PythonWay(0.0, 0, STATEMENT)

    def ended(self, way: PythonWay) -> bool:
        return way.mode == DONE

    def key(self, way: PythonWay) -> tuple[object, ...]:
        frame = way.frame and way.frame.number
        return way.mode, frame, way.levels, way.due, way.word, way.colon, way.bare, way.since, way.quote

    def follow(self, way: PythonWay, budget: float = inf) -> Iterator[PythonWay]:
        return self.modes[way.mode](way, self.kinds[way.at])

    # Statements and lines.

    def _statement(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        at = way.at
        if kind == END:
            yield from self._finish(way)
        elif self.first[at]:
            for placed in self._lines(way, kind):
                yield from self._begin(placed, kind)
        elif kind not in HEADERS or kind in ("match", "case"):
            yield from self._begin(way.to(due=False), kind)

    def _finish(self, way: PythonWay) -> Iterator[PythonWay]:
        if not way.due and way.levels[-1].last != "try":
            yield way.to(mode=DONE)

    def _lines(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """The line of a statement begins: in which block is it?"""
        indent, levels = self.indent[way.at], way.levels
        top = levels[-1].indent
        if way.due:
            usual = top + self.unit
            if indent > top:
                opened = way.to(levels=(*levels, Level(indent)), due=False)
                yield opened if indent == usual else self._pay(opened, "other indentation than usual")
            if indent != usual:
                opened = way.to(levels=(*levels, Level(usual)), due=False)
                yield self._indented(
                    opened, "missing indentation" if indent <= top else self._how_far(indent, usual), usual
                )
            return
        known = any(level.indent == indent for level in levels)
        for depth in range(len(levels), 0, -1):
            level = levels[depth - 1]
            if kind in GOING_ON and level.last not in _GOES_ON_AFTER[kind]:
                continue
            if kind in GOING_ON or level.last != "try":
                kept = level if kind in GOING_ON else Level(level.indent)
                placed = way.to(levels=(*levels[: depth - 1], kept))
                if level.indent == indent:
                    yield placed
                else:
                    what = "indentation that fits" if known else self._how_far(indent, level.indent)
                    yield self._indented(placed, what, level.indent)
            if level.last == "try" and kind not in GOING_ON:
                return

    def _how_far(self, indent: int, wanted: int) -> str:
        return "wrong indentation" if abs(indent - wanted) < FAR else "wrong indentation by far"

    def _indented(self, way: PythonWay, kind: str, indent: int) -> PythonWay:
        start = self.tokens.starts[way.at]
        return self._pay(way, kind, Edit(start - self.indent[way.at], start, " " * indent))

    def _begin(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """A statement begins, which has its block already."""
        at = way.at
        if kind == WHOLE:
            own, *inner = self.tokens.levels[at]
            levels = (*way.levels[:-1], Level(way.levels[-1].indent, own.last), *inner)
            yield way.to(at=at + 1, mode=STATEMENT, levels=levels, word="", colon=False, bare=True)
            return
        if kind in ("return", "yield") and not any(level.last == "def" for level in way.levels[:-1]):
            way = self._pay(way, "outside of a function")
        if kind in ("break", "continue") and not any(
            level.last in ("for", "while", "else") for level in way.levels[:-1]
        ):
            way = self._pay(way, "outside of a loop")
        fresh = way.to(mode=OPERAND, word="", colon=False, bare=False)
        if kind in HEADERS:
            yield fresh.to(at=at + 1, word=kind, colon=True, bare=kind in _MAY_BE_BARE)
        elif kind in SIMPLE or kind == "yield":
            yield fresh.to(at=at + 1, word=kind, bare=kind in _MAY_BE_BARE)
        elif kind == "@":
            yield fresh.to(at=at + 1, word=kind)
        else:
            yield from self._term(fresh, kind)

    def _line_over(self, way: PythonWay) -> Iterator[PythonWay]:
        """A line ends outside of brackets, so its statement does."""
        if way.mode == OPERAND and not way.bare:
            return
        if way.colon:
            yield self._block(self._pay(way, "missing colon", self._insert_after(way.at, ":")))
        else:
            yield way.to(mode=STATEMENT, word="")

    def _block(self, way: PythonWay) -> PythonWay:
        """After the colon of a header."""
        *outer, level = way.levels
        levels = (*outer, Level(level.indent, "if" if way.word == "elif" else way.word))
        return way.to(mode=STATEMENT, levels=levels, due=True, word="", colon=False)

    # Expressions.

    def _operand(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """Within a statement that has begun."""
        if kind == END or (self.first[way.at] and way.frame is None):
            if way.frame is None:
                yield from self._line_over(way)
                if way.at <= self.openers_to:
                    yield from self._opened(way, "([{")
            elif way.bare:
                yield from self._closed(way)
        elif self._is_comment(way.at):
            yield way.to(at=self.line_ends[way.at])
        else:
            yield from self._term(way, kind)

    def _is_comment(self, at: int) -> bool:
        return self.kinds[at] == OTHER and self.tokens.text(at) == "#"

    def _term(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """An operand is due."""
        at, frame = way.at, way.frame
        way = self._in_brackets(way, kind)
        on = way.to(at=at + 1, bare=False)
        if kind in _OPERANDS:
            yield on.to(mode=AFTER)
            if kind == "..." and way.word == "from":
                yield on
        elif kind in (QUOTE, TRIPLE):
            yield on.to(mode=STRING, since=at, quote=self._mark(at))
        elif kind in OPENERS:
            yield on.to(mode=OPERAND, frame=self._framed(way, kind), bare=True)
            yield self._pay(on, "extra opener", self._token(at, ""), bare=way.bare)
        elif kind == "lambda":
            yield on.to(mode=OPERAND, frame=self._framed(way, kind), bare=True)
        elif kind in _UNARY or (kind == OPERATOR and self.tokens.text(at) == "/"):
            yield on.to(mode=OPERAND, bare=kind in ("*", OPERATOR, "yield"))
        elif kind == ATTRIBUTE and way.word == "from":
            yield on.to(mode=AFTER)
        elif kind in (".", "import", "from") and way.word in ("from", "yield"):
            yield on.to(mode=OPERAND)
        elif kind in (*CLOSERS, ":", ",", "=", ";") or kind in KEYWORDS:
            if way.bare:
                yield from self._further(way.to(mode=AFTER), kind)
                return
            if kind in CLOSERS:
                yield self._pay(way, "extra closer", self._token(at, ""), at=at + 1)
        if way.bare and frame is not None and at >= self.closers_from:
            yield from self._closed(way)
        if self.loose[at] and kind not in (QUOTE, TRIPLE):
            yield from self._unquoted(way, kind)
        if at <= self.openers_to and kind not in CLOSERS:
            yield from self._opened(way, "([{")
            if kind == NAME:
                yield from self._split(way)

    def _unquoted(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """The opening quote is missing before this token, or within it behind a prefix such as f."""
        at, prefix = way.at, _PREFIX.match(self.tokens.text(way.at))
        for mark in self.loose[at]:
            opened = way.to(mode=STRING, since=at, quote=mark, bare=False)
            if len(mark) == 3:
                yield self._pay(opened, "missing opening quotes", self._insert_before(at, mark))
                if (place := self._blank_line(at)) is not None:
                    yield self._pay(opened, "missing opening quotes on a blank line", Edit(place, place, mark))
                continue
            what = "before a word" if kind in (NAME, NUMBER) else "before a mark"
            yield self._pay(opened, f"missing opening quote {what}", self._insert_before(at, mark))
            if prefix and kind == NAME:
                place = self.tokens.starts[at] + prefix.end()
                yield self._pay(opened, "missing opening quote after a prefix", Edit(place, place, mark), at=at + 1)

    def _blank_line(self, at: int) -> int | None:
        """The end of the first empty line between the token before and this one."""
        found = _EMPTY.search(self.tokens.source, self.tokens.ends[at - 1] if at else 0, self.tokens.starts[at])
        return None if found is None else found.end(1)

    def _after(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        at, frame = way.at, way.frame
        if kind == END or (self.first[at] and frame is None):
            if frame is None:
                yield from self._line_over(way)
                if at <= self.openers_to:
                    yield from self._opened(way, "([")
            else:
                yield from self._closed(way)
        elif self._is_comment(at):
            yield way.to(at=self.line_ends[at])
        else:
            yield from self._further(way, kind)

    def _further(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """After an operand, in the same line or within brackets."""
        at, frame = way.at, way.frame
        way, bare = self._in_brackets(way, kind), way.bare
        on = way.to(at=at + 1, mode=OPERAND, bare=False)
        if kind == ",":
            yield on.to(bare=True)
        elif kind in CLOSERS:
            if frame is not None and frame.mark == CLOSERS[kind]:
                yield way.to(at=at + 1, mode=AFTER, frame=frame.parent, bare=False)
            elif frame is not None and frame.mark != "lambda":
                edit = self._token(at, OPENERS[frame.mark])
                yield self._pay(way, "wrong closer", edit, at=at + 1, mode=AFTER, frame=frame.parent, bare=False)
            yield self._pay(way, "extra closer", self._token(at, ""), at=at + 1)
        elif kind == ":":
            yield from self._colon(way, on)
        elif kind == ";" and frame is None and not way.colon:
            yield way.to(at=at + 1, mode=STATEMENT, word="")
        elif kind in ("if", "else", "for") and not bare:
            if kind != "for" or frame is not None:
                yield on
        elif kind == "(" or (kind == "[" and not bare):
            if not bare:
                yield on.to(frame=self._framed(way, kind), bare=True)
            yield self._pay(way, "extra opener", self._token(at, ""), at=at + 1)
        elif kind == ATTRIBUTE and not bare:
            yield on.to(mode=AFTER)
        elif kind in (TEXT, QUOTE, TRIPLE) and not bare and self.kinds[at - 1] in (TEXT, QUOTE, TRIPLE):
            yield from self._term(way, kind)
        elif kind == "=" and (not bare or frame is None):
            if frame is None:
                yield on
            elif frame.mark in ("(", "lambda"):
                spaced = way.word != "def" and self.tokens.ends[at - 1] < self.tokens.starts[at]
                yield self._pay(on, "assignment in brackets") if spaced else on
        elif kind in (ASSIGNED, "->") and frame is None and not bare:
            yield on
        elif kind in _BETWEEN and (not bare or kind in ("import", "from", "in", "*")):
            yield on.to(bare=kind in ("*", "import") and way.word in ("from", "import"))
        yield from self._missing(way, kind)

    def _missing(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        """Something is missing before this token, which stands after an operand."""
        at, frame = way.at, way.frame
        if frame is not None and at >= self.closers_from:
            yield from self._closed(way)
        if way.bare:
            return
        begins = kind in _OPERANDS or kind in OPENERS or kind in (QUOTE, TRIPLE, "lambda", "not", "await")
        colon = self._insert_after(at, ":")
        if begins and frame is not None and frame.mark == "lambda":
            yield self._pay(way, "missing colon in brackets", colon, mode=OPERAND, frame=frame.parent)
        elif begins and frame is not None:
            what = "missing comma at a line's end" if self.first[at] else "missing comma"
            yield self._pay(way, what, self._insert_after(at, ","), mode=OPERAND, bare=True)
            if frame.mark == "{":
                yield self._pay(way, "missing colon in brackets", colon, mode=OPERAND)
        elif (
            begins and not way.word and (self.first[at - 1] or (self.kinds[at - 1] == ATTRIBUTE and self.first[at - 2]))
        ):
            yield self._pay(way, "missing colon of an annotation", colon, mode=OPERAND)
        if begins and frame is None and not way.word and self._is_print(at - 1):
            yield self._printed(way)
        if way.colon and frame is None:
            yield self._block(self._pay(way, "missing colon", colon))
        if at <= self.openers_to:
            yield from self._opened(way, "([")
            if kind == ATTRIBUTE:
                yield from self._split(way)

    def _is_print(self, at: int) -> bool:
        """Whether a statement begins here that Python 2 had."""
        begins = self.first[at] or self.kinds[at - 1] in (":", ";")
        return begins and self.tokens.text(at) in ("print", "exec")

    def _printed(self, way: PythonWay) -> PythonWay:
        """The rest of the statement is put into brackets. A comma at its end stood for no new line."""
        at, end, depth = way.at, way.at, 0
        while self.kinds[end] != END and (
            depth > 0 or not (self.first[end] or self.kinds[end] == ";" or self._is_comment(end))
        ):
            depth += (self.kinds[end] in OPENERS) - (self.kinds[end] in CLOSERS)
            end += 1
        on_one_line = self.kinds[end - 1] == "," and self.tokens.text(at - 1) == "print"
        closed = ' end=" ")' if on_one_line else ")"
        edits = Edit(self.ends[at - 1], self.starts[at], "("), self._insert_after(end, closed)
        return self._pay(way, "print or exec as a statement", *edits, mode=OPERAND, word="print")

    def _colon(self, way: PythonWay, on: PythonWay) -> Iterator[PythonWay]:
        frame = way.frame
        if frame is None:
            if way.colon:
                yield self._block(way).to(at=way.at + 1)
            elif not way.word and not way.bare:
                yield on
        elif frame.mark == "lambda":
            yield on.to(frame=frame.parent)
        elif frame.mark == "[":
            yield on.to(bare=True)
        elif not way.bare and (frame.mark == "{" or (way.word == "def" and frame.parent is None)):
            yield on

    def _in_brackets(self, way: PythonWay, kind: str) -> PythonWay:
        """A line that goes on within brackets is indented further than its statement."""
        begins_line = way.frame is not None and self.first[way.at] and kind not in CLOSERS
        if begins_line and self.indent[way.at] <= way.levels[-1].indent:
            return self._pay(way, "little indentation in brackets")
        return way

    def _framed(self, way: PythonWay, mark: str) -> Bracket:
        return Bracket(mark, hash((way.frame and way.frame.number, mark, way.at)), way.frame)

    def _opened(self, way: PythonWay, marks: str) -> Iterator[PythonWay]:
        at = way.at
        edit, kind = (
            (self._insert_after if way.mode == AFTER else self._insert_before)(at, ""),
            f"missing opener {self._behind(way)}",
        )
        for mark in marks:
            opened = self._pay(way, kind, edit._replace(text=mark))
            opened = opened if mark == "(" else self._pay(opened, "other than round")
            yield opened.to(mode=OPERAND, frame=self._framed(way, mark), bare=True)

    def _split(self, way: PythonWay) -> Iterator[PythonWay]:
        """An opening bracket is missing between two names that now are one."""
        at, text = way.at, self.tokens.text(way.at)
        begin = 1 if self.kinds[at] == ATTRIBUTE else 0
        for cut in range(begin + 1, len(text)):
            left, right = text[begin:cut], text[cut:]
            if len(right) < 2 or right not in self.names or not (left in self.names or len(left) > 2):
                continue
            known = left in self.names or _DUNDER.match(left)
            place = self.tokens.starts[at] + cut
            for mark in "([":
                opened = self._pay(way, "missing opener within a word", Edit(place, place, mark))
                opened = opened if mark == "(" else self._pay(opened, "other than round")
                opened = opened if known else self._pay(opened, "word not known")
                yield opened.to(at=at + 1, mode=AFTER, frame=self._framed(way, mark), bare=False)

    def _before(self, at: int) -> str:
        """What a closing bracket or quote would stand before."""
        kind = self.kinds[at]
        if self.first[at] or kind == END or self._is_comment(at):
            return "at a line's end"
        if kind in CLOSERS:
            return "before a closer"
        names = {",": "before a comma", ":": "before a colon"}
        operators = kind in _BETWEEN or kind in ("if", "else", "for", "=", ASSIGNED)
        return names.get(kind, "before an operator" if operators else "before a term")

    def _behind(self, way: PythonWay) -> str:
        """What an opening bracket would stand behind."""
        at = way.at
        if self.first[at] and way.frame is None:
            return "at a line's end"
        if self.kinds[at] in CLOSERS:
            return "before a closer"
        before = self.kinds[at - 1] if at else "="
        if way.mode == AFTER:
            return "between two words" if self.kinds[at] in (NAME, NUMBER) else "after a word"
        names = dict.fromkeys(OPENERS, "after an opener") | {",": "after a comma"}
        return names.get(before, "after a mark")

    def _closed(self, way: PythonWay) -> Iterator[PythonWay]:
        """The closing bracket is missing before this token."""
        at, frame = way.at, way.frame
        assert frame is not None
        if frame.mark == "lambda":
            return
        kind = self.kinds[at]
        if self.kinds[at - 1] == frame.mark:
            way = self._pay(way, "closed while empty")
        what = f"missing closer {self._before(at)}"
        goes_on = self.first[at] and frame.parent is None and kind in (":", "->", ATTRIBUTE, ",", "=")
        edit = (self._insert_before if goes_on else self._insert_after)(at, OPENERS[frame.mark])
        closed = self._pay(way, what, edit, mode=AFTER, frame=frame.parent, bare=False)
        if goes_on:
            yield from self._further(closed, kind)
        else:
            yield closed

    def _done(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        yield from ()

    # Strings with an odd quote in their line.

    def _mark(self, at: int) -> str:
        text = self.tokens.text(at)
        return text[-3:] if self.kinds[at] == TRIPLE else text[-1]

    def _string(self, way: PythonWay, kind: str) -> Iterator[PythonWay]:
        at, quote = way.at, way.quote
        ended = way.to(mode=AFTER, since=-1, quote="")
        newline = self.first[at] and at > way.since
        if len(quote) == 3:
            if newline or kind == END:
                yield self._pay(ended, "missing closing quotes", self._insert_after(at, quote))
                if (place := self._blank_line(at)) is not None:
                    yield self._pay(ended, "missing closing quotes on a blank line", Edit(place, place, quote))
            if kind == TRIPLE and self._mark(at) == quote:
                yield ended.to(at=at + 1)
            elif kind != END:
                yield way.to(at=at + 1)
            return
        if newline or kind == END:
            yield self._pay(ended, "missing closing quote at a line's end", self._insert_after(at, quote))
            return
        if at > way.since + 1:
            yield self._pay(ended, f"missing closing quote {self._before(at)}", self._insert_after(at, quote))
        if kind == QUOTE and self._mark(at) == quote:
            yield ended.to(at=at + 1)
            yield self._pay(way, "quote within quotes", self._token(at, "\\" + self.tokens.text(at)), at=at + 1)
            return
        if kind == QUOTE:
            yield self._pay(ended, "wrong quote", self._token(at, self.tokens.text(at)[:-1] + quote), at=at + 1)
        yield way.to(at=at + 1)
