"""The tasks that Task.from_process, Task.from_pairs and Task.from_sequences make."""

from ast import literal_eval
from collections.abc import Callable, Hashable, Iterable, Iterator
from collections.abc import Sequence as Seq
from copy import copy
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from itertools import islice
from random import Random
from typing import Any

import torch

from apmdm.base_task import BaseTask, option
from apmdm.edits import Edits
from apmdm.finding import Finding
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.self_supervised import MAX_ERRORS, self_supervised_loss
from apmdm.objective.supervised import Objective
from apmdm.pairs.answers import answers
from apmdm.pairs.lessons import batches, run
from apmdm.pairs.lessons import labelled as steps_of
from apmdm.pairs.sequence import GO_ID, RELATIONS, Code
from apmdm.pairs.table import Pair
from apmdm.pairs.writing import Writer
from apmdm.paradigms.comparison import Comparison
from apmdm.paradigms.form import Form, direct
from apmdm.policy import Correct, Policy
from apmdm.process import Alphabet, Symbols, Tokens, examined, labelled, reach, run_of, states_of, told, with_ways
from apmdm.recipe import Recipe
from apmdm.sampler import Observation, Predictor, Run, rollouts
from apmdm.sequences import HELD_OUT, SPLIT_SEED, Corpus, CorpusData, compared_on
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.training.chunked import seed_of
from apmdm.training.trainer import Settings
from apmdm.vocab import MASK, MASK_SYMBOL, Vocab, spelling


@dataclass(frozen=True)
class PairsData:
    """batch_size: states that a step learns from."""

    batch_size: int = 64


WIDTH, MOST, WATCHED = 4, 50, 2000
"""Runs that a search for answers to pairs keeps, the most answers that can be asked for, and the most steps watched."""
COMPARED_TOKENS = 2_000_000
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

    name: str
    process: Callable[..., Any]
    draw_problem: Callable[[Random], Any]
    draw_test: Callable[[Random], Any]
    start: Callable[[Any], Iterable[Hashable]]
    answer: Callable[[Symbols], Any] | None
    right: Callable[[Any, Any], bool] | None
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
    def vocab(self) -> Vocab:
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
        return {"kind": "string", "symbols": texts}

    def problem(self, random: Random) -> Any:
        return self.draw_problem(random)

    def test_problem(self, random: Random) -> Any:
        return self.draw_test(random)

    def teacher(self, state: State) -> Edits:
        return self.process(state)

    def max_length(self, problems: Iterable[Any]) -> int:
        """Twice what the process needs: a model that has learned little inserts without end."""
        return 64 + 2 * max((run.space for run in self.taught(problems)), default=0)

    def paths(self, problems: Seq[Any]) -> Iterator[Batch]:
        return super().paths(problems) if self.learning.batched else labelled(self.runs(problems))

    def taught(self, problems: Iterable[Any], record: bool = False) -> list[Run]:
        if self.learning.batched:
            return super().taught(problems, record)
        return [run_of(number, run, record) for number, run in enumerate(self.runs(problems))]

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


@dataclass(frozen=True, eq=False)
class FromSequences(BaseTask):
    """Correct and complete plain sequences, learned from right ones.

    A problem is a sequence with errors, or with `_` where a character is to be filled in. A tab and the right sequence
    may follow.
    """

    name: str = "sequences"
    given: tuple[str, ...] = ()
    characters: str = ""
    training: Settings | None = None

    problem_form = "a sequence, such as those that were learned"
    comment = ""
    max_steps = 1000
    has_runs = False
    loaded_as = "words"

    @cached_property
    def texts(self) -> tuple[str, ...]:
        return self.given

    @cached_property
    def _split(self) -> tuple[list[str], list[str], Random]:
        """The sequences that are held out, those that are learned from, and a random generator for what follows."""
        random = Random(SPLIT_SEED)
        shuffled = random.sample(self.texts, len(self.texts))
        held_out = HELD_OUT if len(shuffled) >= 2 * HELD_OUT else len(shuffled) // 4
        return shuffled[:held_out], shuffled[held_out:], random

    @cached_property
    def corpus(self) -> Corpus:
        if not self.texts and not self.characters:
            raise ValueError(f"{self.name} has no sequences to learn from: give a file of them by --data")
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

    def max_length(self, problems: Iterable[str]) -> int:
        return 64 + 8 * max(map(len, problems), default=0)

    def policy(self, seed: int) -> Policy:
        return Correct()

    @property
    def objective(self) -> Objective:
        return self_supervised_loss

    def recipe(self) -> Recipe:
        shape = Shape(width=64, layers=3, heads=4, rotary=True)
        usual = Settings(steps=4000, warmup=200, checkpoint_every=1000, precision="auto")
        training = self.training or usual
        return Recipe(self, shape, training, CorpusData(self.corpus.digest))

    def batches(self, recipe: Recipe) -> Batches:
        data = recipe.data
        return lambda number: self.corpus.corrupted(data.batch_size, Random(seed_of(recipe.seed, number)))

    def examined(self, problems: Seq[str]) -> tuple[list[Finding], list[str]]:
        return [], list(problems)

    def paths(self, problems: Seq[str]) -> Iterator[Batch]:
        """The right sequences with random errors, labelled with the edits that undo these."""
        right = tuple(problem.partition("\t")[2] for problem in problems)
        yield replace(self.corpus, sequences=right).corrupted(len(right), Random(0))

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        if len(self.texts) < 2 * HELD_OUT:
            found = f"at least {2 * HELD_OUT} different sequences are needed, got {len(self.texts)}"
            raise ValueError(f"{found}; give a file of them by --data")
        held_out, _, random = self._split
        own = replace(self.recipe(), seed=seed)
        return compared_on(self.corpus, held_out, copy(random), own, self.policy, tokens or COMPARED_TOKENS)

    def saved(self) -> dict[str, Any]:
        return {"characters": self.corpus.alphabet}

    def restored(self, vocab: Vocab, saved: dict[str, Any]) -> BaseTask:
        return super(FromSequences, replace(self, characters=saved.get("characters", ""))).restored(vocab, saved)

    def described(self) -> dict[str, Any]:
        return {}

    def told(self, problem: str) -> dict[str, Any]:
        return {"sequence": problem.partition("\t")[0]}


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
