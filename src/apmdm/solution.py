"""Solution: the result of running a model on a problem. Certificate: a proof about a model."""

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from apmdm.sampler import Run
from apmdm.trace import Step


@dataclass(frozen=True)
class Solution:
    """The result of running a model on one problem.

    problem: the problem. answer: what the final state stands for, or None.
    status: "solved" if the answer was verified, "unsolved" if it is wrong, "unverified" if this cannot be known. A task
    may have more.
    run: the run itself, with its final state, number of steps and reason to stop.
    alternatives: the most probable answers with their probabilities, this one first, if the task tells.
    """

    problem: Any
    answer: Any
    status: str
    run: Run
    alternatives: tuple[tuple[Any, float], ...] = ()

    @property
    def solved(self) -> bool:
        return self.status == "solved"

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps of the run, if they were recorded."""
        return self.run.steps

    def cost(self) -> dict[str, Any]:
        """Why the run stopped and what it cost, as JSON."""
        run = self.run
        counts = {"stop": run.stop, "steps": run.time, "space": run.space, "work": run.work, "computed": run.computed}
        return counts | {"log_probability": round(run.log_probability, 6)}


def shares_by_length(known: Iterable[tuple[int, bool]], groups: int) -> dict[str, float]:
    """The share of True among pairs of a length and a truth, in about as many groups of lengths, equally large."""
    ordered = sorted(known)
    ends = {ordered[len(ordered) * part // groups - 1][0] for part in range(1, groups + 1)} if ordered else set()
    shares, first = {}, 0
    for end in sorted(ends):
        inside = [(length, right) for length, right in ordered if first <= length <= end]
        name = str(end) if inside[0][0] == end else f"{inside[0][0]} to {end}"
        shares[name] = round(sum(right for _, right in inside) / len(inside), 4)
        first = end + 1
    return shares


def calibration_error(sure: Seq[float], right: Seq[bool], bins: int = 10) -> float:
    """How far probabilities are from the share that is right: the expected error over bins of equal width.

    Source: Guo et al. 2017.
    """
    inside: dict[int, list[float]] = {}
    for chance, truth in zip(sure, right, strict=True):
        inside.setdefault(min(int(chance * bins), bins - 1), []).append(chance - truth)
    return sum(abs(sum(gaps)) for gaps in inside.values()) / max(1, len(sure))


@runtime_checkable
class Certificate(Protocol):
    """A proof about a model that consists of finitely many evaluations of it."""

    @property
    def holds(self) -> bool: ...

    def record(self) -> dict[str, Any]:
        """As JSON."""
        ...

    def text(self) -> str:
        """As lines of text."""
        ...
