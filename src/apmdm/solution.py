"""Solution: the result of running a model on a problem. Certificate: a proof about a model."""

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
    """

    problem: Any
    answer: Any
    status: str
    run: Run

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
        counts = {"stop": run.stop, "steps": run.time, "space": run.space, "work": run.work}
        return counts | {"log_probability": round(run.log_probability, 6)}


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
