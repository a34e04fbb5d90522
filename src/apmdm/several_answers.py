"""Tasks whose solutions are several answers with their probabilities."""

from dataclasses import KW_ONLY, dataclass
from typing import Any

from apmdm.base_task import BaseTask, option
from apmdm.lines import visible
from apmdm.sampler import Predictor
from apmdm.solution import Solution, calibration_error

MOST, SHOWN = 50, 5
"""The most answers that can be asked for, and how many `eval` looks at."""


@dataclass(frozen=True, eq=False)
class SeveralAnswers(BaseTask):
    """A task whose solutions have `alternatives`. num: how many of them `run` shows."""

    _: KW_ONLY
    num: int = option(1, "Show so many answers, with their probabilities.", min=1, max=MOST)

    def question(self, problem: Any) -> str:
        """A problem in the line that shows several answers to it."""
        return str(problem)

    def summary(self, solutions: list[Solution], model: Predictor) -> dict[str, Any]:
        figures = super().summary(solutions, model)
        known = [one for one in solutions if one.status != "unverified" and one.alternatives]
        if not known:
            return figures
        held = [any(self.verify(one.problem, text) for text, _ in one.alternatives[:SHOWN]) for one in known]
        sure = [one.alternatives[0][1] for one in known]
        return figures | {
            f"right among {SHOWN}": round(sum(held) / len(known), 4),
            "calibration error": round(calibration_error(sure, [one.solved for one in known]), 4),
        }

    def record(self, solution: Solution) -> dict[str, Any]:
        probable = [{"answer": text, "probability": round(chance, 6)} for text, chance in solution.alternatives]
        return super().record(solution) | ({"answers": probable[: self.num]} if probable else {})

    def row(self, solution: Solution, seconds: float) -> str:
        """With the probability of the answer, or of as many answers as were asked for."""
        told = [
            f"{'no answer' if text is None else visible(text)} {chance:.3f}"
            for text, chance in solution.alternatives[: self.num]
        ]
        if self.num > 1 and told:
            return "  ".join([self.question(solution.problem), *told])
        sure = [f"probability {chance:.3f}" for _, chance in solution.alternatives[:1]]
        return "  ".join([super().row(solution, seconds), *sure])
