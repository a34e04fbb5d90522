"""JSON as a pushdown automaton over broken tokens: which repairs lead on from each mode, and what kind each is of."""

from collections.abc import Iterator
from math import inf

from apmdm.text_repair import structure
from apmdm.text_repair.automaton import Automaton
from apmdm.text_repair.costs import BITS, Costs, read
from apmdm.text_repair.escapes import escaped, escaped_in_string, mended_escape, quoted, requoted, without_escapes
from apmdm.text_repair.folding import CLOSERS, OPENERS, WHOLE, folded
from apmdm.text_repair.layout import BARE, behind_comments, cuts, following
from apmdm.text_repair.running_text import PLAIN, RunningText
from apmdm.text_repair.tokens import WIDE_COLON, WIDE_COMMAS, Kind, Tokens, json_literal
from apmdm.text_repair.ways import AFTER_COLON, FIRST, SEVERAL, UNKNOWN, Edit, Frame, Mode, Way

MAX_NAMES = 500
QUOTES = {Kind.QUOTE, Kind.SINGLE_QUOTE, Kind.SMART_QUOTE, Kind.ESCAPED_QUOTE}
ENDS = {Kind.COMMA, Kind.COLON, Kind.CLOSE_OBJECT, Kind.CLOSE_ARRAY, Kind.END}


class Json(Automaton[Way]):
    """The automaton over one text. costs, table: others than those learned. fold: leave out what is surely right."""

    def __init__(
        self, tokens: Tokens, costs: Costs | None = None, table: structure.Table | None = None, *, fold: bool = True
    ) -> None:
        self.usual = structure.usual_kinds(tokens)
        self.tokens = tokens = folded(tokens) if fold else tokens
        self.bits = BITS
        self.costs = read()["costs"] if costs is None else costs
        self.table: structure.Table = read()["structure"] if table is None else table
        self.kinds, self.starts, self.ends, self.last = tokens.kinds, tokens.starts, tokens.ends, len(tokens) - 1
        self.first, self.indent = behind_comments(tokens)
        self.end = len(tokens.source.rstrip("\r\n"))
        self.line_ends = following(tokens.first)
        self.block_ends = following([kind == Kind.BLOCK_CLOSE for kind in tokens.kinds])
        self.last_quote = max((at for at, kind in enumerate(self.kinds) if kind == Kind.QUOTE), default=-1)
        self.text = RunningText(tokens.kinds)
        self.cuts = set(cuts(tokens))
        self.budget = inf
        before, value, key, colon = self._before, self._value, self._key, self._colon
        self._modes = before, value, key, colon, self._after, self._string, self._done

    def start(self) -> Way:
        return Way(0.0, 0, Mode.BEFORE, None)

    def key(self, way: Way) -> tuple[object, ...]:
        return way.mode, way.frame and way.frame.number, way.since, way.quote, way.key, way.odd

    def ended(self, way: Way) -> bool:
        return way.mode == Mode.DONE

    def follow(self, way: Way, budget: float = inf) -> Iterator[Way]:
        self.budget = budget
        yield from self._modes[way.mode](way, self.kinds[way.at])
        if way.at in self.cuts and way.frame is not None:
            yield from self._modes[way.mode](way, Kind.END)

    def _also(self, way: Way, kind: str, *edits: Edit) -> Way:
        """More edits of a repair that is paid."""
        return way.to(trail=(way.trail, kind, 0.0, edits))

    def _insert_after(self, at: int, text: str) -> Edit:
        """After the token before `at`, or at the end of the text."""
        edit = super()._insert_after(at, text)
        end = max(edit.end, self.end) if self.kinds[at] == Kind.END else edit.end
        return Edit(end, end, text)

    def _joined(self, at: int) -> bool:
        """A token stands right behind a word or a quote."""
        behind = at > 0 and self.kinds[at - 1] in (Kind.WORD, *QUOTES)
        return behind and self.tokens.ends[at - 1] == self.tokens.starts[at]

    def _drop(self, way: Way, kind: str) -> Way:
        return self._pay(way, kind, self._token(way.at, ""), at=way.at + 1)

    def _skipped(self, way: Way, kind: Kind) -> Iterator[Way]:
        """What may stand anywhere between tokens."""
        at = way.at
        if kind == Kind.BLANK:
            yield self._drop(way, "odd blank")
        elif kind == Kind.BLOCK_OPEN or (kind == Kind.LINE_COMMENT and not self._joined(at)):
            end = self.line_ends[at]
            if kind == Kind.BLOCK_OPEN:
                end = min(self.block_ends[at] + 1, len(self.kinds) - 1)
            edit = Edit(self.tokens.starts[at], self.tokens.ends[end - 1], "")
            if not _NO_PROSE.isdisjoint(self.kinds[at:end]):
                way = self._pay(way, "mark in comment")
            yield self._pay(way, "comment", edit, at=end)
        elif kind == Kind.ELLIPSIS:
            yield self._drop(way, "ellipsis")
        elif kind in QUOTES and way.mode != Mode.BEFORE:
            yield self._drop(way, "extra quote")
        elif kind == Kind.FENCE:
            yield self._drop(way, "fence")
        elif kind == Kind.ESCAPE and self.tokens.text(at) in ("\\n", "\\r", "\\t"):
            yield self._drop(way, "line break as text")
        elif kind == Kind.WORD and way.mode not in (Mode.BEFORE, Mode.DONE) and not self.text.opens_unseen(way):
            empty = way.mode in (Mode.VALUE, Mode.KEY) and way.since < 0
            yield self._drop(way, "stray text for a value" if empty else "stray text")

    def _placed(self, way: Way, kind: Kind) -> Way:
        """A child of the innermost frame begins here: does its place fit the others?"""
        frame, at = way.frame, way.at
        if frame is None:
            return way
        child = frame.child
        if self.first[at]:
            indent = self.indent[at]
            if child < 0:
                child = indent
                if 0 <= indent <= frame.line:
                    way = self._pay(way, "indentation")
            elif indent != child:
                way = self._pay(way, "indentation")
        elif child >= 0:
            way = self._pay(way, "line of its own")
        placed = frame._replace(child=child, size=frame.size + 1)
        return self._event(way, structure.ending(frame), structure.ON, placed)

    def _event(self, way: Way, context: str, outcome: str, frame: Frame | None) -> Way:
        """What the structure of the document costs; `frame` is the innermost one after it."""
        cost = self.table.get(context, _NOTHING).get(outcome, 0.0)
        trail = way.trail, f"={context}={outcome}", cost, ()
        return way.to(cost=way.cost + cost, trail=trail, frame=frame)

    def _of_kind(self, way: Way, kind: Kind) -> Way:
        """A value of this kind begins."""
        frame, group = way.frame, structure.GROUPS.get(kind, structure.TEXT)
        if frame is None:
            return way
        if frame.array:
            context = structure.kind_of_item(frame)
        else:
            context = structure.kind_of_member(self.usual.get(frame.key), frame.last)
        return self._event(way, context, group, frame._replace(last=group))

    def _open(self, way: Way, array: bool, line: int) -> Way:
        parent = way.frame
        frame = Frame(array, hash((parent and parent.number, array, way.at)), parent, line)
        if parent is not None:
            frame = frame._replace(like=parent.objects, length=parent.arrays)
        root = way.at if way.frame is None else way.root
        return way.to(mode=Mode.VALUE if array else Mode.KEY, frame=frame, since=FIRST, root=root)

    def _closed(self, way: Way, cut_off: bool = False) -> Way:
        """After the innermost frame, which ends here unless the text does."""
        frame = way.frame
        assert frame is not None
        parent = frame.parent
        mode = Mode.DONE if parent is None else Mode.AFTER
        if parent is not None:
            parent = parent._replace(arrays=frame.size) if frame.array else parent._replace(objects=frame.names)
        if not cut_off:
            way = self._event(way, structure.ending(frame), structure.END, frame)
            for context, outcome in structure.family(frame):
                way = self._event(way, context, outcome, frame)
        return way.to(mode=mode, frame=parent)

    def _ended(self, way: Way) -> Way:
        """After a string or another plain value."""
        if way.key:
            return way.to(mode=Mode.COLON, quote=None, key=False, odd=False, since=FIRST)
        mode = Mode.DONE if way.frame is None else Mode.AFTER
        return way.to(mode=mode, quote=None, odd=False, since=FIRST)

    def _quoted(self, way: Way, kind: Kind, key: bool) -> Iterator[Way]:
        """A string begins."""
        at = way.at
        way = way.to(key=key)
        if kind in (Kind.TEXT, Kind.SINGLE_TEXT):
            yield from map(self._ended, self._whole_string(way, kind))
            return
        inside = way.to(mode=Mode.STRING, since=at, at=at + 1)
        if kind == Kind.QUOTE:
            yield inside.to(quote=kind)
        elif kind in _STYLES:
            yield self._pay(inside, _STYLES[kind], self._token(at, '"'), quote=kind)
        elif kind in BARE and way.frame is not None:
            yield inside.to(at=at, quote=None)
        elif kind in (Kind.ESCAPE, Kind.BAD_ESCAPE) or (
            kind in OPENERS and way.frame is not None and at < self.last_quote
        ):
            edit = self._insert_before(at, '"')
            yield self._pay(inside, "missing opening quote", edit, at=at, quote=Kind.QUOTE)

    def _whole_string(self, way: Way, kind: Kind) -> Iterator[Way]:
        """A string as it is, and with its escapes as text if a person hardly means them."""
        at, text = way.at, self.tokens.text(way.at)
        single = kind == Kind.SINGLE_TEXT
        plain = requoted(text) if single else text
        on = self._named(way, plain[1:-1]) if way.key else way
        on = on.to(at=at + 1)
        yield self._pay(on, "single quotes", self._token(at, plain)) if single else on
        if self.tokens.hardly_meant(at):
            meant = without_escapes(text)
            edit = self._token(at, requoted(meant) if single else meant)
            on = self._pay(on, "escape meant as text", edit)
            yield self._pay(on, "single quotes") if single else on

    def _named(self, way: Way, name: str) -> Way:
        frame = way.frame
        assert frame is not None
        if name in frame.names:
            way = self._pay(way, "same key")
        names = frame.names | {name} if len(frame.names) < MAX_NAMES else frame.names
        return way.to(frame=frame._replace(names=names, key=name))

    # One method a mode.

    def _before(self, way: Way, kind: Kind) -> Iterator[Way]:
        yield from self._skipped(way, kind)
        at = way.at
        begins = self.text.begins_alone(way) if kind in PLAIN else kind in WHOLE or kind in OPENERS
        if begins and not self.text.is_label(way):
            yield way.to(mode=Mode.VALUE, since=FIRST, root=at)
        if kind in (Kind.TEXT, Kind.QUOTE, Kind.SINGLE_TEXT, Kind.SINGLE_QUOTE, Kind.WORD):
            for array in (False, True) if self.text.may_lack_brackets(way) else ():
                opened = self._pay(way, "no brackets around", self._insert_before(at, "[" if array else "{"))
                yield self._open(opened, array, UNKNOWN)
        if kind not in (Kind.FENCE, Kind.END):
            free = kind == Kind.WORD and at and self.kinds[at - 1] == Kind.FENCE
            yield self._drop(self._prose(way, kind), "fence" if free else "prose")

    def _value(self, way: Way, kind: Kind) -> Iterator[Way]:
        at = way.at
        yield from self._skipped(way, kind)
        if kind in ENDS:
            yield from self._no_value(way, kind)
            return
        child = way if way.since == AFTER_COLON else self._placed(way, kind)
        placed = self._of_kind(child, kind)
        if kind in OPENERS:
            yield self._open(placed, OPENERS[kind], self.indent[at]).to(at=at + 1)
            if way.frame is not None or self.kinds[at + 1] in OPENERS or self.kinds[at + 1] in WHOLE:
                yield self._drop(way, "extra opener")
        elif kind in (Kind.NUMBER, Kind.LITERAL, *WHOLE):
            yield self._ended(placed.to(at=at + 1))
        elif kind == Kind.FOREIGN_LITERAL:
            literal = self._token(at, json_literal(self.tokens.text(at)) or "")
            yield self._ended(self._pay(placed, "foreign literal", literal, at=at + 1))
        yield from self._quoted(placed, kind, False)
        if way.frame is not None and self.budget >= self.costs["missing opener"][1]:
            line = UNKNOWN if self.first[at] else self.indent[at]
            for mark, array in OPENERS.items():
                edit = self._insert_before(at, "[" if array else "{")
                yield self._open(self._pay(self._of_kind(child, mark), "missing opener", edit), array, line)

    def _no_value(self, way: Way, kind: Kind) -> Iterator[Way]:
        """A mark stands where a value or a key should."""
        at = way.at
        if way.since == AFTER_COLON:
            repair = "truncated" if kind == Kind.END else "missing value"
            yield self._ended(self._pay(way, repair, self._insert_after(at, " null")))
            if kind == Kind.COLON:
                yield self._drop(way, "extra colon")
            return
        if kind in (Kind.CLOSE_OBJECT, Kind.CLOSE_ARRAY, Kind.END) and way.frame is not None:
            if way.since >= 0:
                way = self._pay(way, "trailing comma", self._token(way.since, ""))
            yield way.to(mode=Mode.AFTER, since=FIRST)
        elif kind == Kind.COMMA:
            yield self._drop(way, "double comma")
        elif kind == Kind.COLON:
            yield self._drop(way, "extra colon")

    def _key(self, way: Way, kind: Kind) -> Iterator[Way]:
        yield from self._skipped(way, kind)
        if kind in ENDS:
            yield from self._no_value(way, kind)
        elif kind in OPENERS:
            yield self._drop(way, "extra opener")
        else:
            yield from self._quoted(self._placed(way, kind), kind, True)

    def _colon(self, way: Way, kind: Kind) -> Iterator[Way]:
        at = way.at
        yield from self._skipped(way, kind)
        if kind == Kind.COLON:
            yield way.to(at=at + 1, mode=Mode.VALUE, since=AFTER_COLON)
            return
        if kind == Kind.WORD and self.tokens.text(at) == WIDE_COLON:
            yield self._pay(way, "wide mark", self._token(at, ":"), at=at + 1, mode=Mode.VALUE, since=AFTER_COLON)
        if kind == Kind.COMMA or (kind == Kind.WORD and self.tokens.text(at) in ("=", "=>", "->", ";")):
            edit, repair = self._token(at, ":"), "comma for a colon" if kind == Kind.COMMA else "wrong colon"
            yield self._pay(way, repair, edit, at=at + 1, mode=Mode.VALUE, since=AFTER_COLON)
        if kind in (Kind.COMMA, Kind.CLOSE_OBJECT) and self.kinds[at - 1] != Kind.WORD:
            yield self._ended(self._pay(way, "missing value", self._insert_after(at, ": null")))
            if kind == Kind.CLOSE_OBJECT:
                return
        kind_of_repair = "truncated" if kind == Kind.END else "missing colon"
        yield self._pay(way, kind_of_repair, self._insert_after(at, ":"), mode=Mode.VALUE, since=AFTER_COLON)

    def _after(self, way: Way, kind: Kind) -> Iterator[Way]:
        at, frame = way.at, way.frame
        assert frame is not None
        next_mode = Mode.VALUE if frame.array else Mode.KEY
        yield from self._skipped(way, kind)
        closer = "]" if frame.array else "}"
        if kind in CLOSERS:
            closing = self._closer_placed(way, frame)
            if CLOSERS[kind] == closer:
                yield self._closed(closing.to(at=at + 1))
            else:
                yield self._closed(self._pay(closing, "wrong closer", self._token(at, closer), at=at + 1))
            yield self._drop(way, "extra closer")
        elif kind == Kind.COMMA:
            yield way.to(at=at + 1, mode=next_mode, since=at)
        elif kind == Kind.WORD and self.tokens.text(at) in WIDE_COMMAS:
            yield self._pay(way, "wide mark", self._token(at, ","), at=at + 1, mode=next_mode, since=at)
        elif kind == Kind.WORD and self.tokens.text(at) in (";", "."):
            yield self._pay(way, "wrong comma", self._token(at, ","), at=at + 1, mode=next_mode, since=FIRST)
        elif kind == Kind.COLON:
            yield self._pay(way, "wrong comma", self._token(at, ","), at=at + 1, mode=next_mode, since=FIRST)
            yield self._drop(way, "extra colon")
        if kind == Kind.WORD and self.tokens.text(at) == ")":
            yield self._closed(self._pay(way, "wrong closer", self._token(at, closer), at=at + 1))
        if kind != Kind.END and kind not in ENDS:
            repair = "missing comma at a line's end" if self.first[at] else "missing comma"
            yield self._pay(way, repair, self._insert_after(at, ","), mode=next_mode, since=at)
        edit = self._insert_after(at, closer)
        if self.text.is_sentence(way):
            return
        if kind != Kind.END:
            yield self._closed(self._pay(way, "missing closer", edit))
        elif frame.line == SEVERAL:
            yield self._closed(self._also(way, "several documents", edit), cut_off=True)
        else:
            yield self._closed(self._pay(way, "truncated", edit), cut_off=True)

    def _closer_placed(self, way: Way, frame: Frame) -> Way:
        if self.first[way.at]:
            if 0 <= frame.line != self.indent[way.at]:
                return self._pay(way, "indentation")
        elif frame.child >= 0:
            return self._pay(way, "line of its own")
        return way

    def _string(self, way: Way, kind: Kind) -> Iterator[Way]:
        at, quote = way.at, way.quote
        newline = self.first[at]
        if kind in ENDS or newline or (quote is None and (kind in _BEGINS or self.tokens.text(at) in _SEPARATORS)):
            yield from self._closed_here(way, kind)
        if kind == Kind.END:
            return
        way = self._blanks(way, newline)
        if kind == quote:
            closed = way if kind == Kind.QUOTE else self._also(way, _STYLES[kind], self._token(at, '"'))
            yield self._end_of_string(closed.to(at=at + 1), at)
            yield from self._added(way)
        elif quote is None and kind in QUOTES:
            edits = () if kind == Kind.QUOTE else (self._token(at, '"'),)
            closed = self._pay(way, "missing opening quote", self._insert_before(way.since, '"'), *edits)
            yield self._end_of_string(closed.to(at=at + 1), at)
        elif quote == Kind.QUOTE and kind == Kind.ESCAPED_QUOTE:
            for kind_of_repair, text in (("escaped closing quote", '"'), ("backslash at the end", '\\\\"')):
                closed = self._pay(way, kind_of_repair, self._token(at, text))
                yield self._end_of_string(closed.to(at=at + 1), at)
        yield from self._content(way, kind)

    def _added(self, way: Way) -> Iterator[Way]:
        """A string ends here, and a plus adds another one to it."""
        at = way.at
        if self.kinds[at + 1] != Kind.WORD or self.tokens.text(at + 1) != "+":
            return
        added = self._pay(way, "added texts", Edit(self.starts[at], self.starts[at + 2] + 1, ""), at=at + 3)
        if self.kinds[at + 2] == Kind.TEXT:
            yield self._end_of_string(added, at + 3)
        elif self.kinds[at + 2] in (Kind.QUOTE, Kind.SINGLE_QUOTE):
            yield added.to(quote=self.kinds[at + 2])

    def _closed_here(self, way: Way, kind: Kind) -> Iterator[Way]:
        """The closing quote is missing before this token."""
        at = way.at
        if way.quote is None:
            if at == way.since:
                return
            if kind == Kind.END and at == way.since + 1 and not way.key:
                text = self.tokens.text(way.since)
                for literal in ("true", "false", "null"):
                    if literal.startswith(text):
                        yield self._ended(self._pay(way, "truncated", self._token(way.since, literal)))
            edits = self._insert_before(way.since, '"'), self._insert_after(at, '"')
            if kind == Kind.END and self._behind_closer(at):
                if way.key:
                    return
                way = self._pay(way, "cut off after a closer")
            closed = self._pay(way, "unquoted key" if way.key else "unquoted value", *edits)
        elif kind == Kind.END:
            if self._behind_closer(at):
                way = self._pay(way, "cut off after a closer")
            closed = self._pay(way, "truncated", self._insert_after(at, '"'))
        else:
            closed = self._pay(way, "missing closing quote", self._insert_after(at, '"'))
        yield self._end_of_string(closed, at)

    def _behind_closer(self, at: int) -> bool:
        return self.kinds[at - 1] in CLOSERS or self.kinds[at - 1] in WHOLE

    def _end_of_string(self, way: Way, end: int) -> Way:
        if way.odd:
            way = self._pay(way, "odd number of quotes")
        if way.key:
            first = self.tokens.starts[way.since] + (way.quote is not None)
            way = self._named(way, self.tokens.source[first : self.tokens.ends[end - 1]].strip("\"'"))
        return self._ended(way)

    def _blanks(self, way: Way, newline: bool) -> Way:
        """Line breaks and tabs before a token inside of a string."""
        at = way.at
        start, end = self.tokens.ends[at - 1] if at else 0, self.tokens.starts[at]
        if at <= way.since or start == end:
            return way
        blanks = self.tokens.source[start:end]
        if newline:
            return self._pay(way, "raw newline", Edit(start, end, escaped(blanks)))
        if "\t" in blanks:
            return self._pay(way, "raw tab", Edit(start, end, escaped(blanks)))
        return way

    def _content(self, way: Way, kind: Kind) -> Iterator[Way]:
        """The token belongs to the string."""
        at, quote = way.at, way.quote
        text = self.tokens.text(at)
        on = way.to(at=at + 1)
        if kind == Kind.TEXT:
            edit = self._token(at, '\\"' + text[1:-1] + '\\"')
            yield self._pay(self._pay(on, "unescaped quote"), "unescaped quote", edit)
        elif kind == Kind.QUOTE:
            repair = "quote in bare text" if quote is None else "unescaped quote"
            if at - 1 == way.since and quote is not None:
                on = self._pay(on, "quote after a quote")
            yield self._pay(on, repair, self._token(at, '\\"'), odd=not way.odd)
        elif kind == Kind.SINGLE_TEXT:
            edit = self._token(at, escaped_in_string(text))
            on = self._pay(on, "unescaped quote" if quote == Kind.SINGLE_QUOTE else "text in single quotes")
            yield on if edit.text == text else self._also(on, "single quotes", edit)
        elif kind == quote and quote in (Kind.SINGLE_QUOTE, Kind.SMART_QUOTE):
            yield self._pay(on, "unescaped quote")
        elif kind == Kind.BAD_ESCAPE:
            if text == "\\u" and self.kinds[min(at + 2, len(self.kinds) - 1)] == Kind.END:  # cut off within an escape
                edit = Edit(self.tokens.starts[at], self.tokens.ends[at + 1], "")
                yield self._pay(way, "bad escape", edit, at=len(self.kinds) - 1)
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
                if way.key:
                    on = self._pay(on, "mark in key")
                if quote is None:
                    on = self._pay(on, "mark in bare text")
            clean = escaped(text)
            yield on if clean == text else self._also(on, "raw tab", self._token(at, clean))

    def _done(self, way: Way, kind: Kind) -> Iterator[Way]:
        yield from self._skipped(way, kind)
        if kind in CLOSERS:
            yield self._drop(way, "extra closer")
        elif kind not in (Kind.FENCE, Kind.END):
            if self.text.ended_alone(way):
                yield self._drop(self._prose(way, kind), "prose")
            if kind in OPENERS or kind in WHOLE:
                edits = self._insert_before(way.root, "["), self._insert_after(way.at, ",")
                frame = Frame(True, hash((way.root, "several")), None, SEVERAL)
                yield self._pay(way, "several documents", *edits, mode=Mode.VALUE, frame=frame)

    def _prose(self, way: Way, kind: Kind) -> Way:
        return self._pay(way, "mark in prose") if kind in _NO_PROSE else way


_BEGINS = {Kind.TEXT, Kind.SINGLE_TEXT, Kind.QUOTE, Kind.SINGLE_QUOTE, Kind.SMART_QUOTE}
_SEPARATORS = {"=", "=>", ";", WIDE_COLON, *WIDE_COMMAS}
_NO_PROSE = {*OPENERS, *WHOLE, Kind.TEXT, Kind.SINGLE_TEXT}
_NOTHING = dict[str, float]()
_STYLES = {
    Kind.SINGLE_QUOTE: "single quotes",
    Kind.SMART_QUOTE: "smart quotes",
    Kind.ESCAPED_QUOTE: "escaped quotes",
}
