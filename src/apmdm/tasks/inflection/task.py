"""Inflection: a lemma and features give a form, in many languages. Learned from a folder of CoNLL-SIGMORPHON 2018.

The language is the first feature of a pair.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

from apmdm.base_task import BaseTask, option
from apmdm.from_pairs import FromPairs
from apmdm.model.encoder import Shape
from apmdm.pairs.sequence import FEATURE, RELATIONS, atoms_of
from apmdm.pairs.table import Pair, Table, read_pairs, read_table
from apmdm.recipe import Recipe
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab, spelling

LEARNS = "train check compare audit"
PARTS, MEASURED, PER_LANGUAGE = ("-train-medium", "-train-high"), "-dev", 20
"""Of a language with both training parts the second one is learned from, which holds the first."""
SHOWN = 8
EXAMPLES = "German: Haus N;DAT;PL", "Spanish: hablar V;IND;PRS;1;PL", "Finnish: talo N;IN+ESS;SG"


@dataclass(frozen=True, eq=False)
class Inflection(FromPairs):
    """Inflect words of many languages, such as `German: Haus N;DAT;PL`."""

    name: str = "inflection"
    data: Path | None = option(
        None, "A folder with files such as german-train-medium and german-dev: lemma, form and features.", LEARNS
    )
    language: str | None = option(None, "The language of problems that name none.", "run eval")
    languages: tuple[str, ...] = ()

    tables = True
    measured_on = "give pairs to measure on in files such as german-dev"
    shipped = "inflection"
    problem_form = "a language, a colon, a lemma and its features, such as `German: Haus N;DAT;PL`"
    form_in_language = "a lemma and its features, such as `Haus N;DAT;PL`"
    loaded_as = None

    def example(self, random: Random) -> tuple[str, dict[str, Any]]:
        return random.choice(EXAMPLES), {}

    @cached_property
    def files(self) -> dict[str, Path]:
        """The file that is learned from of every language in the folder."""
        assert self.data is not None
        found = {path.name.removesuffix(part): path for part in PARTS for path in self.data.glob(f"*{part}")}
        if not found:
            raise ValueError(f"{self.data} has no files such as german{PARTS[0]}")
        return dict(sorted(found.items()))

    @cached_property
    def texts(self) -> tuple[Pair, ...]:
        return _pairs(self.files) if self.data is not None else self.given

    @cached_property
    def measured(self) -> tuple[Pair, ...]:
        """The first few pairs of each language's dev part."""
        if self.data is None:
            return self.dev
        return _pairs({name: self.data / f"{name}{MEASURED}" for name in self.files}, PER_LANGUAGE)

    def drawn_from(self, pairs: list[Pair]) -> list[Pair]:
        """A language is drawn about as often as the square root of its number of different pairs says.

        A file that has all its pairs several times is drawn from so much more often.
        """
        found = Counter(map(_language, set(pairs)))
        most = max(found.values())
        return [pair for pair in pairs for _ in range(round(sqrt(most / found[_language(pair)])))]

    @cached_property
    def spoken(self) -> tuple[str, ...]:
        """The languages that are learned from, or were."""
        return self.languages or tuple(dict.fromkeys(map(_language, self.texts)))

    def known(self, language: str) -> str:
        """The name of a language as training has it; raises ValueError if it was not learned from."""
        name = _spelled(language)
        if name not in self.spoken:
            near = get_close_matches(name, self.spoken) or self.spoken[:SHOWN]
            more = "" if len(near) == len(self.spoken) else f" and others ({len(self.spoken)} in all)"
            raise ValueError(f"unknown language {language.strip()!r}; known are {', '.join(near)}{more}")
        return name

    def parse(self, text: str) -> Pair:
        language, colon, rest = text.partition(":")
        if not colon:
            language, rest = self.language or "", text
        if not language.strip():
            raise ValueError(f"a problem is {self.problem_form}; {text!r} names no language (--language gives one)")
        columns = [column.strip() for column in rest.split("\t")] if "\t" in rest else rest.strip().rsplit(maxsplit=1)
        if not 2 <= len(columns) <= 3 or not columns[0]:
            form = self.problem_form if self.language is None else self.form_in_language
            lacks = ("lemma" if ";" in columns[0] else "features") if len(columns) == 1 else ""
            raise ValueError(f"a problem is {form}, not {text!r}" + (f", which has no {lacks}" if lacks else ""))
        lemma, *form, features = columns
        name = self.known(language)
        if self.language is not None and name != self.known(self.language):
            raise ValueError(f"{text!r} names another language than --language {self.language}; give one of them")
        pair = Pair(lemma, "".join(form), f"{name};{features}")
        self.code.refuse_strangers(lemma)
        return pair

    def table(self, path: Path) -> Table:
        if self.language is None:
            raise ValueError(f"{path} has lemma, form and features: give the language by --language")
        pairs, notes = read_table(path)
        return Table([replace(pair, features=f"{_spelled(self.language)};{pair.features}") for pair in pairs], notes)

    def cautions(self, problem: Pair) -> Iterable[str]:
        self.known(_language(problem))
        named, colon, _ = problem.source.partition(":")
        if colon and _spelled(named) in self.spoken:
            raise ValueError(f"the lemma {problem.source!r} names a language, which --language gives for a whole table")
        return super().cautions(problem)

    def told(self, problem: Pair) -> dict[str, Any]:
        language, *features = atoms_of(problem.features)
        return {"language": language, "lemma": problem.source, "features": ";".join(features)}

    @cached_property
    def conditions(self) -> tuple[str, ...]:
        return tuple(FEATURE + spelling(language) for language in self.spoken)

    def recipe(self) -> Recipe:
        shape = Shape(width=128, layers=5, heads=8, attention="written", rotary=True, relations=RELATIONS)
        training = Settings(steps=13_000, evaluate_every=4000)
        return replace(super().recipe(), shape=shape, training=self.training or training)

    def saved(self) -> dict[str, Any]:
        return super().saved() | {"languages": self.spoken}

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> BaseTask:
        spoken = replace(self, languages=tuple(saved.get("languages", ())))
        return super(Inflection, spoken).restored(vocab, saved)


def _pairs(files: dict[str, Path], most: int | None = None) -> tuple[Pair, ...]:
    """The first pairs of each language whose file there is."""
    found = {name: read_pairs(path)[:most] for name, path in files.items() if path.is_file()}
    return tuple(replace(pair, features=f"{name};{pair.features}") for name in found for pair in found[name])


def _language(pair: Pair) -> str:
    return atoms_of(pair.features)[0]


def _spelled(language: str) -> str:
    return "-".join(language.lower().split())


task = Inflection
