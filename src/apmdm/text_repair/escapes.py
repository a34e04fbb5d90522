"""Control characters and escapes of strings in JSON."""

import re


def escaped(text: str) -> str:
    """A text with its control characters escaped."""
    return "".join(_CONTROL.get(char) or (f"\\u{ord(char):04x}" if char < " " else char) for char in text)


_CONTROL = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def quoted(text: str) -> str:
    """JSON as a part of a string."""
    return escaped(text.replace("\\", "\\\\").replace('"', '\\"'))


def mended_escape(text: str) -> str:
    """What a backslash with something after it that JSON does not know as an escape stands for."""
    if text in ("\\'", "\\`", "\\\n", "\\"):
        return text[1:].strip("\n")
    return "\\\\" + escaped(text[1:])


def without_escapes(text: str) -> str:
    """A string whose backslashes, but those of quotes, stand for themselves. Doubled ones stay."""
    return re.sub(r"\\\\|\\(?![\"'])", lambda _: "\\\\", text)


def escaped_in_string(text: str) -> str:
    """A string in single quotes, within a string in double ones."""
    return "'" + requoted(text)[1:-1] + "'"


def requoted(text: str) -> str:
    """A string in single quotes, in double ones."""
    inside, out, at = text[1:-1], [], 0
    while at < len(inside):
        char = inside[at]
        if char == "\\" and at + 1 < len(inside):
            pair = inside[at : at + 2]
            out.append(pair if pair[1] in '"\\/bfnrtu' else mended_escape(pair))
            at += 2
            continue
        out.append('\\"' if char == '"' else escaped(char))
        at += 1
    return '"' + "".join(out) + '"'
