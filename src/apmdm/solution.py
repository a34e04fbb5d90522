"""What came of a problem, and what a proof about a model says."""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from apmdm.sampler import Run
from apmdm.trace import Step


@dataclass(frozen=True)
class Solution:
    """What came of one problem.

    status: solved (the answer was verified), unsolved, or unverified where nothing is known to compare it with; a task
    may have more. answer: None if the final state says none.
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
        """Those of the run, if they were recorded."""
        return self.run.steps

    def cost(self) -> dict[str, Any]:
        """Why and when the run ended, as JSON."""
        run = self.run
        counts = {"stop": run.stop, "steps": run.time, "space": run.space, "work": run.work}
        return counts | {"log_probability": round(run.log_probability, 6)}


@runtime_checkable
class Certificate(Protocol):
    """A proof about a model, from finitely many evaluations."""

    @property
    def holds(self) -> bool: ...

    def record(self) -> dict[str, Any]:
        """As JSON."""
        ...

    def text(self) -> str:
        """For a reader, in lines."""
        ...
