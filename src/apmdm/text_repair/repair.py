"""Repair of broken JSON and Python: the most probable valid text, how sure that is, and what was changed."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import groupby
from math import exp, log, log1p
from typing import Any

from apmdm.text_repair.languages import JSON, LANGUAGES, Language, refuse
from apmdm.text_repair.ranking import Candidate
from apmdm.text_repair.search import PartialRepair, applied, cheapest, edits_of, repairs_of
from apmdm.text_repair.template import CODE, GUESS
from apmdm.text_repair.ways import Edit, place

MIN_PROBABILITY = 0.5
BOM = "\ufeff"


@dataclass(frozen=True)
class Change:
    """What a repair does at one place: `before` becomes `after`. line, column: from 1. what: why, in a few words."""

    line: int
    column: int
    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.what}"


@dataclass(frozen=True)
class Repair:
    """A valid text, None if refused, with its probability, its changes, and the repairs that were less probable."""

    text: str | None
    probability: float
    edits: tuple[Change, ...]
    alternatives: tuple["Repair", ...] = ()


def repair(text: str, *, num: int = 5, min_probability: float = MIN_PROBABILITY, language: str = JSON.name) -> Repair:
    """The most probable repair of a broken text in a language: `json`, `python`, or `brackets` of any programs.

    A valid text comes back as it is, with probability 1. Whatever is not changed stays byte for byte. If the best
    repair is less probable than `min_probability`, `text` is None and `edits` tell what is unsure, template code first;
    it is then the first of the `alternatives`, of which there are at most `num` with it. If none is found,
    `probability` is 0 and `edits` tell where the first fault is. Raises ValueError for numbers that make no sense, and
    for an unknown language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}; known are {', '.join(LANGUAGES)}")
    known = LANGUAGES[language]
    if num < 1 or not 0 <= min_probability <= 1:
        raise ValueError(f"num is at least 1 and min_probability from 0 to 1, not {num} and {min_probability:g}")
    body = text.removeprefix(BOM)
    fault = known.fault(body)
    if fault is None:
        return Repair(text, 1.0, ())
    found = candidates(body, num, known)
    if not found:
        return Repair(None, 0.0, (Change(*fault, "", ""),))
    best = found[0]
    if best.probability < min_probability:
        unsure = sorted(best.edits, key=lambda change: change.what != CODE)
        return Repair(None, best.probability, tuple(unsure), tuple(found))
    return Repair(text[: len(text) - len(body)] + (best.text or ""), best.probability, best.edits, tuple(found[1:]))


def loads(text: str, *, min_probability: float = MIN_PROBABILITY) -> Any:
    """The value of a JSON text, repaired if it is broken; ValueError if no repair is probable enough."""
    try:
        return json.loads(text.removeprefix(BOM), parse_constant=refuse)
    except ValueError:
        found = repair(text, min_probability=min_probability)
    if found.text is None:
        unsure = f"; unsure at {found.edits[0]}" if found.edits else ""
        raise ValueError(f"no repair with a probability of {min_probability:g} or more is known{unsure}")
    return json.loads(found.text.removeprefix(BOM))


def candidates(text: str, num: int, language: Language) -> list[Repair]:
    """At most `num` valid texts, the most probable first."""
    automaton = language.automaton(text)
    limits = language.limits(automaton.last)
    if limits is None:
        return []
    found = distinct(text, cheapest(automaton, **limits), language)
    ranked = sorted(zip(language.shares(text, found), found, strict=True), key=lambda pair: -pair[0])
    surest = [share for share, _ in ranked]
    if ranked:
        best = ranked[0][1].way
        sure = probability(surest[0], best, language.calibration)
        sure = min(sure, GUESS) if language.guesses(best, text) else sure
        left = (1 - sure) / max(1 - surest[0], 1e-9)
        surest = [sure, *(min(left * each, sure) for each in surest[1:])]
    return [
        Repair(each.text, chance, changes(text, each.way, language))
        for chance, (_, each) in zip(surest, ranked[:num], strict=False)
    ]


def distinct(source: str, ways: Sequence[PartialRepair], language: Language = JSON) -> list[Candidate]:
    """The valid texts that ways lead to, the cheapest first."""
    first, amount = dict[str, PartialRepair](), dict[str, float]()
    for way in ways:
        repaired = applied(source, [edit for _, edit in edits_of(way)])
        if repaired in first or language.is_valid(repaired):
            first.setdefault(repaired, way)
            amount[repaired] = amount.get(repaired, 0.0) + exp(ways[0].cost - way.cost)
    total = sum(amount.values())
    return [Candidate(repaired, way, amount[repaired] / total) for repaired, way in first.items()]


def probability(share: float, way: PartialRepair, weights: Mapping[str, float]) -> float:
    """How often a repair is right that has this share of all that were found: a logistic model of `sureness`."""
    odds = sum(weights.get(name, 0.0) * value for name, value in sureness(share, way).items())
    return 1 / (1 + exp(-odds))


def sureness(share: float, way: PartialRepair) -> dict[str, float]:
    """What tells how sure a repair is: its share, what it costs, and whether each kind of repair is there, or twice."""
    told = {"constant": 1.0, "share": log_odds(share), "paid": paid(way), "alone": float(share == 1)}
    return told | {kind: log1p(min(len(costs), 2)) for kind, costs in costs_of(way).items()}


def log_odds(share: float) -> float:
    share = min(max(share, 1e-4), 1 - 1e-4)
    return log(share / (1 - share))


def paid(way: PartialRepair) -> float:
    """What the repairs of a way cost, each kind at most twice: a hundred comments are no less sure than three."""
    return sum(sum(nlargest(2, each)) for each in costs_of(way).values())


def costs_of(way: PartialRepair) -> dict[str, list[float]]:
    """What each kind of repair of a way cost, without the structure of the document."""
    costs = defaultdict[str, list[float]](list)
    for kind, cost, _ in repairs_of(way):
        if not kind.startswith("="):
            costs[kind].append(cost)
    return costs


def changes(source: str, way: PartialRepair, language: Language) -> tuple[Change, ...]:
    """The edits of a way, those of one kind that follow each other without a gap as one."""
    edits, guessed, found = edits_of(way), language.guesses(way, source), list[Change]()
    for _, group in groupby(_numbered(edits, source), key=lambda item: item[0]):
        run = [(kind, edit) for _, kind, edit in group]
        start, end = run[0][1].start, run[-1][1].end
        after = applied(source[:end], [edit for _, edit in run])[start:]
        what, where = next((guessed[edit] for _, edit in run if edit in guessed), (run[0][0], start))
        found.append(Change(*place(source, where), what, source[start:end], after))
    return tuple(found)


def _numbered(edits: list[tuple[str, Edit]], source: str) -> list[tuple[int, str, Edit]]:
    number, found, last = 0, list[tuple[int, str, Edit]](), ("", Edit(0, 0, ""))
    for kind, edit in edits:
        if kind != last[0] or source[last[1].end : edit.start].strip():
            number += 1
        found.append((number, kind, edit))
        last = kind, edit
    return found
