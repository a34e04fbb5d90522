"""The task that Task.from_process makes."""

from ast import literal_eval
from collections.abc import Callable, Hashable, Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

import torch

from apmdm.base_task import BaseTask
from apmdm.edits import Edits
from apmdm.finding import Finding
from apmdm.model.encoder import Shape
from apmdm.objective.batch import Batch
from apmdm.process import Alphabet, Symbols, Tokens, examined, labelled, reach, states_of, told, with_ways
from apmdm.recipe import Recipe
from apmdm.sampler import Run
from apmdm.state import Sequence, State
from apmdm.training.trainer import Settings
from apmdm.vocab import MASK_SYMBOL, Vocab, spelling

MET, NOTED, MAX_REACH = 200, 20, 4
"""How many problems are run to find the symbols and the reach of a process, and how many to look for mistakes before
training; the largest reach that is tried."""


@dataclass(frozen=True)
class Learning:
    """How a process is learned. shape, training: None for what fits. batched: it is given as State -> Edits."""

    shape: Shape | None = None
    training: Settings | None = None
    batched: bool = False


@dataclass(frozen=True, eq=False)
class FromProcess(BaseTask):
    """A task that is learned from a process on lists of symbols.

    Task.from_process explains the fields.
    """

    name: str  # pyrefly: ignore[bad-override]
    process: Callable[..., Any]
    draw_problem: Callable[[Random], Any]
    draw_test: Callable[[Random], Any]
    start: Callable[[Any], Iterable[Hashable]]
    answer: Callable[[Symbols], Any] | None
    right: Callable[[Any, Any], object] | None
    symbols: tuple[Hashable, ...] | None
    learning: Learning

    @cached_property
    def alphabet(self) -> Alphabet:
        if self.symbols is not None:
            return Alphabet(self.symbols)
        problems = [draw(Random(n)) for draw in (self.draw_problem, self.draw_test) for n in range(MET)]
        met = {symbol for problem in problems for state in self.states(problem) for symbol in state}
        return Alphabet(sorted(met - {MASK_SYMBOL}, key=lambda symbol: spelling(symbol)))

    @property
    def vocab(self) -> Vocab:  # pyrefly: ignore[bad-override]
        return self.alphabet.vocab

    def states(self, problem: Any) -> list[Symbols]:
        """The process's own run on a problem."""
        return states_of(self.process, list(self.start(problem)))

    def runs(self, problems: Iterable[Any]) -> list[list[Tokens]]:
        """Runs as tokens. States are put in between where one step of the process takes more than one transition."""
        return with_ways([[*map(self.alphabet.encode, self.states(problem))] for problem in problems])

    def encode(self, problem: Any) -> Sequence:
        try:
            first = list(self.start(problem))
        except Exception as error:
            raise ValueError(f"`start` fails on {problem!r}: {type(error).__name__}: {error}") from error
        return Sequence(torch.tensor(self.alphabet.encode(first)))

    def decode(self, final: Sequence) -> Any:
        symbols = self.alphabet.decode(final.ids.tolist())
        if symbols is None or MASK_SYMBOL in symbols:
            return None
        if self.answer is not None:
            try:
                return self.answer(symbols)
            except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
                return None  # the last state of a model may have any form
        return "".join(map(str, symbols)) if all(isinstance(symbol, str) for symbol in symbols) else symbols

    def parse(self, text: str) -> Any:
        """The text itself, if problems are text; otherwise a Python literal such as `[3, 1, 2]`."""
        if isinstance(self.draw_problem(Random(0)), str):
            problem = text
        else:
            try:
                problem = literal_eval(text)
            except (ValueError, SyntaxError):
                raise ValueError(
                    f"a problem is written as Python would, such as {self.draw_problem(Random(0))!r}"
                ) from None
        self.encode(problem)
        return problem

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        symbols = self.alphabet.decode(sequence.ids.tolist())
        texts = self.vocab.decode(sequence.ids.tolist()) if symbols is None else list(map(told, symbols))
        drawing = {"kind": "string", "symbols": texts}
        return drawing if symbols is None else drawing | {"positions": range(1, len(texts) + 1)}

    def problem(self, random: Random) -> Any:
        return self.draw_problem(random)

    def test_problem(self, random: Random) -> Any:
        return self.draw_test(random)

    def teacher(self, state: State) -> Edits:
        return self.process(state)

    def most_steps(self, problems: Iterable[Any]) -> int:
        """Several times what the process needs: a model that has learned little may go on without end."""
        return 64 + 4 * max((run.time for run in self.taught(problems)), default=0)

    def max_length(self, problems: Iterable[Any]) -> int:
        """Twice what the process needs: a model that has learned little inserts without end."""
        return 64 + 2 * max((run.space for run in self.taught(problems)), default=0)

    def paths(self, problems: Seq[Any]) -> Iterator[Batch]:
        return super().paths(problems) if self.learning.batched else labelled(self.runs(problems))

    def taught(self, problems: Iterable[Any], record: bool = False) -> list[Run]:
        if self.learning.batched:
            return super().taught(problems, record)
        return [Run.through(number, run, record) for number, run in enumerate(self.runs(problems))]

    def reference(self, problem: Any) -> Sequence:
        if self.learning.batched:
            return super().reference(problem)
        return Sequence(torch.tensor(self.alphabet.encode(self.states(problem)[-1])))

    def examined(self, problems: Seq[Any]) -> tuple[list[Finding], list[Any]]:
        if self.learning.batched:
            return super().examined(problems)
        findings, sound = examined(self.process, self.start, self.alphabet, problems)
        if self.learning.shape is None and len(sound) == len(problems):
            findings.append(self._attention())
        return findings, sound

    @cached_property
    def reach(self) -> int | None:
        """How far to either side a position must see for its edits to follow, None if this is not near."""
        return reach(self.paths([self.draw_problem(Random(n)) for n in range(MET)]), most=MAX_REACH)

    def _attention(self) -> Finding:
        if self.reach is None:
            what = f"{MAX_REACH} positions to either side do not decide every edit, so the model sees all positions"
            return Finding(what, "nothing, if longer problems than those of training need not be solved", False)
        what = f"{self.reach} to either side of a position decide every edit, so the model sees these only"
        return Finding(what, "nothing; such a model works at every length, and `shape` gives another one", False)

    def notes(self) -> list[str]:
        """The process also runs on the problems to measure on, so that none of them fails after the training."""
        self.validation()
        findings, _ = self.examined([self.draw_problem(Random(n)) for n in range(NOTED)])
        return [f"{finding.what} (`apmdm check` tells more)" for finding in findings]

    def verify(self, problem: Any, answer: Any) -> bool | None:
        if self.right is None:
            return super().verify(problem, answer)
        try:
            return bool(self.right(problem, answer))
        except (ValueError, LookupError, TypeError, ArithmeticError, AttributeError):
            return False  # the answer of a model may have any form

    def recipe(self) -> Recipe:
        """If the process only looks at near positions, the model does so too, and then works at any length."""
        own = super().recipe()
        shape, training = self.learning.shape, self.learning.training
        if shape is None:
            seen = self.reach
            shape = Shape(layers=2, attention="window", span=seen, rotary=True) if seen else own.shape
        return replace(own, shape=shape, training=training or own.training)
