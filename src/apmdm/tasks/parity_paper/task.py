"""Parity in the paper's form, for comparison: full attention and a begin token."""

from collections.abc import Iterator
from dataclasses import dataclass

from apmdm.base_task import TESTS
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batches
from apmdm.recipe import Recipe
from apmdm.tasks.parity.task import Parity, forced, visited
from apmdm.tasks.parity_paper import process
from apmdm.training.trainer import Settings


@dataclass(frozen=True)
class ParityPaper(Parity):
    """Parity as the paper does it, two bits at a time from the left; it does not work on longer strings.

    Learned from all strings of two bits.
    """

    name = "parity-paper"
    shipped = None
    notation = process
    vocab = process.VOCAB

    def recipe(self) -> Recipe:
        shape = Shape(width=16, layers=2, heads=2, rotary=True)
        return Recipe(self, shape, Settings(steps=1000, evaluate_every=500, warmup=20))

    def batches(self, recipe: Recipe) -> Batches:
        batch = visited(self.teacher, [self.encode(bits) for bits in ("00", "01", "10", "11")])
        return lambda number: batch

    def tests(self, num: int | None, seed: int) -> Iterator[tuple[str, list[str]]]:
        """Short strings: with full attention a million bits would need terabytes."""
        yield "", self.sample(num or TESTS, seed)

    def validate(self, recipe: Recipe, model: Encoder) -> dict[str, float]:
        return forced(model, self.batches(recipe)(0))


task = ParityPaper
