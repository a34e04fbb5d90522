"""The languages whose texts can be repaired: for each an automaton, what is valid, and what was learned."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from apmdm.text_repair import python_tokens, tokens
from apmdm.text_repair.brackets_automaton import AnyBrackets, unmatched
from apmdm.text_repair.costs import read
from apmdm.text_repair.folding import is_one_value
from apmdm.text_repair.json_automaton import Json
from apmdm.text_repair.python_automaton import Python
from apmdm.text_repair.ranking import Candidate, as_found, compared
from apmdm.text_repair.search import Grammar, PartialRepair
from apmdm.text_repair.template import Guesses, guesses
from apmdm.text_repair.ways import Fault

FEW_WAYS = {"num": 1, "width": 8, "margin": 6.0}
LONGEST = 200_000
"""The most tokens of a text; what is surely right does not count."""


@dataclass(frozen=True)
class Language:
    """A language.

    automaton: that over a text. fault: the first one of a text, None if it needs no repair. endings: of the names of
    its files. costs: the file with what was learned. long: from how many tokens on few ways are weighed; ways: those
    weighed otherwise, see search.cheapest. guesses: of a repair of a text, those edits that are no more than guesses.
    shares: how probable each of the repairs found is beside the others.
    """

    name: str
    automaton: Callable[[str], Grammar[Any]]
    fault: Callable[[str], Fault | None]
    endings: tuple[str, ...]
    costs: str
    long: int
    ways: Mapping[str, Any]
    guesses: Callable[[PartialRepair, str], Guesses] = lambda way, source: {}
    shares: Callable[[str, list[Candidate]], list[float]] = as_found

    @property
    def calibration(self) -> dict[str, float]:
        """The weights of repair.probability."""
        return read(self.costs)["calibration"]

    def is_valid(self, text: str) -> bool:
        return self.fault(text) is None

    def limits(self, num_tokens: int) -> Mapping[str, Any] | None:
        """How many ways are weighed in a text of so many tokens; None if it has too many."""
        if num_tokens > LONGEST:
            return None
        return self.ways if num_tokens <= self.long else FEW_WAYS


def is_json(text: str) -> bool:
    """Whether a text is JSON as RFC 8259 has it, of any depth."""
    return json_fault(text) is None


def json_fault(text: str) -> Fault | None:
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=refuse)
    except RecursionError:
        return None if is_one_value(tokens.tokens_of(text)) else Fault(1, 1, "something in a deep nest is wrong")
    except json.JSONDecodeError as error:
        return Fault(error.lineno, error.colno, error.msg)
    except ValueError as error:
        return Fault(1, 1, str(error))
    return None


def refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


JSON = Language(
    "json",
    lambda text: Json(tokens.tokens_of(text)),
    json_fault,
    (".json",),
    "json_costs.json",
    5_000,
    {},
    guesses,
    compared,
)
PYTHON = Language(
    "python",
    lambda text: Python(python_tokens.tokens_of(text)),
    python_tokens.fault,
    (".py", ".pyi"),
    "python_costs.json",
    2_000,
    {"num": 12},
)
BRACKETS = Language("brackets", AnyBrackets, unmatched, (), "brackets_costs.json", 20_000, {"num": 8})
LANGUAGES = {language.name: language for language in (JSON, PYTHON, BRACKETS)}


def language_of(path: Path) -> Language:
    """The language of a file, by the ending of its name; JSON if that tells nothing."""
    known = (language for language in LANGUAGES.values() if path.suffix.lower() in language.endings)
    return next(known, JSON)
