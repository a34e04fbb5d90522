"""Tasks made of what a user has: a process, pairs, or plain sequences."""

from ast import literal_eval
from collections.abc import Callable, Hashable, Iterable, Iterator
from collections.abc import Sequence as Seq
from copy import copy
from dataclasses import dataclass, replace
from functools import cached_property
from random import Random
from typing import Any

import torch

from apmdm.base_task import BaseTask
from apmdm.edits import Edits
from apmdm.model.encoder import Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.self_supervised import MAX_ERRORS, self_supervised_loss
from apmdm.objective.supervised import Objective
from apmdm.paradigms.comparison import TOKENS, Comparison
from apmdm.policy import Correct, Policy
from apmdm.process import Alphabet, Symbols, Tokens, labelled, reach, run_of, states_of, with_ways
from apmdm.recipe import Recipe
from apmdm.sampler import Run
from apmdm.sequences import HELD_OUT, SPLIT_SEED, Corpus, CorpusData, compared_on
from apmdm.state import Sequence, State
from apmdm.training.chunked import seed_of
from apmdm.training.trainer import Settings
from apmdm.vocab import MASK, MASK_SYMBOL, Vocab, spelling

MET, MAX_REACH = 200, 4
"""Problems on which symbols and reach of a process are looked up; the largest reach that is tried."""


@dataclass(frozen=True, eq=False)
class FromProcess(BaseTask):
    """A task whose teacher is a user's process on lists of symbols; Task.from_process says what the fields are."""

    name: str
    process: Callable[..., Any]
    draw_problem: Callable[[Random], Any]
    draw_test: Callable[[Random], Any]
    start: Callable[[Any], Iterable[Hashable]]
    answer: Callable[[Symbols], Any] | None
    right: Callable[[Any, Any], bool] | None
    symbols: tuple[Hashable, ...] | None
    trained_as: tuple[Shape | None, Settings | None, bool]

    @cached_property
    def alphabet(self) -> Alphabet:
        if self.symbols is not None:
            return Alphabet(self.symbols)
        problems = [draw(Random(n)) for draw in (self.draw_problem, self.draw_test) for n in range(MET)]
        met = {symbol for problem in problems for state in self.states(problem) for symbol in state}
        return Alphabet(sorted(met - {MASK_SYMBOL}, key=lambda symbol: spelling(symbol)))

    @property
    def vocab(self) -> Vocab:
        return self.alphabet.vocab

    def states(self, problem: Any) -> list[Symbols]:
        """The process's own run on a problem."""
        return states_of(self.process, list(self.start(problem)))

    def runs(self, problems: Iterable[Any]) -> list[list[Tokens]]:
        """Runs as tokens, with states in between where a step of the process is more than the transition can do."""
        return with_ways([[*map(self.alphabet.encode, self.states(problem))] for problem in problems])

    def encode(self, problem: Any) -> Sequence:
        return Sequence(torch.tensor(self.alphabet.encode(self.start(problem))))

    def decode(self, final: Sequence) -> Any:
        symbols = self.alphabet.decode(final.ids.tolist())
        if symbols is None or MASK_SYMBOL in symbols:
            return None
        if self.answer is not None:
            return self.answer(symbols)
        return "".join(map(str, symbols)) if all(isinstance(symbol, str) for symbol in symbols) else symbols

    def parse(self, text: str) -> Any:
        """Text, where problems are text; else what Python would read, such as `[3, 1, 2]`."""
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
        return {"kind": "string", "symbols": self.vocab.decode(sequence.ids.tolist())[1:-1]}

    def problem(self, random: Random) -> Any:
        return self.draw_problem(random)

    def test_problem(self, random: Random) -> Any:
        return self.draw_test(random)

    def teacher(self, state: State) -> Edits:
        return self.process(state)

    def paths(self, problems: Seq[Any]) -> Iterator[Batch]:
        return super().paths(problems) if self.trained_as[2] else labelled(self.runs(problems))

    def taught(self, problems: Iterable[Any], record: bool = False) -> list[Run]:
        if self.trained_as[2]:
            return super().taught(problems, record)
        return [run_of(number, run, record) for number, run in enumerate(self.runs(problems))]

    def verify(self, problem: Any, answer: Any) -> bool | None:
        return super().verify(problem, answer) if self.right is None else bool(self.right(problem, answer))

    def recipe(self) -> Recipe:
        """Attention sees as far as the process does, if that is near: such a model works at any length."""
        own = super().recipe()
        shape, training, _ = self.trained_as
        if shape is None:
            seen = reach(self.paths([self.draw_problem(Random(n)) for n in range(MET)]), most=MAX_REACH)
            shape = Shape(layers=2, attention="window", span=seen, rotary=True) if seen else own.shape
        return replace(own, shape=shape, training=training or own.training)


@dataclass(frozen=True, eq=False)
class FromSequences(BaseTask):
    """A task that learns to correct and complete plain sequences; Task.from_sequences says more.

    A problem is a sequence with errors, or with _ where something is to be filled in; a tab and the right one may follow.
    """

    name: str = "sequences"
    given: tuple[str, ...] = ()
    characters: str = ""

    problem_form = "a sequence, such as those that were learned"
    max_steps = 1000

    @property
    def texts(self) -> tuple[str, ...]:
        return self.given

    @cached_property
    def _split(self) -> tuple[list[str], list[str], Random]:
        """What is held out, what is learned from, and the randomness that goes on from there."""
        random = Random(SPLIT_SEED)
        shuffled = random.sample(self.texts, len(self.texts))
        held_out = min(HELD_OUT, len(shuffled) // 4)
        return shuffled[:held_out], shuffled[held_out:], random

    @cached_property
    def corpus(self) -> Corpus:
        if self.texts and len(self.texts) < 4:
            raise ValueError(f"at least 4 different sequences are needed to learn from, got {len(self.texts)}")
        alphabet = self.characters or "".join(sorted(set("".join(self.texts))))
        return Corpus(tuple(self._split[1]), alphabet)

    @property
    def vocab(self) -> Vocab:
        return self.corpus.vocab

    def encode(self, problem: str) -> Sequence:
        return self.corpus.start(problem)

    def decode(self, final: Sequence) -> str | None:
        tokens = final.ids.tolist()
        return None if MASK in tokens else self.corpus.decode(tokens)

    def draw(self, sequence: Sequence) -> dict[str, Any]:
        return {"kind": "string", "symbols": self.vocab.decode(sequence.ids.tolist())[1:]}

    def problem(self, random: Random) -> str:
        return self._broken(self._split[1], random)

    def test_problem(self, random: Random) -> str:
        return self._broken(self._split[0], random)

    def _broken(self, texts: list[str], random: Random) -> str:
        if not texts:
            raise ValueError(f"{self.name} has no sequences to draw problems from: give the file by --data")
        return self.corpus.problem(random.choice(texts), random.randint(0, MAX_ERRORS), random)

    def verify(self, problem: str, answer: str) -> bool | None:
        _, known, right = problem.partition("\t")
        return answer == right if known else None

    def policy(self, seed: int) -> Policy:
        return Correct()

    @property
    def objective(self) -> Objective:
        return self_supervised_loss

    def recipe(self) -> Recipe:
        shape = Shape(width=64, layers=3, heads=4, rotary=True)
        training = Settings(steps=4000, warmup=200, checkpoint_every=1000, precision="auto")
        return Recipe(self, shape, training, CorpusData(self.corpus.digest))

    def batches(self, recipe: Recipe) -> Batches:
        data = recipe.data
        return lambda number: self.corpus.corrupted(data.batch_size, Random(seed_of(recipe.seed, number)))

    def paths(self, problems: Seq[str]) -> Iterator[Batch]:
        """Corruptions of the right sequences, labelled by what was done to them."""
        right = tuple(problem.partition("\t")[2] for problem in problems)
        yield replace(self.corpus, sequences=right).corrupted(len(right), Random(0))

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        if len(self.texts) < 2 * HELD_OUT:
            raise ValueError(f"at least {2 * HELD_OUT} different sequences are needed, got {len(self.texts)}")
        held_out, _, random = self._split
        own = replace(self.recipe(), seed=seed)
        return compared_on(self.corpus, held_out, copy(random), own, self.policy, tokens or TOKENS)

    def saved(self) -> dict[str, Any]:
        return {"characters": self.corpus.alphabet}

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> BaseTask:
        return super(FromSequences, replace(self, characters=saved.get("characters", ""))).restored(vocab, saved)

    def described(self) -> dict[str, Any]:
        return {}

    def told(self, problem: str) -> dict[str, Any]:
        return {"sequence": problem.partition("\t")[0]}
