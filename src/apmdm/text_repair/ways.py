"""A repair under way: where it is in the text, what is open there, and what was changed so far."""

from enum import IntEnum
from typing import Any, NamedTuple, TypeVar

from apmdm.text_repair.tokens import Kind


class Mode(IntEnum):
    """What the automaton waits for."""

    BEFORE = 0
    VALUE = 1
    KEY = 2
    COLON = 3
    AFTER = 4
    STRING = 5
    DONE = 6


class Edit(NamedTuple):
    """The characters from start to end become `text`."""

    start: int
    end: int
    text: str


class Fault(NamedTuple):
    """What a parser says of a text that is not valid. line, column: from 1."""

    line: int
    column: int
    what: str


def place(source: str, offset: int) -> tuple[int, int]:
    """Line and column of a character, both from 1."""
    return source.count("\n", 0, offset) + 1, offset - source.rfind("\n", 0, offset)


class Frame(NamedTuple):
    """An open array or object.

    number: of all that is open. line: indentation of the line where it was opened, -1 if unknown. child: that of the
    lines of its children, -1 if they have none of their own. size: how many they are. last: the kind of the last one.
    names: the keys so far, key: the last of them. like, length: the keys or the number of children of the object or
    array that stood before this one in the same frame. objects, arrays: the same of the last one in this frame.
    """

    array: bool
    number: int
    parent: "Frame | None"
    line: int
    child: int = -1
    size: int = 0
    last: str = "nothing"
    names: frozenset[str] = frozenset()
    key: str = ""
    like: frozenset[str] | None = None
    length: int | None = None
    objects: frozenset[str] | None = None
    arrays: int | None = None


T = TypeVar("T", bound=tuple[Any, ...])


def changed(way: T, places: dict[str, int], changes: dict[str, Any]) -> T:
    """As `_replace` of a named tuple, whose fields have these places, in half the time."""
    values = list(way)
    for name, value in changes.items():
        values[places[name]] = value
    return tuple.__new__(type(way), values)


class Way(NamedTuple):
    """A repair up to the token `at`.

    since: in VALUE and KEY the comma before, FIRST or AFTER_COLON; in STRING the opening token. quote: what closes the
    string, None if it was opened without one. odd: it holds an odd number of quotes that it should not. root: where the
    document begins. seen: the kinds of repair so far, as bits. trail: the repairs so far, as (trail before, kind,
    what was paid, edits). What begins with `=` is no kind, but a context and an outcome.
    """

    cost: float
    at: int
    mode: Mode
    frame: Frame | None
    since: int = -1
    quote: Kind | None = None
    key: bool = False
    odd: bool = False
    root: int = 0
    seen: int = 0
    trail: "Trail" = None

    def to(self, **changes: Any) -> "Way":
        return changed(self, _PLACES, changes)


_PLACES = {name: at for at, name in enumerate(Way._fields)}

Trail = tuple["Trail", str, float, tuple[Edit, ...]] | None
FIRST, AFTER_COLON = -1, -2
UNKNOWN, SEVERAL = -1, -2
