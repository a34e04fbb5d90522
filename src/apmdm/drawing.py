"""Plain-text sketches of the data that a task draws its states as."""

from collections.abc import Iterable
from typing import Any

from apmdm.vocab import MASK_SYMBOL


def joined_text(symbols: Iterable[str]) -> str:
    """Symbols in one line, MASK as _."""
    texts = ["_" if symbol == MASK_SYMBOL else symbol for symbol in symbols]
    return ("" if all(len(text) == 1 for text in texts) else " ").join(texts) or "(empty)"


def sketch(drawing: dict[str, Any]) -> str:
    """A drawing without colours."""
    match drawing["kind"]:
        case "grid":
            return "\n".join(" ".join(cell["text"] or "." for cell in row) for row in drawing["rows"])
        case "graph":
            return "\n".join(" ".join(map(str, edge)) for edge in drawing["edges"])
        case _:
            return joined_text(drawing["symbols"])
