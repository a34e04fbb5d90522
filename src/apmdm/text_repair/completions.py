"""How a person would complete a JSON text that was cut off."""

import re

from apmdm.text_repair.document import Document, parses
from apmdm.text_repair.tokens import Kind, tokens_of

_CUT_ESCAPE = re.compile(r"(\\+)((?:u[0-9a-fA-F]{0,3})?)\Z")


def completions(prefix: str) -> list[str]:
    """Ways to complete a text that was cut off; none if that leaves nothing."""
    tokens = tokens_of(prefix)
    kinds, last = tokens.kinds, len(tokens) - 2
    if last < 1:
        return []
    quote = open_quote(prefix)
    ends = list[str]()
    if quote is not None:
        body = prefix[: len(prefix) - _partial_escape(prefix)]
        document = Document(tokens_of(prefix[:quote].rstrip()))
        before = document.tokens.kinds[-2]
        is_key = before in (Kind.OPEN_OBJECT, Kind.COMMA) and not document.inner.get(len(document.tokens) - 2, False)
        if before == Kind.OPEN_OBJECT or (is_key and before == Kind.COMMA and not _in_array(document)):
            ends = [_without_comma(prefix[:quote]), body + '": null', body + '": ""']
        else:
            ends = [body + '"']
        opens = document.open
        kinds = document.tokens.kinds
    else:
        document = Document(tokens)
        opens, kind = document.open, kinds[last]
        text = tokens.text(last)
        head = prefix[: tokens.starts[last]]
        if kind == Kind.COMMA:
            ends = [head]
        elif kind == Kind.COLON:
            ends = [_without_comma(prefix[: tokens.starts[last - 1]]), prefix + " null", prefix + ' ""']
        elif last in document.keys or (kind == Kind.TEXT and not _in_array(document) and kinds[last - 1] != Kind.COLON):
            ends = [_without_comma(head), prefix + ": null", prefix + ': ""']
        elif kind == Kind.WORD:
            whole = [word for word in ("true", "false", "null") if word.startswith(text)]
            ends = [head + whole[0]] if whole else [head + text.rstrip("-+.eE")] if text.rstrip("-+.eE") else []
            ends += [] if whole else [head + text + "0"]
        else:
            ends = [prefix]
    closers = "".join("]" if kinds[at] == Kind.OPEN_ARRAY else "}" for at in reversed(opens))
    return [end + closers for end in ends if parses(end + closers)]


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
