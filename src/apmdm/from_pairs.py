"""The task that Task.from_pairs makes."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import count, islice
from random import Random
from typing import Any

import torch

from apmdm.base_task import BaseTask
from apmdm.belief import Belief
from apmdm.finding import Finding
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.pairs.answers import Answer, answers
from apmdm.pairs.lessons import batches, run
from apmdm.pairs.lessons import labelled as steps_of
from apmdm.pairs.sequence import GO_ID, MIRRORED_ID, RELATIONS, Code, atoms_of
from apmdm.pairs.table import Pair
from apmdm.pairs.writing import Writer
from apmdm.paradigms.form import Form, Verdict, direct
from apmdm.processes import WHOLE, Share
from apmdm.recipe import Recipe
from apmdm.sampler import Observation, Predictor, Run, again, rollouts
from apmdm.sequences import HELD_OUT, SPLIT_SEED
from apmdm.several_answers import SeveralAnswers
from apmdm.solution import Solution
from apmdm.state import Sequence
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab

WIDTH = 5
"""Runs that a search keeps from each side."""
SPARE_STEPS = 64
MOST_FITTED = 500
"""Pairs held out that the telling of probabilities is fitted on."""
FEW = "of fewer than 10 pairs none is held out"


@dataclass(frozen=True)
class PairsData:
    """How training pairs are drawn.

    batch_size: pairs that a step learns from. varied: the share of them whose stem is replaced by random characters.
    """

    batch_size: int = 64
    varied: float = 0.5

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise ValueError("data.batch_size is at least 1")
        if not 0 <= self.varied <= 1:
            raise ValueError("data.varied is a share, from 0 to 1")


@dataclass(frozen=True, eq=False)
class FromPairs(SeveralAnswers):
    """Turn sources into targets, learned from pairs.

    Task.from_pairs explains the fields. A problem is a Pair.
    measured_on: how a user gives pairs to measure on.
    remarks: what may have been read otherwise than it was meant.
    """

    name: str = "pairs"  # pyrefly: ignore[bad-override]
    given: tuple[Pair, ...] = ()
    dev: tuple[Pair, ...] = ()
    learned: Code | None = None
    training: Settings | None = None
    longest: int = 0
    remarks: tuple[str, ...] = ()

    problem_form = "a source, then a tab and its features if there are any"
    measured_on = "give pairs to measure on as `dev`"
    comment = ""
    batch_size = 16
    loaded_as = "pairs"

    @cached_property
    def texts(self) -> tuple[Pair, ...]:
        return self.given

    @cached_property
    def measured(self) -> tuple[Pair, ...]:
        return self.dev

    @cached_property
    def _split(self) -> tuple[list[Pair], list[Pair]]:
        """The pairs to measure on, and those to learn from."""
        if self.measured:
            return list(self.measured), list(self.texts)
        shuffled = Random(SPLIT_SEED).sample(self.texts, len(self.texts))
        held_out = min(HELD_OUT, len(shuffled) // 10)
        return shuffled[:held_out], shuffled[held_out:]

    def drawn_from(self, pairs: list[Pair]) -> list[Pair]:
        """The pairs that lessons are drawn from, all alike; what is to be drawn more often is there several times."""
        return pairs

    @cached_property
    def code(self) -> Code:
        """The characters and features that there are."""
        if self.learned is None and not self.texts:
            raise ValueError(f"{self.name} has no pairs to learn from: give a file of them by --data")
        return self.learned or Code.of(self._split[1])

    @cached_property
    def longest_learned(self) -> int:
        """The number of characters of the longest source that is learned from, or was."""
        return max((len(pair.source) for pair in self._split[1]), default=0) if self.texts else self.longest

    @property
    def vocab(self) -> Vocab:  # pyrefly: ignore[bad-override]
        return self.code.vocab

    def encode(self, problem: Pair) -> Sequence:
        return self.code.encode(problem.source, problem.features)

    def taken(self, problem: Pair | tuple[str, ...] | str) -> Pair:
        pair = Pair(*problem) if isinstance(problem, tuple) else super().taken(problem)
        self.code.refuse_strangers(pair.source)
        return pair

    def parse(self, text: str) -> Pair:
        source, *rest = text.split("\t")
        if len(rest) > 2 or not source:
            raise ValueError(f"a problem is {self.problem_form}, not {text!r}")
        target = rest.pop(0) if len(rest) == 2 or (rest and not self.code.features) else ""
        self.code.refuse_strangers(source)
        return Pair(source, target, *rest)

    def cautions(self, problem: Pair) -> Iterable[str]:
        for feature in atoms_of(problem.features):
            if feature not in self.code.features:
                yield f"the feature {feature!r} was not learned from"
        if not problem.source:
            yield "it has no source"
        if len(problem.source) > self.longest_learned:
            yield f"it is longer than the sources learned from, which have up to {self.longest_learned} characters"

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        tokens = sequence.ids.tolist()
        positions = range(1 + tokens.index(GO_ID), len(tokens))
        if tokens[0] == MIRRORED_ID:
            positions = positions[::-1]
        symbols = self.vocab.decode([tokens[position] for position in positions])
        return {"kind": "string", "symbols": symbols, "positions": positions}

    def problem(self, random: Random) -> Pair:
        return random.choice(self._split[1])

    def test_problem(self, random: Random) -> Pair:
        if not self._split[0]:
            few = f"{FEW}; {self.measured_on}, or to `eval` by --data" if self.texts else ""
            raise ValueError(few or f"{self.name} has no pairs to measure on: name the trained file, or give --data")
        return random.choice(self._split[0])

    def how_read(self) -> Iterable[str]:
        """What may have been read otherwise than it was meant."""
        return self.remarks

    def findings(self) -> list[Finding]:
        """How the pairs were read, and what cannot be measured as a user may expect when the model has been trained."""
        remedy = "nothing, if that is so; --source-col and --target-col say which names a first line has"
        return [*(Finding(note, remedy, False) for note in self.how_read()), *self._unmeasured()]

    def _unmeasured(self) -> list[Finding]:
        held_out, learned = self._split
        if not held_out:
            return [
                Finding(
                    f"nothing will be measured: {FEW}; {self.measured_on}", "nothing, if no figures are needed", False
                )
            ]
        lost = sum(not self.code.can_write(pair) for pair in held_out)
        if not lost:
            return []
        what = (
            f"{lost} of {len(held_out)} pairs to measure on have targets with characters that are in none of the "
            f"{len(learned)} learned from; the model cannot write these, so they count as wrong"
        )
        return [Finding(what, "nothing, or learn from more pairs, in which every character occurs", False)]

    def learned_from(self) -> str:
        held_out, learned = self._split
        return f"{len(learned):,} pairs. {len(held_out):,} others are held out to measure on."

    def notes(self) -> list[str]:
        return [finding.what for finding in self.findings()]

    def examined(self, problems: Seq[Pair]) -> tuple[list[Finding], list[Pair]]:
        return self.findings(), list(problems)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        return super().validate(recipe, model) if self._split[0] else {}

    def paths(self, problems: Seq[Pair]) -> Iterator[Batch]:
        yield from (steps_of(run(self.code, pair)) for pair in problems)

    def taught(self, problems: Iterable[Pair], record: bool = False) -> list[Run]:
        runs = []
        for number, pair in enumerate(problems):
            left = iter(run(self.code, pair))
            (one,) = rollouts(lambda state, left=left: steps_of([next(left)]).edits, [self.encode(pair)], record=record)
            runs.append(replace(one, index=number))
        return runs

    def decoder(self, model: Predictor, device: str) -> Predictor:
        return Writer(model)

    def solve(
        self,
        model: Predictor,
        problems: Iterable[Pair],
        *,
        batch_size: int | None = None,
        max_steps: int | None = None,
        record: bool = False,
        on_step: Callable[[Observation], Any] | None = None,
        device: str = "cpu",
        share: Share = WHOLE,
        **options: Any,
    ) -> Iterator[Solution]:
        """Take the most probable answer of a search from both ends. Its run is watched afterwards."""
        shown: dict[str, Any] = {"max_steps": max_steps, "device": device}
        if not isinstance(model, Encoder):
            shown |= {"batch_size": batch_size, "record": record, "on_step": on_step, "share": share}
            yield from super().solve(model, problems, **shown, **options)
            return
        numbered = enumerate(problems)
        for place in count():
            group = list(islice(numbered, batch_size or self.batch_size))
            if not group:
                return
            if not share.has(place):
                continue
            given = [pair for _, pair in group]
            every = self._answers(model, given, record=record or on_step is not None, **shown)
            for (index, pair), found in zip(group, every, strict=True):
                chances = self.chances([answer.score for answer in found])
                told = tuple((answer.text, chance) for answer, chance in zip(found, chances, strict=True))
                run = replace(found[0].run, index=index)
                if on_step is not None:
                    mirrored = int(run.final.ids[0]) == MIRRORED_ID
                    run = again(run, self.code.encode(pair.source, pair.features, mirrored), None, on_step)
                yield Solution(pair, *self.judge(pair, run), run, told)

    def _answers(
        self, model: Encoder, problems: Seq[Pair], max_steps: int | None = None, **limits: Any
    ) -> list[list[Answer]]:
        """A search for each problem. A model that has learned little inserts without end, so steps are limited."""
        steps = max_steps or SPARE_STEPS + 2 * max(len(pair.source) for pair in problems)
        return answers(model, self.code, problems, max(WIDTH, self.num), max_steps=steps, **limits)

    def fitted_on(self) -> list[Pair]:
        return Random(SPLIT_SEED).sample(self._split[0], min(MOST_FITTED, len(self._split[0])))

    def scored(self, model: Encoder, problems: list[Pair]) -> Iterator[list[tuple[str | None, float]]]:
        device = str(model.embedding.device)
        for first in range(0, len(problems), self.batch_size):
            for found in self._answers(model, problems[first : first + self.batch_size], device=device):
                yield [(answer.text, answer.score) for answer in found]

    def question(self, problem: Pair) -> str:
        return problem.source

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        lost = sum(not self.code.can_write(one.problem) for one in solutions)
        figures = {"targets with characters not learned": lost} if lost else {}
        return figures | super().summary(solutions, model)

    def verify(self, problem: Pair, answer: str) -> bool | None:
        return answer == problem.target if problem.target else None

    def judge(self, problem: Pair, run: Run) -> tuple[str | None, str]:
        """Characters that are new to the model are copied from the problem's source."""
        answer = self.code.decode(problem.source, run.final)
        return answer, self.status(problem, answer)

    def verdict(self, problem: Pair, final: Sequence) -> Verdict:
        answer = self.code.decode(problem.source, final)
        right = answer == problem.target
        return Verdict(right, answer is not None, float(right))

    def max_length(self, problems: Iterable[Pair]) -> int:
        return 64 + 8 * max((len(pair.source) + len(pair.features) for pair in problems), default=0)

    def recipe(self) -> Recipe:
        shape = Shape(width=96, layers=4, heads=8, attention="written", rotary=True, relations=RELATIONS)
        return Recipe(self, shape, self.training or Settings(steps=3000, evaluate_every=1000, dropout=0.1), PairsData())

    def batches(self, recipe: Recipe) -> Batches:
        data = recipe.data
        pairs = self.drawn_from(self._split[1])
        return batches(self.code, pairs, recipe.seed, data.batch_size, share_varied=data.varied)

    def form(self) -> Form:
        def symbols(tokens: Seq[int]) -> list[str]:
            return self.vocab.decode(tokens)

        def prompt(pair: Pair) -> list[str]:
            tokens = self.encode(pair).ids.tolist()
            return symbols(tokens[: tokens.index(GO_ID)])

        def answer(pair: Pair) -> list[str]:
            return symbols(self.code.target(pair))

        def right(pair: Pair, told: list[str]) -> bool:
            return self.code.can_write(pair) and told == answer(pair)

        def draw(random: torch.Generator) -> Pair:
            return self._split[1][int(torch.randint(len(self._split[1]), (), generator=random))]

        return direct(self.vocab, draw, prompt, answer, right)

    def saved(self) -> dict[str, Any]:
        return asdict(self.code) | {"odds": asdict(self.belief or self.usual), "longest": self.longest_learned}

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> BaseTask:
        fields = {name: saved[name] for name in ("characters", "features") if name in saved}
        if len(fields) < 2:
            raise ValueError("they are of another task, which is not one of pairs")
        known = {"belief": Belief(**saved.get("odds", {})), "longest": saved.get("longest", 0)}
        return super(FromPairs, replace(self, learned=Code(**fields), **known)).restored(vocab, saved)

    def described(self) -> dict[str, Any]:
        return {}

    def told(self, problem: Pair) -> dict[str, Any]:
        return {"source": problem.source} | ({"features": problem.features} if problem.features else {})
