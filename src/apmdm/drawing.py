"""What a task draws its states as: plain data, and plain-text sketches of it.

A drawing is a dictionary. Its `kind` says what it consists of:
- string: `symbols`, a list of texts.
- grid: `rows` of cells, each a dictionary with `text`, `level` (on how many guesses it hangs) and perhaps `guess`
  (whether it is one); `box`, the side of a box.
- table: `rows` of texts; perhaps `header`, the names of the columns.
- graph: `edges`, each (tail, head, text), with nodes numbered from 0 and a negative number for no node.
Any may have a `note`, one line about the state, and `positions`: for each symbol, cell or edge the position in the
sequence that it shows. Without it the first of them shows position 0, if there are not more of them than positions.
"""

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
        case "table":
            return "\n".join("  ".join(map(str, row)) for row in [drawing.get("header", []), *drawing["rows"]] if row)
        case "graph":
            return "\n".join(" ".join(map(str, edge)) for edge in drawing["edges"])
        case _:
            return joined_text(drawing["symbols"])
