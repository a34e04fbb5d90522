"""A repair of Python under way: what is open, and what may come next."""

from typing import Any, NamedTuple

from apmdm.text_repair.python_tokens import Level
from apmdm.text_repair.ways import Trail, changed

STATEMENT, OPERAND, AFTER, STRING, DONE = range(5)
"""What a way waits for."""


class Bracket(NamedTuple):
    """An open bracket, or a lambda whose colon is to come. number: of all that is open."""

    mark: str
    number: int
    parent: "Bracket | None"


class PythonWay(NamedTuple):
    """A repair up to the token `at`.

    frame: the innermost open bracket. levels: the blocks that are open. due: a block is to begin. word: the keyword of
    the statement, if it has one. colon: a colon must end it. bare: an operand may be missing here. since: where the
    string began, quote: what ends it. seen, trail: as in Way.
    """

    cost: float
    at: int
    mode: int
    frame: Bracket | None = None
    levels: tuple[Level, ...] = (Level(0),)
    due: bool = False
    word: str = ""
    colon: bool = False
    bare: bool = False
    since: int = -1
    quote: str = ""
    seen: int = 0
    trail: Trail = None

    def to(self, **changes: Any) -> "PythonWay":
        return changed(self, _PLACES, changes)


_PLACES = {name: at for at, name in enumerate(PythonWay._fields)}
