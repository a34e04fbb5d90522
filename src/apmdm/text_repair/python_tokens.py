"""Broken Python as tokens. Statements that parse are one token each, so that the work is where something is wrong."""

import ast
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from apmdm.text_repair.ways import Fault

NAME, NUMBER, TEXT, QUOTE, TRIPLE, OTHER = "NAME", "NUMBER", "TEXT", "QUOTE", "TRIPLE", "OTHER"
ATTRIBUTE, SIGN, OPERATOR, ASSIGNED, WHOLE, END = "ATTRIBUTE", "SIGN", "OPERATOR", "ASSIGNED", "WHOLE", "END"
HEADERS = {"if", "elif", "else", "for", "while", "try", "except", "finally", "with", "def", "class", "match", "case"}
SIMPLE = {"return", "raise", "pass", "break", "continue", "import", "from", "global", "nonlocal", "del", "assert"}
KEYWORDS = {*HEADERS, *SIMPLE, "and", "or", "in", "is", "as", "not", "lambda", "await", "yield"} - {"match", "case"}
OPENERS, CLOSERS = {"(": ")", "[": "]", "{": "}"}, {")": "(", "]": "[", "}": "{"}
GOING_ON = {"elif", "else", "except", "finally"}
TRIPLES = '"""', "'''"
PARSED = 30
"""How many times its length a text is parsed at most, to find statements that are right."""

_PREFIX = r"(?:(?<!\w)(?:[rR][bBfF]?|[bBfF][rR]?|[uU]))?"
_TOKEN = re.compile(
    rf"""
    (?P<space>(?:[ \t\f\r\ufeff]|\\\r?\n)+)
    |(?P<newline>\n)
    |(?P<triple>{_PREFIX}(?:\"\"\"|'''))
    |(?P<text>{_PREFIX}(?:"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'))
    |(?P<quote>{_PREFIX}["'])
    |(?P<escape>\\.)
    |(?P<comment>\#)
    |(?P<assigned>(?:\*\*|//|<<|>>|[-+*/%&|^@])=)
    |(?P<operator>not\s+in\b|is\s+not\b|:=|//|<<|>>|<=|>=|==|!=|[/%<>&|^])
    |(?P<number>\.?\d(?:[eE][-+]|[\w.])*)
    |(?P<attribute>\.[ \t]*[^\W\d]\w*)
    |(?P<mark>\.\.\.|->|\*\*|[-+~*@=.,:;()\[\]{{}}])
    |(?P<word>(?:async\s+(?=(?:def|for|with)\b))?[^\W\d]\w*)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_QUOTE = re.compile(rf"{_PREFIX}[\"']")
_KINDS = {"text": TEXT, "quote": QUOTE, "triple": TRIPLE, "assigned": ASSIGNED, "operator": OPERATOR}
_KINDS |= {"number": NUMBER, "attribute": ATTRIBUTE, "escape": OTHER, "other": OTHER}
_SOFT = re.compile(r"(?:match|case)\b(?![ \t]*[=.,)\]:])[^\n]*:[ \t]*(?:\#[^\n]*)?(?:\n|\Z)")
_ASSIGNMENT = re.compile(r"[^\W\d][\w.]* = ")
_STATEMENT = re.compile(r"[ \t]*(?:@|(?:def|class|async|import|return|raise|while|try|with|del|assert|if|for|from)\b)")


class Level(NamedTuple):
    """A block that is open: its indentation, and whether an else, except or finally may follow its last statement."""

    indent: int
    last: str = ""


@dataclass(frozen=True)
class PythonTokens:
    """The tokens of a text, the last of them an empty END. Blanks and comments are none.

    first: whether a token is the first of its line. indent: how many blanks begin its line. levels: of a WHOLE the
    blocks that are open at its end, from its own on.
    """

    source: str
    kinds: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    first: list[bool] = field(default_factory=list)
    indent: list[int] = field(default_factory=list)
    levels: dict[int, tuple[Level, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.kinds)

    def text(self, at: int) -> str:
        return self.source[self.starts[at] : self.ends[at]]

    def add(self, kind: str, start: int, end: int, first: bool, indent: int) -> None:
        self.kinds.append(kind)
        self.starts.append(start)
        self.ends.append(end)
        self.first.append(first)
        self.indent.append(indent)

    def cut(self, length: int) -> None:
        """Leave the first `length` tokens."""
        for column in (self.kinds, self.starts, self.ends, self.first, self.indent):
            del column[length:]


def tokens_of(source: str) -> PythonTokens:
    found, at = PythonTokens(source), 0
    for start, end, levels in statements(source):
        _add_run(found, at, start)
        first = start + levels[0].indent
        found.levels[len(found)] = levels
        found.add(WHOLE, first, start + len(source[start:end].rstrip()), True, levels[0].indent)
        at = end
    _add_run(found, at, len(source))
    found.add(END, len(source.rstrip()), len(source.rstrip()), True, 0)
    return found


def parses(text: str) -> bool:
    """Whether a text is Python, as the running version has it."""
    return fault(text) is None


def fault(text: str) -> Fault | None:
    found = parsed(text)
    return found if isinstance(found, Fault) else None


def tree_of(text: str) -> ast.Module | None:
    found = parsed(text)
    return None if isinstance(found, Fault) else found


def parsed(text: str) -> ast.Module | Fault:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(text)
        except SyntaxError as error:
            return Fault(error.lineno or 1, error.offset or 1, error.msg)
        except (ValueError, RecursionError, MemoryError) as error:
            return Fault(1, 1, str(error) or "too deep a nest")


def statements(source: str) -> Iterator[tuple[int, int, tuple[Level, ...]]]:
    """Statements that parse, as start and end of their lines and the blocks that are open at their end.

    Tried are those that begin with a word that no expression has there, and others at the left margin, but where a
    bracket seems to be open.
    """
    lines = re.findall(r"[^\n]*\n|[^\n]+", source)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    indents = [_indent(line) for line in lines]
    at, left, depth = 0, PARSED * len(source), 0
    while at < len(lines):
        plain = indents[at] == 0 and (depth <= 0 or _ASSIGNMENT.match(lines[at]))
        if indents[at] is not None and (plain or _STATEMENT.match(lines[at])) and left > 0:
            end = _end_of(lines, indents, at)
            left -= starts[end] - starts[at]
            if levels := _levels("".join(lines[at:end]), indents[at] or 0):
                yield starts[at], starts[end], levels
                at, depth = end, 0
                continue
        depth += sum(map(lines[at].count, OPENERS)) - sum(map(lines[at].count, CLOSERS))
        at += 1


def _indent(line: str) -> int | None:
    """The number of blanks before a line; None if there is nothing or a comment."""
    text = line.lstrip(" \t\f\ufeff")
    return None if not text.strip() or text.startswith("#") else len(line) - len(text)


def _end_of(lines: list[str], indents: list[int | None], at: int) -> int:
    """The number of the line after the statement that begins at a line."""
    own, decorated, end, last = indents[at] or 0, lines[at].lstrip().startswith("@"), at, at
    within = ""
    while end < len(lines):
        indent = indents[end]
        if not within and end > at and indent is not None and indent <= own:
            text = lines[end].lstrip()
            word = re.match(r"\w*", text)
            goes_on = text[0] in ")]}" or (word is not None and word[0] in GOING_ON) or decorated
            if indent < own or not goes_on:
                break
            decorated = text.startswith("@")
        for mark in TRIPLES:
            if within in ("", mark) and lines[end].count(mark) % 2:
                within = "" if within else mark
        end += 1
        if indent is not None:
            last = end
    return last


def _levels(text: str, indent: int) -> tuple[Level, ...]:
    """The blocks that are open at the end of the lines of a statement; none if it does not parse."""
    tree = tree_of("if 1:\n" + text if indent else text)
    if tree is None:
        return ()
    body = _last_body(tree.body[0]) if indent else tree.body
    found, line = list[Level](), 0
    while body and body[-1].lineno > line:
        node = body[-1]
        found.append(Level(node.col_offset, _may_go_on(node)))
        body, line = _last_body(node), node.lineno
    return tuple(found)


def _last_body(node: ast.stmt) -> list[ast.stmt]:
    """The statements of the last block of a statement."""
    if chained := _elif(node):
        return _last_body(chained)
    for name in ("finalbody", "orelse"):
        if body := getattr(node, name, None):
            return body
    for name in ("handlers", "cases"):
        if parts := getattr(node, name, None):
            return parts[-1].body
    return getattr(node, "body", [])


def _may_go_on(node: ast.stmt) -> str:
    """The keyword after which else, except or finally may come."""
    if chained := _elif(node):
        return _may_go_on(chained)
    orelse, final = getattr(node, "orelse", None), getattr(node, "finalbody", None)
    if isinstance(node, ast.Try):
        return "" if final else "else" if orelse else "except"
    if orelse or not isinstance(node, ast.If | ast.For | ast.AsyncFor | ast.While):
        return ""
    return "if" if isinstance(node, ast.If) else "for"


def _elif(node: ast.stmt) -> ast.If | None:
    """The `elif` of an `if`, which stands as far to the left."""
    first = node.orelse[0] if isinstance(node, ast.If) and node.orelse else None
    return first if isinstance(first, ast.If) and first.col_offset == node.col_offset else None


def _add_run(found: PythonTokens, start: int, end: int) -> None:
    """The tokens of lines that do not parse."""
    before = len(found)
    if not _add_lines(found, start, end, whole=True):
        found.cut(before)
        _add_lines(found, start, end, whole=False)


def _add_lines(found: PythonTokens, start: int, end: int, whole: bool) -> bool:
    """whole: texts in triple quotes are one token each. False if one of them has no end.

    A line with a quote that has no end has each of its quotes as a token.
    """
    source, at = found.source, start
    line_at, line_tokens, loose, first, indent = at, len(found), False, True, 0
    while at < end:
        match = _TOKEN.match(source, at, end)
        assert match is not None
        name, stop = match.lastgroup or "", match.end()
        if name in ("space", "newline"):
            if name == "newline":
                line_at, line_tokens, loose, first, indent = stop, len(found), False, True, 0
            elif first and "\n" not in match.group():
                indent = stop - line_at
            at = stop
            continue
        if name == "comment" and not loose:
            newline = source.find("\n", at, end)
            at = end if newline < 0 else newline
            continue
        if name == "triple" and whole:
            stop = _end_of_triple(source, stop, end, match.group()[-3:])
            if stop < 0:
                return False
            name = "text"
        elif name == "text" and loose:
            match = _QUOTE.match(source, at)
            assert match is not None
            name, stop = "quote", match.end()
        elif name == "quote" and not loose:
            found.cut(line_tokens)
            at, loose, first = line_at, True, True
            continue
        found.add(_kind(name, source, at, stop, first), at, stop, first, indent)
        at, first = stop, False
    return True


def _end_of_triple(source: str, at: int, end: int, mark: str) -> int:
    while True:
        at = source.find(mark, at, end)
        if at < 0:
            return -1
        before = at
        while source[before - 1] == "\\":
            before -= 1
        if (at - before) % 2 == 0:
            return at + 3
        at += 1


def _kind(name: str, source: str, start: int, end: int, first: bool) -> str:
    text = source[start:end]
    if name == "mark":
        return SIGN if text in "+-~" else text
    if name != "word":
        return OTHER if name == "comment" else _KINDS[name]
    if first and text in ("match", "case") and _SOFT.match(source, start):
        return text
    word = text.split()[-1]
    return word if word in KEYWORDS else NAME


def line_ends(tokens: PythonTokens) -> list[int]:
    """For each token the first one of the next line."""
    found, after = [0] * len(tokens), len(tokens) - 1
    for at in range(len(tokens) - 1, -1, -1):
        found[at] = after
        if tokens.first[at]:
            after = at
    return found
