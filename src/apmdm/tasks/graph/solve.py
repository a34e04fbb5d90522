"""Cut graphs with a model and say for each what came of it; every answer is verified."""

from collections.abc import Iterable, Iterator, Sequence as Seq
from dataclasses import dataclass

from apmdm.sampler import Model, Run, generate
from apmdm.tasks.graph.problem import Edge, Problem, decode, encode
from apmdm.tasks.graph.verify import is_minimum_cut, minimum_cut_size

MAX_STEPS = 10_000


@dataclass(frozen=True)
class Solution:
    """One problem's outcome. size: of a minimum cut, by NetworkX; deleted: the cut, None unless it was verified."""

    problem: Problem
    size: int
    deleted: list[Edge] | None
    run: Run

    @property
    def trivial(self) -> bool:
        """True if all edges out of the source, or all into the target, are a minimum cut."""
        problem = self.problem
        around = (
            sum(node in (edge[:1] if problem.directed else edge) for edge in problem.edges)
            for node in (problem.source,)
        )
        return self.size in around


def solve(
    model: Model,
    problems: Seq[Problem],
    *,
    batch_size: int = 64,
    record: bool = False,
    device: str = "cpu",
) -> Iterator[Solution]:
    """Free-running greedy runs; solutions come as they are found, Solution.run.index says of which problem.

    A run may take MAX_STEPS steps and no more length than the process.
    """
    longest = max((problem.space for problem in problems), default=0)
    options = {"batch_size": batch_size, "max_steps": MAX_STEPS, "max_length": longest}
    for run in generate(model, map(encode, problems), record=record, device=device, **options):
        problem = problems[run.index]
        size, left = minimum_cut_size(problem), decode(run.final)
        verified = left is not None and is_minimum_cut(problem, left, size)
        yield Solution(problem, size, sorted(set(problem.edges) - set(left)) if verified else None, run)
