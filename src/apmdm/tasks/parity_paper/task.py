"""Parity in the paper's form, for comparison: full attention and a begin token."""

from dataclasses import dataclass
from random import Random
from typing import Any

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batches
from apmdm.recipe import Recipe
from apmdm.solution import Solution
from apmdm.state import Sequence, State
from apmdm.task import Task
from apmdm.tasks.parity.process import parity_of
from apmdm.tasks.parity.task import forced, visited
from apmdm.tasks.parity_paper import process
from apmdm.training.trainer import Settings

LONGEST_PROBLEM = 32


@dataclass(frozen=True)
class ParityPaper(Task):
    """Parity as the paper does it, two bits at a time from the left; it does not work on longer strings.

    Learned from all strings of two bits.
    """

    name = "parity-paper"
    problem_form = "a string of 0 and 1"
    vocab = process.VOCAB

    def encode(self, problem: str) -> Sequence:
        return process.encode(problem)

    def decode(self, final: Sequence) -> int | None:
        return process.decode(final)

    def problem(self, random: Random) -> str:
        length = random.randint(1, LONGEST_PROBLEM)
        return f"{random.getrandbits(length):0{length}b}"

    def teacher(self, state: State) -> Edits:
        return process.teacher(state)

    def verify(self, problem: str, answer: int) -> bool:
        return answer == parity_of(problem)

    def recipe(self) -> Recipe:
        shape = Shape(width=16, layers=2, heads=2, rotary=True)
        return Recipe(self, shape, Settings(steps=1000, evaluate_every=500, warmup=20))

    def batches(self, recipe: Recipe) -> Batches:
        batch = visited(self.teacher, [self.encode(bits) for bits in ("00", "01", "10", "11")])
        return lambda number: batch

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        return forced(model, self.batches(recipe)(0))

    def told(self, problem: str) -> dict[str, Any]:
        return {"length": len(problem)}

    def record(self, solution: Solution) -> dict[str, Any]:
        return self.told(solution.problem) | {"parity": solution.answer}


task = ParityPaper
