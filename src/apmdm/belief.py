"""How probable it is that an answer is right, from the scores of all answers that a search found."""

import math
from collections.abc import Sequence as Seq
from dataclasses import astuple, dataclass

import torch
from jaxtyping import Float
from torch import Tensor

CLEAR, FITTED_ON, PRIOR, ROUNDS = 15.0, 2, 30.0, 1000
"""The largest lead that counts, how many answers to a problem a belief is fitted on, how near it stays to the usual
one, and how often it is corrected."""


@dataclass(frozen=True)
class Belief:
    """How log-probabilities of texts become the probability that a text is right, fitted on problems held out.

    If no text before it is right, a text is right with odds of exp(constant + score s + lead l): s is its score, a
    log-probability, and l the logarithm of how much more probable it is than all after it, at most CLEAR.
    """

    constant: float = 0.5
    score: float = 0.6
    lead: float = 0.55

    def of(self, scores: Seq[float]) -> list[float]:
        """The probabilities of texts with these scores, the highest first. No text has more than the one before it."""
        weights = torch.tensor((self.constant, self.score, self.lead), dtype=torch.double)
        chances, left = list[float](), 1.0
        for alone in (_odds(scores) @ weights).sigmoid().tolist():
            chances.append(min(left * alone, *chances[-1:], 1.0))
            left -= chances[-1]
        return chances


def _odds(scores: Seq[float]) -> Float[Tensor, "texts 3"]:
    """What the odds of each text depend on."""
    s = torch.tensor(scores, dtype=torch.double)
    after = torch.cat((s.flip(0).logcumsumexp(0).flip(0)[1:], s.new_tensor([-math.inf])))
    lead = (s - after).nan_to_num(CLEAR).clamp(max=CLEAR)
    return torch.stack((torch.ones_like(s), s.clamp(min=-1e9), lead), 1)


def fitted(told: Seq[tuple[Seq[float], int | None]], usual: Belief) -> Belief:
    """The most probable belief, by logistic regression from the scores of texts, and which of them is the right one.

    Near the usual belief all are as probable as a normal distribution says, so that few problems change little.
    """
    rows, right = list[Tensor](), list[float]()
    for scores, truth in told:
        for place, row in enumerate(_odds(scores)[: FITTED_ON if truth is None else min(FITTED_ON, truth + 1)]):
            rows.append(row)
            right.append(float(place == truth))
    x, y = torch.stack(rows), torch.tensor(right, dtype=torch.double)
    start = torch.tensor(astuple(usual), dtype=torch.double)
    weights, steepest = start, x.T @ x / 4 + PRIOR * torch.eye(3, dtype=torch.double)
    for _ in range(ROUNDS):  # each is an improvement (Böhning and Lindsay 1988)
        slope = x.T @ ((x @ weights).sigmoid() - y) + PRIOR * (weights - start)
        weights = weights - torch.linalg.solve(steepest, slope)
    return Belief(*(round(weight, 4) for weight in weights.tolist()))
