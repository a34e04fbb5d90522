"""Corrections learned from pairs of a wrong and a right sequence: the states on the way, with their edits.

First all tokens that differ are remasked, and a MASK is inserted where something is missing. Then every MASK is written
or deleted; where more is missing, the MASK that is written inserts the next one. At last nothing fires.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from apmdm.objective.self_supervised import Spot
from apmdm.vocab import MASK, PAD


@dataclass
class _Place:
    """A token of the wrong sequence, what it becomes (PAD for nothing), and what is missing after it."""

    token: int
    right: int
    missing: list[int] = field(default_factory=list)


def correction(wrong: Seq[int], right: Seq[int]) -> list[list[Spot]]:
    """The states from the wrong sequence to the right one. Both begin with the same token, which stays."""
    places, end = _aligned(wrong, right), [Spot(token) for token in right]
    first = [Spot(one.token, remask=one.token != one.right, insert=bool(one.missing)) for one in places]
    if not any(spot.remask or spot.insert for spot in first):
        return [end]
    longest = max(1, *(len(one.missing) for one in places))
    return [first, *([spot for one in places for spot in _spots(one, step)] for step in range(longest)), end]


def _spots(place: _Place, step: int) -> list[Spot]:
    """What stands at a place some steps after the first, with what becomes of its MASKs."""
    differs, spots = place.token != place.right, []
    if differs and step == 0:
        spots.append(Spot(MASK, content=place.right, delete=place.right == PAD))
    elif place.right != PAD:
        spots.append(Spot(place.right))
    spots += [Spot(token) for token in place.missing[:step]]
    if step < len(place.missing):
        spots.append(Spot(MASK, content=place.missing[step], insert=step + 1 < len(place.missing)))
    return spots


def _aligned(wrong: Seq[int], right: Seq[int]) -> list[_Place]:
    places: list[_Place] = []
    for _, first, last, start, stop in SequenceMatcher(None, wrong, right, autojunk=False).get_opcodes():
        targets = list(right[start:stop])
        for token in wrong[first:last]:
            places.append(_Place(token, targets.pop(0) if targets else PAD))
        if targets:
            places[-1].missing = targets
    return places
