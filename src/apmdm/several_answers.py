"""Tasks whose solutions are several answers with their probabilities."""

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, ClassVar

from apmdm.base_task import BaseTask, option
from apmdm.belief import Belief, fitted
from apmdm.lines import visible
from apmdm.model.encoder import Encoder
from apmdm.sampler import Predictor
from apmdm.solution import Solution, calibration_error

MOST, SHOWN, LEAST_FITTED = 50, 5, 30
"""The most answers that can be asked for, how many `eval` looks at, and the fewest problems to fit probabilities on."""


@dataclass(frozen=True, eq=False)
class SeveralAnswers(BaseTask):
    """A task whose solutions have `alternatives`. num: how many of them `run` shows.

    belief: how their probabilities are told; the usual way if it is not known.
    """

    _: KW_ONLY
    num: int = option(1, "Show so many answers, with their probabilities.", min=1, max=MOST)
    belief: Belief | None = None

    usual: ClassVar = Belief()

    def fitted_on(self) -> list[Any]:
        """Problems with known answers, not learned from, that the telling of probabilities may be fitted on."""
        return []

    def scored(self, model: Encoder, problems: list[Any]) -> Iterable[list[tuple[str | None, float]]]:
        """For each problem the answers that are found, with their scores, the highest first."""
        raise NotImplementedError

    def chances(self, scores: Seq[float]) -> list[float]:
        """How probable it is of each answer that it is right."""
        return (self.belief or self.usual).of(scores)

    def fitted(self, model: Encoder) -> BaseTask:
        """How probabilities are told is fitted on problems held out, if there are enough of them."""
        problems = self.fitted_on()
        if len(problems) < LEAST_FITTED:
            return self
        told = list[tuple[list[float], int | None]]()
        for problem, found in zip(problems, self.scored(model, problems), strict=True):
            right = (place for place, (text, _) in enumerate(found) if text is not None and self.verify(problem, text))
            told.append(([score for _, score in found], next(right, None)))
        return replace(self, belief=fitted(told, self.usual))

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
