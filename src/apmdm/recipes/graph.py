"""Minimum cuts, learned on graphs of at most 10 nodes: one small encoder without any absolute position."""

from dataclasses import dataclass
from random import Random

from apmdm.model.attention import BEFORE
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.recipes.base import Recipe
from apmdm.state import Sequence, State
from apmdm.tasks.graph.data import MAX_NODES, sized, training_states
from apmdm.tasks.graph.process import NUM_HINTS, VOCAB, hints, teacher
from apmdm.tasks.graph.solve import solve
from apmdm.train.chunked import Chunked, seed_of
from apmdm.train.trainer import Settings

LONGEST = 2 * MAX_NODES * (MAX_NODES - 1) + 3
"""Tokens of the longest state that is trained on."""
PROBLEMS, PER_CHUNK = 2000, 512
"""Graphs whose states are drawn from, and batches that are drawn, before the next graphs."""
VALIDATION, VALIDATION_SEED = ((range(4, 11), 60), (range(20, 21), 60)), 7
"""Numbers of nodes, and of graphs, that periodic evaluation solves."""


@dataclass(frozen=True)
class Data:
    """pairs: positions that attend to each other in a batch; states of nearly equal length share one, so that dense
    graphs take no more memory than sparse ones.
    """

    pairs: int = 150_000

    def __post_init__(self) -> None:
        if self.pairs < 1:
            raise ValueError("data.pairs is at least 1")


def graph() -> Recipe:
    """205k parameters, about an hour on one CPU core."""
    return Recipe(
        seed=0,
        shape=Shape(
            width=64,
            layers=4,
            heads=8,
            relations=((0, 0), (1, 1), (0, 1), (1, 0), BEFORE),
            trained_length=LONGEST,
        ),
        training=Settings(steps=8000, evaluate_every=2000, warmup=200, precision="auto"),
        vocab=VOCAB,
        batches=_batches,
        evaluate=_evaluate,
        hints=Hints(NUM_HINTS, hints),
        data=Data(),
    )


def _batches(recipe: Recipe) -> Batches:
    def draw(number: int) -> list[Sequence]:
        seed = seed_of(recipe.seed, number)
        states = training_states(PROBLEMS, seed)
        Random(seed).shuffle(states)
        return sorted(states, key=len)

    chunks = Chunked(draw, PER_CHUNK)

    def batch(number: int) -> Batch:
        states, _ = chunks(number)
        random = Random(seed_of(recipe.seed, number))
        first = max(random.randrange(len(states)), random.randrange(len(states)))
        rows = max(1, recipe.data.pairs // len(states[first]) ** 2)
        state = State.stack(states[first : first + min(rows, 128)])
        return Batch(state, teacher(state))

    return batch


def _evaluate(recipe: Recipe, model: Encoder) -> dict[str, float]:
    """Free-running rollouts on graphs never trained on, some of them larger than any trained on."""
    device, found = str(next(model.parameters()).device), {}
    for nodes, num in VALIDATION:
        problems = [problem for kind in sized(nodes, num, Random(VALIDATION_SEED)).values() for problem in kind]
        solutions = list(solve(model, problems, device=device))
        found[f"solved, {nodes[-1]} nodes"] = sum(s.deleted is not None for s in solutions) / len(solutions)
    return found
