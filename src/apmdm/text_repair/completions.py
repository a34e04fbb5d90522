"""How a person would complete a JSON text that was cut off."""

import re

from apmdm.text_repair.document import Document, parses
from apmdm.text_repair.tokens import Kind, tokens_of

_CUT_ESCAPE = re.compile(r"(\\+)((?:u[0-9a-fA-F]{0,3})?)\Z")


def completions(prefix: str) -> list[str]:
    """Ways to complete a text that was cut off; none if that leaves nothing."""
    quote = open_quote(prefix)
    document = Document(tokens_of(prefix if quote is None else prefix[:quote].rstrip()))
    if len(document.tokens) < 2 or (quote is None and len(document.tokens) < 3):
        return []
    ends = _of_tokens(prefix, document) if quote is None else _of_string(prefix, quote, document)
    closers = "".join("]" if document.tokens.kinds[at] == Kind.OPEN_ARRAY else "}" for at in reversed(document.open))
    return [end + closers for end in ends if parses(end + closers)]


def _of_string(prefix: str, quote: int, before: Document) -> list[str]:
    """Within a string, which begins at `quote`."""
    body, last = prefix[: len(prefix) - _partial_escape(prefix)], before.tokens.kinds[-2]
    if last == Kind.OPEN_OBJECT or (last == Kind.COMMA and not _in_array(before)):
        return [_without_comma(prefix[:quote]), body + '": null', body + '": ""']
    return [body + '"']


def _of_tokens(prefix: str, document: Document) -> list[str]:
    tokens, last = document.tokens, len(document.tokens) - 2
    kind, before, text, head = (
        tokens.kinds[last],
        tokens.kinds[last - 1],
        tokens.text(last),
        prefix[: tokens.starts[last]],
    )
    if kind == Kind.COMMA:
        return [head]
    if kind == Kind.COLON:
        return [_without_comma(prefix[: tokens.starts[last - 1]]), prefix + " null", prefix + ' ""']
    if kind == Kind.TEXT and not _in_array(document) and before != Kind.COLON:
        return [_without_comma(head), prefix + ": null", prefix + ': ""']
    if kind != Kind.WORD:
        return [prefix]
    for literal in ("true", "false", "null"):
        if literal.startswith(text):
            return [head + literal]
    number = text.rstrip("-+.eE")
    return [head + number, head + text + "0"] if number else [head + text + "0"]


def _in_array(document: Document) -> bool:
    return bool(document.open) and document.tokens.kinds[document.open[-1]] == Kind.OPEN_ARRAY


def _without_comma(text: str) -> str:
    return text.rstrip().removesuffix(",")


def open_quote(prefix: str) -> int | None:
    """Where the string begins in which a prefix of a valid text ends."""
    at, opened = 0, None
    while at < len(prefix):
        if opened is not None and prefix[at] == "\\":
            at += 1
        elif prefix[at] == '"':
            opened = at if opened is None else None
        at += 1
    return opened


def _partial_escape(prefix: str) -> int:
    """How many characters at the end are an escape that was cut off."""
    cut = _CUT_ESCAPE.search(prefix)
    return 0 if cut is None or len(cut[1]) % 2 == 0 else 1 + len(cut[2])
