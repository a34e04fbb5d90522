"""The task that Task.from_pairs makes."""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any

import torch

from apmdm.base_task import BaseTask, option
from apmdm.finding import Finding
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.pairs.answers import answers
from apmdm.pairs.lessons import batches, run
from apmdm.pairs.lessons import labelled as steps_of
from apmdm.pairs.sequence import GO_ID, RELATIONS, Code, atoms_of
from apmdm.pairs.table import Pair
from apmdm.pairs.writing import Writer
from apmdm.paradigms.form import Form, direct
from apmdm.recipe import Recipe
from apmdm.sampler import Observation, Predictor, Run, rollouts
from apmdm.sequences import HELD_OUT, SPLIT_SEED
from apmdm.solution import Solution
from apmdm.state import Sequence
from apmdm.training.trainer import Settings
from apmdm.vocab import Vocab

WIDTH, MOST, WATCHED = 4, 50, 2000
"""Runs that a search for answers to pairs keeps, the most answers that can be asked for, and the most steps watched."""


@dataclass(frozen=True)
class PairsData:
    """batch_size: states that a step learns from."""

    batch_size: int = 64


@dataclass(frozen=True, eq=False)
class FromPairs(BaseTask):
    """Turn sources into targets, learned from pairs.

    Task.from_pairs explains the fields. A problem is a Pair.
    """

    name: str = "pairs"
    given: tuple[Pair, ...] = ()
    dev: tuple[Pair, ...] = ()
    learned: Code | None = None
    training: Settings | None = None
    num: int = option(1, "Show so many answers, with their probabilities.", min=1, max=MOST)

    problem_form = "a source, then a tab and its features if there are any"
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

    @cached_property
    def code(self) -> Code:
        """The characters and features that there are."""
        if self.learned is None and not self.texts:
            raise ValueError(f"{self.name} has no pairs to learn from: give a file of them by --data")
        return self.learned or Code.of(self._split[1])

    @property
    def vocab(self) -> Vocab:
        return self.code.vocab

    def encode(self, problem: Pair) -> Sequence:
        return self.code.encode(problem.source, problem.features)

    def taken(self, problem: Pair | tuple[str, ...] | str) -> Pair:
        return Pair(*problem) if isinstance(problem, tuple) else super().taken(problem)

    def parse(self, text: str) -> Pair:
        source, *rest = text.split("\t")
        if len(rest) > 2 or not source:
            raise ValueError(f"a problem is {self.problem_form}, not {text!r}")
        target = rest.pop(0) if len(rest) == 2 or (rest and not self.code.features) else ""
        pair = Pair(source, target, *rest)
        self.encode(pair)
        return pair

    def cautions(self, problem: Pair) -> Iterable[str]:
        for feature in atoms_of(problem.features):
            if feature not in self.code.features:
                yield f"the feature {feature!r} was not learned from"

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        tokens = sequence.ids.tolist()
        return {"kind": "string", "symbols": self.vocab.decode(tokens[1 + tokens.index(GO_ID) :])}

    def problem(self, random: Random) -> Pair:
        return random.choice(self._split[1])

    def test_problem(self, random: Random) -> Pair:
        if not self._split[0]:
            raise ValueError(
                f"{self.name} holds out no pairs to measure on: name the trained file instead, or give pairs by --data"
            )
        return random.choice(self._split[0])

    def examined(self, problems: Seq[Pair]) -> tuple[list[Finding], list[Pair]]:
        return [], list(problems)

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
        **options: Any,
    ) -> Iterator[Solution]:
        """Take the most probable answer of a search from both ends, or of one run from the left if it is watched."""
        watched: dict[str, Any] = {"max_steps": max_steps or WATCHED, "record": record, "on_step": on_step}
        if on_step is not None or not isinstance(model, Encoder):
            yield from super().solve(model, problems, batch_size=batch_size, device=device, **watched, **options)
            return
        numbered, width = enumerate(problems), max(WIDTH, self.num)
        while group := list(islice(numbered, batch_size or self.batch_size)):
            given = [pair for _, pair in group]
            steps = max_steps or 64 + 2 * max(len(pair.source) for pair in given)
            found = answers(model, self.code, given, width, max_steps=steps, record=record, device=device)
            for (index, pair), best in zip(group, found, strict=True):
                told = tuple((answer.text, answer.probability) for answer in best)
                run = replace(best[0].run, index=index)
                yield Solution(pair, best[0].text, self.status(pair, best[0].text), run, told)

    def record(self, solution: Solution) -> dict[str, Any]:
        probable = [{"answer": text, "probability": round(chance, 6)} for text, chance in solution.alternatives]
        return super().record(solution) | ({"answers": probable[: self.num]} if probable else {})

    def row(self, solution: Solution, seconds: float) -> str:
        if self.num == 1:
            return super().row(solution, seconds)
        told = [f"{text} {chance:.3f}" for text, chance in solution.alternatives[: self.num]]
        return "  ".join([solution.problem.source, *told])

    def verify(self, problem: Pair, answer: str) -> bool | None:
        return answer == problem.target if problem.target else None

    def judge(self, problem: Pair, run: Run) -> tuple[str | None, str]:
        """Characters that are new to the model are copied from the problem's source."""
        answer = self.code.decode(problem.source, run.final)
        return answer, self.status(problem, answer)

    def max_length(self, problems: Iterable[Pair]) -> int:
        return 64 + 8 * max((len(pair.source) + len(pair.features) for pair in problems), default=0)

    def recipe(self) -> Recipe:
        shape = Shape(width=96, layers=4, heads=8, attention="written", rotary=True, relations=RELATIONS)
        return Recipe(self, shape, self.training or Settings(steps=3000, evaluate_every=1000), PairsData())

    def batches(self, recipe: Recipe) -> Batches:
        return batches(self.code, self._split[1], recipe.seed, recipe.data.batch_size)

    def form(self) -> Form:
        def symbols(tokens: Seq[int]) -> list[str]:
            return self.vocab.decode(tokens)

        def prompt(pair: Pair) -> list[str]:
            tokens = self.encode(pair).ids.tolist()
            return symbols(tokens[: tokens.index(GO_ID)])

        def answer(pair: Pair) -> list[str]:
            return symbols(self.code.target(pair))

        def draw(random: torch.Generator) -> Pair:
            return self._split[1][int(torch.randint(len(self._split[1]), (), generator=random))]

        return direct(self.vocab, draw, prompt, answer, lambda pair, told: told == answer(pair))

    def saved(self) -> dict[str, Any]:
        return asdict(self.code)

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> BaseTask:
        fields = {name: saved[name] for name in ("characters", "features") if name in saved}
        if len(fields) < 2:
            raise ValueError("they are of another task, which is not one of pairs")
        return super(FromPairs, replace(self, learned=Code(**fields))).restored(vocab, saved)

    def described(self) -> dict[str, Any]:
        return {}

    def told(self, problem: Pair) -> dict[str, Any]:
        return {"source": problem.source} | ({"features": problem.features} if problem.features else {})
