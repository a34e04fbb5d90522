"""What automata over broken tokens share: how a repair is paid for, and edits beside and of tokens."""

from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar

from apmdm.text_repair.python_ways import PythonWay
from apmdm.text_repair.ways import Edit, Way

W = TypeVar("W", Way, PythonWay)


class Automaton(Generic[W]):
    """An automaton over tokens of a text, whose characters are those from starts to ends.

    costs: of each kind of repair, the first time and again. bits: the bit of each kind in `seen` of a way.
    """

    starts: Sequence[int]
    ends: Sequence[int]
    costs: Mapping[str, Sequence[float]]
    bits: Mapping[str, int]

    def _pay(self, way: W, kind: str, *edits: Edit, **changes: Any) -> W:
        """The way after a repair. changes: of its other fields."""
        bit = self.bits[kind]
        cost = self.costs[kind][1 if way.seen & bit else 0]
        trail = way.trail, kind, cost, edits
        return way.to(cost=way.cost + cost, seen=way.seen | bit, trail=trail, **changes)

    def _token(self, at: int, text: str) -> Edit:
        return Edit(self.starts[at], self.ends[at], text)

    def _insert_before(self, at: int, text: str) -> Edit:
        return Edit(self.starts[at], self.starts[at], text)

    def _insert_after(self, at: int, text: str) -> Edit:
        """After the token before `at`."""
        end = self.ends[at - 1] if at else 0
        return Edit(end, end, text)
