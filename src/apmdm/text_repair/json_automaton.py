"""JSON as a pushdown automaton over broken tokens: which repairs lead on from each mode, and what kind each is of."""

from collections.abc import Iterator
from math import inf
from typing import Any

from apmdm.text_repair import structure
from apmdm.text_repair.costs import BITS, Costs, learned
from apmdm.text_repair.escapes import escaped, escaped_in_string, mended_escape, quoted, requoted
from apmdm.text_repair.folding import CLOSERS, OPENERS, WHOLE, folded
from apmdm.text_repair.paths import AFTER_COLON, FIRST, SEVERAL, Edit, Frame, Mode, Path
from apmdm.text_repair.tokens import FOREIGN_LITERALS, Kind, Tokens

MAX_NAMES = 500
QUOTES = {Kind.QUOTE, Kind.SINGLE_QUOTE, Kind.SMART_QUOTE, Kind.ESCAPED_QUOTE}
ENDS = {Kind.COMMA, Kind.COLON, Kind.CLOSE_OBJECT, Kind.CLOSE_ARRAY, Kind.END}


class Json:
    """The automaton over one text. costs, table: others than those learned. fold: leave out what is surely right."""

    def __init__(
        self, tokens: Tokens, costs: Costs | None = None, table: structure.Table | None = None, *, fold: bool = True
    ) -> None:
        mine, built = learned() if costs is None or table is None else (costs, table)
        self.usual = structure.usual_kinds(tokens)
        self.tokens = tokens = folded(tokens) if fold else tokens
        self.costs = mine if costs is None else costs
        self.table = built if table is None else table
        self.kinds = tokens.kinds
        self.first, self.indent = _behind_comments(tokens)
        self.end = len(tokens.source.rstrip("\r\n"))
        self.line_ends = _next(tokens.first)
        self.block_ends = _next([kind == Kind.BLOCK_CLOSE for kind in tokens.kinds])
        self.budget = inf
        self._modes = (
            self._before,
            self._value,
            self._key,
            self._colon,
            self._after,
            self._string,
            self._done,
        )

    def start(self) -> Path:
        return Path(0.0, 0, Mode.BEFORE, None)

    def follow(self, path: Path, budget: float = inf) -> Iterator[Path]:
        """Every repair that goes one token or one insertion further. budget: what it may cost to be of use."""
        self.budget = budget
        return self._modes[path.mode](path, self.kinds[path.at])

    # What is common to all modes.

    def _pay(self, path: Path, kind: str, *edits: Edit, **changes: Any) -> Path:
        """The path after a repair. changes: of its other fields."""
        bit = BITS[kind]
        cost = self.costs[kind][1 if path.seen & bit else 0]
        trail = path.trail, kind, cost, edits
        return path.to(cost=path.cost + cost, seen=path.seen | bit, trail=trail, **changes)

    def _also(self, path: Path, kind: str, *edits: Edit) -> Path:
        """More edits of a repair that is paid."""
        return path.to(trail=(path.trail, kind, 0.0, edits))

    def _token(self, at: int, text: str) -> Edit:
        return Edit(self.tokens.starts[at], self.tokens.ends[at], text)

    def _insert_before(self, at: int, text: str) -> Edit:
        return Edit(self.tokens.starts[at], self.tokens.starts[at], text)

    def _insert_after(self, at: int, text: str) -> Edit:
        """After the token before `at`, or at the end of the text."""
        end = self.tokens.ends[at - 1] if at else 0
        if self.kinds[at] == Kind.END:
            end = max(end, self.end)
        return Edit(end, end, text)

    def _joined(self, at: int) -> bool:
        """A token stands right behind a word or a quote."""
        behind = at > 0 and self.kinds[at - 1] in (Kind.WORD, *QUOTES)
        return behind and self.tokens.ends[at - 1] == self.tokens.starts[at]

    def _drop(self, path: Path, kind: str) -> Path:
        return self._pay(path, kind, self._token(path.at, ""), at=path.at + 1)

    def _skipped(self, path: Path, kind: Kind) -> Iterator[Path]:
        """What may stand anywhere between tokens."""
        at = path.at
        if kind == Kind.BLANK:
            yield self._drop(path, "odd blank")
        elif kind == Kind.BLOCK_OPEN or (kind == Kind.LINE_COMMENT and not self._joined(at)):
            end = self.line_ends[at]
            if kind == Kind.BLOCK_OPEN:
                end = min(self.block_ends[at] + 1, len(self.kinds) - 1)
            edit = Edit(self.tokens.starts[at], self.tokens.ends[end - 1], "")
            if not _NO_PROSE.isdisjoint(self.kinds[at:end]):
                path = self._pay(path, "mark in comment")
            yield self._pay(path, "comment", edit, at=end)
        elif kind == Kind.ELLIPSIS:
            yield self._drop(path, "ellipsis")
        elif kind in QUOTES and path.mode != Mode.BEFORE:
            yield self._drop(path, "extra quote")
        elif kind == Kind.FENCE:
            yield self._drop(path, "fence")
        elif kind == Kind.ESCAPE and self.tokens.text(at) in ("\\n", "\\r", "\\t"):
            yield self._drop(path, "line break as text")
        elif kind == Kind.WORD and path.mode not in (Mode.BEFORE, Mode.DONE):
            empty = path.mode == Mode.VALUE and path.since < 0
            yield self._drop(path, "stray text for a value" if empty else "stray text")

    def _placed(self, path: Path, kind: Kind) -> Path:
        """A child of the innermost frame begins here: does its place fit the others?"""
        frame, at = path.frame, path.at
        if frame is None:
            return path
        child = frame.child
        if self.first[at]:
            indent = self.indent[at]
            if child < 0:
                child = indent
                if 0 <= indent <= frame.line:
                    path = self._pay(path, "indentation")
            elif indent != child:
                path = self._pay(path, "indentation")
        elif child >= 0:
            path = self._pay(path, "line of its own")
        placed = frame._replace(child=child, size=frame.size + 1)
        return self._event(path, structure.ending(frame), structure.ON, placed)

    def _event(self, path: Path, context: str, outcome: str, frame: Frame | None) -> Path:
        """What the structure of the document costs; `frame` is the innermost one after it."""
        cost = self.table.get(context, _NOTHING).get(outcome, 0.0)
        trail = path.trail, f"={context}={outcome}", cost, ()
        return path.to(cost=path.cost + cost, trail=trail, frame=frame)

    def _of_kind(self, path: Path, kind: Kind) -> Path:
        """A value of this kind begins."""
        frame, group = path.frame, structure.GROUPS.get(kind, structure.TEXT)
        if frame is None:
            return path
        if frame.array:
            context = structure.kind_of_item(frame)
        else:
            context = structure.kind_of_member(self.usual.get(frame.key), frame.last)
        return self._event(path, context, group, frame._replace(last=group))

    def _open(self, path: Path, array: bool, line: int) -> Path:
        parent = path.frame
        frame = Frame(array, hash((parent and parent.number, array, path.at)), parent, line)
        if parent is not None:
            frame = frame._replace(like=parent.objects, length=parent.arrays)
        root = path.at if path.frame is None else path.root
        return path.to(mode=Mode.VALUE if array else Mode.KEY, frame=frame, since=FIRST, root=root)

    def _closed(self, path: Path, cut_off: bool = False) -> Path:
        """After the innermost frame, which ends here unless the text does."""
        frame = path.frame
        assert frame is not None
        parent = frame.parent
        mode = Mode.DONE if parent is None else Mode.AFTER
        if parent is not None:
            parent = parent._replace(arrays=frame.size) if frame.array else parent._replace(objects=frame.names)
        if not cut_off:
            path = self._event(path, structure.ending(frame), structure.END, frame)
            for context, outcome in structure.family(frame):
                path = self._event(path, context, outcome, frame)
        return path.to(mode=mode, frame=parent)

    def _ended(self, path: Path) -> Path:
        """After a string or another plain value."""
        if path.key:
            return path.to(mode=Mode.COLON, quote=None, key=False, odd=False, since=FIRST)
        mode = Mode.DONE if path.frame is None else Mode.AFTER
        return path.to(mode=mode, quote=None, odd=False, since=FIRST)

    def _quoted(self, path: Path, kind: Kind, key: bool) -> Iterator[Path]:
        """A string begins."""
        at = path.at
        path = path.to(key=key)
        if kind == Kind.TEXT:
            if key:
                path = self._named(path, self.tokens.text(at)[1:-1])
            yield self._ended(path.to(at=at + 1))
        elif kind == Kind.SINGLE_TEXT:
            text = requoted(self.tokens.text(at))
            if key:
                path = self._named(path, text[1:-1])
            yield self._ended(self._pay(path, "single quotes", self._token(at, text), at=at + 1))
        inside = path.to(mode=Mode.STRING, since=at, at=at + 1)
        if kind == Kind.QUOTE:
            yield inside.to(quote=kind)
        elif kind in _STYLES:
            yield self._pay(inside, _STYLES[kind], self._token(at, '"'), quote=kind)
        elif kind in _BARE and path.frame is not None:
            yield inside.to(at=at, quote=None)
        elif kind in (Kind.ESCAPE, Kind.BAD_ESCAPE) or (kind in OPENERS and path.frame is not None):
            edit = self._insert_before(at, '"')
            yield self._pay(inside, "missing opening quote", edit, at=at, quote=Kind.QUOTE)

    def _named(self, path: Path, name: str) -> Path:
        frame = path.frame
        assert frame is not None
        if name in frame.names:
            path = self._pay(path, "same key")
        names = frame.names | {name} if len(frame.names) < MAX_NAMES else frame.names
        return path.to(frame=frame._replace(names=names, key=name))

    # One method a mode.

    def _before(self, path: Path, kind: Kind) -> Iterator[Path]:
        yield from self._skipped(path, kind)
        at = path.at
        plain = (Kind.TEXT, Kind.QUOTE, Kind.NUMBER, Kind.LITERAL, Kind.FOREIGN_LITERAL)
        if kind in OPENERS or kind in WHOLE or kind in plain:
            yield path.to(mode=Mode.VALUE, since=FIRST, root=at)
        if kind in (Kind.TEXT, Kind.QUOTE, Kind.SINGLE_TEXT, Kind.SINGLE_QUOTE, Kind.WORD):
            for array in (False, True):
                opened = self._pay(path, "no brackets around", self._insert_before(at, "[" if array else "{"))
                yield self._open(opened, array, -1)
        if kind != Kind.END:
            free = kind == Kind.WORD and at and self.kinds[at - 1] == Kind.FENCE
            yield self._drop(self._prose(path, kind), "fence" if free else "prose")

    def _value(self, path: Path, kind: Kind) -> Iterator[Path]:
        at = path.at
        yield from self._skipped(path, kind)
        if kind in ENDS:
            yield from self._no_value(path, kind)
            return
        child = path if path.since == AFTER_COLON else self._placed(path, kind)
        placed = self._of_kind(child, kind)
        if kind in OPENERS:
            yield self._open(placed, OPENERS[kind], self.indent[at]).to(at=at + 1)
            if path.frame is not None or self.kinds[at + 1] in OPENERS:
                yield self._drop(path, "extra opener")
        elif kind in (Kind.NUMBER, Kind.LITERAL, *WHOLE):
            yield self._ended(placed.to(at=at + 1))
        elif kind == Kind.FOREIGN_LITERAL:
            literal = self._token(at, FOREIGN_LITERALS[self.tokens.text(at)])
            yield self._ended(self._pay(placed, "foreign literal", literal, at=at + 1))
        yield from self._quoted(placed, kind, False)
        if path.frame is not None and self.budget >= self.costs["missing opener"][1]:
            line = -1 if self.first[at] else self.indent[at]
            for mark, array in OPENERS.items():
                edit = self._insert_before(at, "[" if array else "{")
                yield self._open(self._pay(self._of_kind(child, mark), "missing opener", edit), array, line)

    def _no_value(self, path: Path, kind: Kind) -> Iterator[Path]:
        """A mark stands where a value or a key should."""
        at = path.at
        if path.since == AFTER_COLON:
            repair = "truncated" if kind == Kind.END else "missing value"
            yield self._ended(self._pay(path, repair, self._insert_after(at, " null")))
            if kind == Kind.COLON:
                yield self._drop(path, "extra colon")
            return
        if kind in (Kind.CLOSE_OBJECT, Kind.CLOSE_ARRAY, Kind.END) and path.frame is not None:
            if path.since >= 0:
                path = self._pay(path, "trailing comma", self._token(path.since, ""))
            yield path.to(mode=Mode.AFTER, since=FIRST)
        elif kind == Kind.COMMA:
            yield self._drop(path, "double comma")
        elif kind == Kind.COLON:
            yield self._drop(path, "extra colon")

    def _key(self, path: Path, kind: Kind) -> Iterator[Path]:
        yield from self._skipped(path, kind)
        if kind in ENDS:
            yield from self._no_value(path, kind)
        elif kind in OPENERS:
            yield self._drop(path, "extra opener")
        else:
            yield from self._quoted(self._placed(path, kind), kind, True)

    def _colon(self, path: Path, kind: Kind) -> Iterator[Path]:
        at = path.at
        yield from self._skipped(path, kind)
        if kind == Kind.COLON:
            yield path.to(at=at + 1, mode=Mode.VALUE, since=AFTER_COLON)
            return
        if kind == Kind.COMMA or (kind == Kind.WORD and self.tokens.text(at) in ("=", "=>", "->", ";")):
            edit, repair = self._token(at, ":"), "comma for a colon" if kind == Kind.COMMA else "wrong colon"
            yield self._pay(path, repair, edit, at=at + 1, mode=Mode.VALUE, since=AFTER_COLON)
        kind_of_repair = "truncated" if kind == Kind.END else "missing colon"
        yield self._pay(path, kind_of_repair, self._insert_after(at, ":"), mode=Mode.VALUE, since=AFTER_COLON)

    def _after(self, path: Path, kind: Kind) -> Iterator[Path]:
        at, frame = path.at, path.frame
        assert frame is not None
        next_mode = Mode.VALUE if frame.array else Mode.KEY
        yield from self._skipped(path, kind)
        closer = "]" if frame.array else "}"
        if kind in CLOSERS:
            closing = self._closer_placed(path, frame)
            if CLOSERS[kind] == closer:
                yield self._closed(closing.to(at=at + 1))
            else:
                yield self._closed(self._pay(closing, "wrong closer", self._token(at, closer), at=at + 1))
            yield self._drop(path, "extra closer")
        elif kind == Kind.COMMA:
            yield path.to(at=at + 1, mode=next_mode, since=at)
        elif kind == Kind.WORD and self.tokens.text(at) in (";", "."):
            yield self._pay(path, "wrong comma", self._token(at, ","), at=at + 1, mode=next_mode, since=FIRST)
        elif kind == Kind.COLON:
            yield self._pay(path, "wrong comma", self._token(at, ","), at=at + 1, mode=next_mode, since=FIRST)
            yield self._drop(path, "extra colon")
        if kind == Kind.WORD and self.tokens.text(at) == ")":
            yield self._closed(self._pay(path, "wrong closer", self._token(at, closer), at=at + 1))
        if kind != Kind.END and kind not in ENDS:
            repair = "missing comma at a line's end" if self.first[at] else "missing comma"
            yield self._pay(path, repair, self._insert_after(at, ","), mode=next_mode, since=at)
        edit = self._insert_after(at, closer)
        if kind != Kind.END:
            yield self._closed(self._pay(path, "missing closer", edit))
        elif frame.line == SEVERAL:
            yield self._closed(self._also(path, "several documents", edit), cut_off=True)
        else:
            yield self._closed(self._pay(path, "truncated", edit), cut_off=True)

    def _closer_placed(self, path: Path, frame: Frame) -> Path:
        if self.first[path.at]:
            if 0 <= frame.line != self.indent[path.at]:
                return self._pay(path, "indentation")
        elif frame.child >= 0:
            return self._pay(path, "line of its own")
        return path

    def _string(self, path: Path, kind: Kind) -> Iterator[Path]:
        at, quote = path.at, path.quote
        newline = self.first[at]
        if kind in ENDS or newline:
            yield from self._closed_here(path, kind)
        if kind == Kind.END:
            return
        path = self._blanks(path, newline)
        if kind == quote:
            closed = path if kind == Kind.QUOTE else self._also(path, _STYLES[kind], self._token(at, '"'))
            yield self._end_of_string(closed.to(at=at + 1), at)
        elif quote is None and kind in QUOTES:
            edits = () if kind == Kind.QUOTE else (self._token(at, '"'),)
            closed = self._pay(path, "missing opening quote", self._insert_before(path.since, '"'), *edits)
            yield self._end_of_string(closed.to(at=at + 1), at)
        elif quote == Kind.QUOTE and kind == Kind.ESCAPED_QUOTE:
            closed = self._pay(path, "escaped closing quote", self._token(at, '"'))
            yield self._end_of_string(closed.to(at=at + 1), at)
        yield from self._content(path, kind)

    def _closed_here(self, path: Path, kind: Kind) -> Iterator[Path]:
        """The closing quote is missing before this token."""
        at = path.at
        if path.quote is None:
            if at == path.since:
                return
            edits = self._insert_before(path.since, '"'), self._insert_after(at, '"')
            closed = self._pay(path, "unquoted key" if path.key else "unquoted value", *edits)
        elif kind == Kind.END:
            if self.kinds[at - 1] in CLOSERS or self.kinds[at - 1] in WHOLE:
                path = self._pay(path, "cut off after a closer")
            closed = self._pay(path, "truncated", self._insert_after(at, '"'))
        else:
            closed = self._pay(path, "missing closing quote", self._insert_after(at, '"'))
        yield self._end_of_string(closed, at)

    def _end_of_string(self, path: Path, end: int) -> Path:
        if path.odd:
            path = self._pay(path, "odd number of quotes")
        if path.key:
            first = self.tokens.starts[path.since] + (path.quote is not None)
            path = self._named(path, self.tokens.source[first : self.tokens.ends[end - 1]].strip("\"'"))
        return self._ended(path)

    def _blanks(self, path: Path, newline: bool) -> Path:
        """Line breaks and tabs before a token inside of a string."""
        at = path.at
        start, end = self.tokens.ends[at - 1] if at else 0, self.tokens.starts[at]
        if at <= path.since or start == end:
            return path
        blanks = self.tokens.source[start:end]
        if newline:
            return self._pay(path, "raw newline", Edit(start, end, escaped(blanks)))
        if "\t" in blanks:
            return self._pay(path, "raw tab", Edit(start, end, escaped(blanks)))
        return path

    def _content(self, path: Path, kind: Kind) -> Iterator[Path]:
        """The token belongs to the string."""
        at, quote = path.at, path.quote
        text = self.tokens.text(at)
        on = path.to(at=at + 1)
        if kind == Kind.TEXT:
            edit = self._token(at, '\\"' + text[1:-1] + '\\"')
            yield self._pay(self._pay(on, "unescaped quote"), "unescaped quote", edit)
        elif kind == Kind.QUOTE:
            repair = "quote in bare text" if quote is None else "unescaped quote"
            if at - 1 == path.since and quote is not None:
                on = self._pay(on, "quote after a quote")
            yield self._pay(on, repair, self._token(at, '\\"'), odd=not path.odd)
        elif kind == Kind.SINGLE_TEXT:
            edit = self._token(at, escaped_in_string(text))
            on = self._pay(on, "unescaped quote" if quote == Kind.SINGLE_QUOTE else "text in single quotes")
            yield on if edit.text == text else self._also(on, "single quotes", edit)
        elif kind == quote and quote in (Kind.SINGLE_QUOTE, Kind.SMART_QUOTE):
            yield self._pay(on, "unescaped quote")
        elif kind == Kind.BAD_ESCAPE:
            if text == "\\u" and self.kinds[min(at + 2, len(self.kinds) - 1)] == Kind.END:  # cut off within an escape
                edit = Edit(self.tokens.starts[at], self.tokens.ends[at + 1], "")
                yield self._pay(path, "bad escape", edit, at=len(self.kinds) - 1)
            yield self._pay(on, "bad escape", self._token(at, mended_escape(text)))
        elif kind == Kind.ESCAPE and text == "\\\\" and self.kinds[at + 1 : at + 3] == [Kind.WORD, Kind.BAD_ESCAPE]:
            yield self._pay(on, "one backslash among others")
            yield self._also(on, "bad escape", self._token(at, quoted(text)))
        elif kind == Kind.ESCAPE:
            yield on
            if text != "\\\\":
                yield self._pay(on, "escape meant as text", self._token(at, "\\" + text))
        elif kind in WHOLE:
            yield self._pay(self._pay(on, "unescaped quote"), "unescaped quote", self._token(at, quoted(text)))
        else:
            if kind <= Kind.COMMA:
                if path.key:
                    on = self._pay(on, "mark in key")
                elif quote is None:
                    on = self._pay(on, "mark in bare text")
            clean = escaped(text)
            yield on if clean == text else self._also(on, "raw tab", self._token(at, clean))

    def _done(self, path: Path, kind: Kind) -> Iterator[Path]:
        yield from self._skipped(path, kind)
        if kind in CLOSERS:
            yield self._drop(path, "extra closer")
        elif kind != Kind.END:
            yield self._drop(self._prose(path, kind), "prose")
            if kind in OPENERS or kind in WHOLE:
                edits = self._insert_before(path.root, "["), self._insert_after(path.at, ",")
                frame = Frame(True, hash((path.root, "several")), None, SEVERAL)
                yield self._pay(path, "several documents", *edits, mode=Mode.VALUE, frame=frame)

    def _prose(self, path: Path, kind: Kind) -> Path:
        return self._pay(path, "mark in prose") if kind in _NO_PROSE else path


_BARE = {Kind.WORD, Kind.NUMBER, Kind.LITERAL, Kind.FOREIGN_LITERAL, Kind.LINE_COMMENT, Kind.ELLIPSIS}
_NO_PROSE = {*OPENERS, *WHOLE, Kind.TEXT, Kind.SINGLE_TEXT}
_NOTHING = dict[str, float]()
_STYLES = {
    Kind.SINGLE_QUOTE: "single quotes",
    Kind.SMART_QUOTE: "smart quotes",
    Kind.ESCAPED_QUOTE: "escaped quotes",
}


def _behind_comments(tokens: Tokens) -> tuple[list[bool], list[int]]:
    """Which tokens begin their line, if comments are left out, and its indentation."""
    first, indent, inside, pending = list(tokens.first), list(tokens.indent), False, -1
    for at, kind in enumerate(tokens.kinds):
        if inside:
            inside = kind != Kind.BLOCK_CLOSE
        elif kind == Kind.BLOCK_OPEN:
            inside, pending = True, indent[at] if first[at] else pending
        else:
            if pending >= 0 and not first[at]:
                first[at], indent[at] = True, pending
            pending = -1
    return first, indent


def _next(flags: list[bool]) -> list[int]:
    """For each place the next one, after it, with a flag; the number of places if there is none."""
    found, after = [0] * len(flags), len(flags) - 1
    for at in range(len(flags) - 1, -1, -1):
        found[at] = after
        if flags[at]:
            after = at
    return found
