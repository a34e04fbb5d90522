"""Parity in blocks of two bits: learned from the strings of one and two bits, and right at every length."""

import copy
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import groupby, product
from random import Random
from typing import Any, ClassVar

import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches
from apmdm.objective.supervised import accuracy
from apmdm.paradigms.comparison import Comparison
from apmdm.policy import Greedy
from apmdm.processes import WHOLE, Share
from apmdm.recipe import Recipe
from apmdm.sampler import MAX_LENGTH, Predictor, rollouts
from apmdm.solution import Certificate, Solution
from apmdm.state import Sequence, State
from apmdm.task import Task
from apmdm.tasks.parity import process
from apmdm.tasks.parity.certify import certificate, certify
from apmdm.tasks.parity.compare import compare_parity
from apmdm.tasks.parity.process import BLOCK, parity_of
from apmdm.training.trainer import Settings

POSITIONS_AT_ONCE, LONGEST_PROBLEM = 2**20, 64


@dataclass(frozen=True)
class Parity(Task):
    """Whether a string of 0 and 1 has an odd number of ones. Right at every length, with a proof.

    One layer of width 16 with attention in blocks of two; trained in seconds.
    """

    name = shipped = "parity"
    problem_form = "a string of 0 and 1"
    notation: ClassVar[Any] = process
    vocab = process.VOCAB

    def encode(self, problem: str) -> Sequence:
        return self.notation.encode(problem)

    def decode(self, final: Sequence) -> int | None:
        return self.notation.decode(final)

    def is_problem(self, text: str) -> bool:
        return set(text) <= {"0", "1"}

    def problem(self, random: Random) -> str:
        length = random.randint(1, LONGEST_PROBLEM)
        return f"{random.getrandbits(length):0{length}b}"

    def teacher(self, state: State) -> Edits:
        return self.notation.teacher(state)

    def verify(self, problem: str, answer: int) -> bool:
        return answer == parity_of(problem)

    def recipe(self) -> Recipe:
        shape = Shape(width=16, layers=1, heads=2, attention="block", span=BLOCK, absolute=BLOCK)
        return Recipe(self, shape, Settings(steps=600, evaluate_every=200, warmup=20))

    def batches(self, recipe: Recipe) -> Batches:
        """Every state of the teacher's runs on the six strings of one and two bits; all batches are the same."""
        batch = visited(self.teacher, [self.encode("".join(b)) for n in (1, 2) for b in product("01", repeat=n)])
        if recipe.data is not None:
            batch = batch[torch.arange(recipe.data.rows) % len(batch.state)]
        return lambda number: batch

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        blocks = certify(copy.deepcopy(model).cpu())
        return forced(model, self.batches(recipe)(0)) | {"certified blocks": sum(b.holds for b in blocks) / len(blocks)}

    def solve(
        self, model: Predictor, problems: Iterable[str], *, share: Share = WHOLE, **options: Any
    ) -> Iterator[Solution]:
        """Strings of equal length are run together, so that nothing is spent on padding."""
        strings = list(problems)

        def length(index: int) -> int:
            return len(strings[index])

        for common, group in groupby(sorted(range(len(strings)), key=length)[share.rank :: share.number], length):
            indices = list(group)
            rows = max(1, min(len(indices), POSITIONS_AT_ONCE // max(1, common)))
            grouped: dict[str, Any] = {"batch_size": rows, **options}
            for solution in super().solve(model, [strings[i] for i in indices], **grouped):
                yield replace(solution, run=replace(solution.run, index=indices[solution.run.index]))

    def max_length(self, problems: Iterable[str]) -> int:
        return MAX_LENGTH

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[str]]]:
        """1,000 random strings of every length from 1 to 64 and ten of a million bits; or `num` of each and one."""
        random = Random(seed)
        lengths = [n for n in range(1, 65) for _ in range(num or 1000)] + [1_000_000] * (1 if num else 10)
        yield "", sorted((f"{random.getrandbits(length):0{length}b}" for length in lengths), key=len)

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        lengths = Counter(len(solution.problem) for solution in solutions)
        right = Counter(len(solution.problem) for solution in solutions if solution.solved)
        return {
            "strings": len(solutions),
            "right": right.total(),
            "lengths with errors": [n for n, number in sorted(lengths.items()) if right[n] < number],
            "longest": max(lengths),
            "max_steps": max(solution.run.time for solution in solutions),
            "stops": dict(Counter(solution.run.stop for solution in solutions)),
        }

    def certify(self, model: Encoder) -> Iterator[Certificate]:
        yield certificate(model)

    def comparison(self, tokens: int | None, seed: int) -> Comparison:
        return compare_parity(self, tokens, seed)

    def told(self, problem: str) -> dict[str, Any]:
        return {"length": len(problem)}

    def record(self, solution: Solution) -> dict[str, Any]:
        return self.told(solution.problem) | {"parity": solution.answer}

    def row(self, solution: Solution, seconds: float) -> str:
        named = f"{solution.answer} ({'odd' if solution.answer else 'even'})"
        told = named if solution.solved else f"no right answer; stopped: {solution.run.stop}"
        return f"parity {told}  bits {len(solution.problem)}  steps {solution.run.time}"


def visited(teacher: Callable[[State], Edits], starts: list[Sequence]) -> Batch:
    """Every state of the teacher's runs from these starts, each once, labelled by the teacher."""
    runs = rollouts(teacher, starts, record=True)
    found = {tokens for run in runs for tokens in (*(s.tokens for s in run.steps), tuple(run.final.ids.tolist()))}
    states = State.stack([Sequence(torch.tensor(tokens)) for tokens in sorted(found) if tokens])
    return Batch(states, teacher(states))


def forced(model: Encoder, batch: Batch) -> dict[str, float]:
    """Accuracy of a model's decisions on the states of a batch."""
    batch = batch.to(model.embedding.device)
    with torch.no_grad():
        return accuracy(Greedy()(model(batch.state), batch.state), batch.state, batch.edits)


task = Parity
