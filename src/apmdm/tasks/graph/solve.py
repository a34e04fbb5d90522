"""Cut graphs with a model and say for each what came of it; every answer is verified."""

from collections.abc import Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass

from apmdm.sampler import Predictor, Run, rollouts
from apmdm.tasks.graph.problem import Edge, Problem, decode, encode
from apmdm.tasks.graph.verify import is_minimum_cut, is_trivial, minimum_cut_size

MAX_STEPS = 10_000


@dataclass(frozen=True)
class Solution:
    """One problem's outcome.

    size: of a minimum cut, by NetworkX; trivial: all edges of the source, or of the target, are such a cut;
    deleted: the model's cut, None unless it was verified.
    """

    problem: Problem
    size: int
    trivial: bool
    deleted: list[Edge] | None
    run: Run


def solve(
    model: Predictor,
    problems: Seq[Problem],
    *,
    batch_size: int = 64,
    record: bool = False,
    device: str = "cpu",
) -> Iterator[Solution]:
    """Free-running greedy runs; solutions come as they are found, Solution.run.index says of which problem.

    A run may take MAX_STEPS steps and no more length than the process.
    """
    starts, longest = map(encode, problems), max((problem.space for problem in problems), default=0)
    for run in rollouts(
        model,
        starts,
        batch_size=batch_size,
        max_steps=MAX_STEPS,
        max_length=longest,
        record=record,
        device=device,
    ):
        problem = problems[run.index]
        size, left = minimum_cut_size(problem), decode(run.final)
        verified = left is not None and is_minimum_cut(problem, left, size)
        deleted = sorted(set(problem.edges) - set(left)) if left is not None and verified else None
        yield Solution(problem, size, is_trivial(problem, size), deleted, run)
