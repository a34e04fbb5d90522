"""A valid document, with what each of its tokens is, and changes of it."""

import json
from dataclasses import dataclass
from random import Random

from apmdm.text_repair.folding import CLOSERS, OPENERS
from apmdm.text_repair.search import applied
from apmdm.text_repair.tokens import Kind, Tokens
from apmdm.text_repair.ways import Edit


@dataclass(frozen=True)
class Mistake:
    """What one does to the text, what to the values that are right, and which tokens it touches.

    others: what else may be done to the values instead of `truth`.
    """

    broken: list[Edit]
    tokens: set[int]
    truth: list[Edit]
    others: tuple[list[Edit], ...] = ()


class Document:
    """A valid text, or the beginning of one.

    partner: of each bracket the other one. keys: the tokens that are keys. open: brackets without a partner.
    """

    def __init__(self, tokens: Tokens) -> None:
        self.tokens = tokens
        kinds = tokens.kinds
        self.partner, self.keys = dict[int, int](), set[int]()
        open_at = list[int]()
        for at, kind in enumerate(kinds):
            if kind in CLOSERS and open_at:
                self.partner[open_at[-1]] = at
                self.partner[at] = open_at.pop()
            if kind in OPENERS:
                open_at.append(at)
            if kind == Kind.TEXT and at + 1 < len(kinds) and kinds[at + 1] == Kind.COLON:
                self.keys.add(at)
        self.open = open_at

    def touches(self, edit: Edit, at: int) -> bool:
        return edit.start <= self.tokens.ends[at] and edit.end >= self.tokens.starts[at]

    def spaced(self, at: int) -> bool:
        """Whether blanks stand behind a token."""
        return self.tokens.ends[at] < self.tokens.starts[at + 1]

    def of(self, *kinds: Kind) -> list[int]:
        return [at for at, kind in enumerate(self.tokens.kinds) if kind in kinds]

    def values(self) -> list[int]:
        return [at for at in self.of(Kind.TEXT) if at not in self.keys]

    def token(self, at: int, text: str) -> Edit:
        return Edit(self.tokens.starts[at], self.tokens.ends[at], text)

    def before(self, at: int, text: str) -> Edit:
        return Edit(self.tokens.starts[at], self.tokens.starts[at], text)

    def after(self, at: int, text: str) -> Edit:
        return Edit(self.tokens.ends[at], self.tokens.ends[at], text)


def one(places: list[int], random: Random) -> int | None:
    return random.choice(places) if places else None


def edited(source: str, edits: list[Edit]) -> str:
    """The text after edits in any order."""
    return applied(source, sorted(edits, key=lambda edit: (edit.start, edit.end)))


def parses(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
