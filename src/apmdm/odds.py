"""How sure a model was of each decision of a run, added to the steps of its trace."""

from dataclasses import replace

import torch

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor
from apmdm.state import State
from apmdm.trace import Odds, Step, Trace
from apmdm.vocab import MASK

TOKENS, DIGITS = 2**14, 3
"""How many tokens a model is given at once, and how many digits of a probability are kept."""


def with_odds(trace: Trace, model: Predictor, device: str = "cpu") -> Trace:
    """The trace with the probabilities of its decisions, for which the model looks at every state once more.

    A model that gives edits directly has none, and the trace stays as it is.
    """
    states, steps = trace.states()[:-1], list(trace.steps)
    size = max(1, TOKENS // max(map(len, states), default=1))
    for first in range(0, len(steps), size):
        state = State.stack(states[first : first + size]).to(device)
        with torch.no_grad():
            said = model(state)
        if isinstance(said, Edits):
            return trace
        for row in range(len(state)):
            steps[first + row] = replace(steps[first + row], odds=odds_of(said, row, steps[first + row]))
    return replace(trace, steps=tuple(steps))


def odds_of(prediction: Prediction, row: int, step: Step) -> dict[int, Odds]:
    """The probabilities of a step, made in one row of a batch, where a decision is not certain to three digits."""
    length = len(step.tokens)
    bits = (prediction.remask, prediction.insert, prediction.delete)
    fires = torch.stack([bit[row, :length].float().sigmoid() for bit in bits], 1).cpu()
    masked = torch.tensor(step.tokens) == MASK
    written = torch.zeros_like(masked)
    written[list(step.unmask)] = True
    chosen = torch.zeros(length, 1, dtype=torch.long)
    chosen[list(step.unmask), 0] = torch.tensor(list(step.unmask.values()), dtype=torch.long)
    chances = prediction.content[row, :length].float().softmax(-1).cpu()
    sure = chances.gather(1, chosen)
    second, other = chances.scatter(1, chosen, -1.0).max(-1, keepdim=True)

    kept = torch.cat((fires, sure, second), 1).double().round(decimals=DIGITS)
    decided = torch.stack((*[torch.ones_like(masked)] * 2, masked, *[written] * 2), 1)
    found = {}
    for position in ((kept > 0) & (kept < 1) & decided).any(1).nonzero()[:, 0].tolist():
        *fired, first, runner_up = kept[position].tolist()
        contents = (first, int(other[position]), runner_up) if written[position] else ()
        found[position] = (*fired, *contents)
    return found
