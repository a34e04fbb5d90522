"""How sure a model was of each decision of a run, added to the steps of its trace."""

from dataclasses import replace

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor
from apmdm.state import State
from apmdm.trace import NUM_BITS, Odds, Trace

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
            step = steps[first + row]
            content = step.edits().content[0].to(device)
            steps[first + row] = replace(step, odds=odds_of(said, state, content, row))
    return replace(trace, steps=tuple(steps))


def odds_of(prediction: Prediction, state: State, content: Int[Tensor, "positions"], row: int) -> dict[int, Odds]:
    """The probabilities in one row of a batch, by position, where a decision is not certain to three digits.

    content: the token that was written at each position, PAD where none was.
    """
    length = int(state.lengths[row])
    bits = (prediction.remask, prediction.insert, prediction.delete)
    fires = torch.stack([bit[row, :length].float().sigmoid() for bit in bits], 1).cpu()
    logits, masked = prediction.content[row, :length].float().cpu(), state.masked[row, :length].cpu()
    written = content[:length].cpu()
    possible = logits.gather(1, written[:, None])[:, 0].isfinite()
    chosen = torch.where(possible, written, logits.argmax(-1))[:, None]
    chances = logits.softmax(-1)
    sure = chances.gather(1, chosen)
    second, other = chances.scatter(1, chosen, -1.0).max(-1, keepdim=True)

    kept = torch.cat((fires, sure, second), 1).double().round(decimals=DIGITS)
    matters = torch.stack((*[torch.ones_like(masked)] * 2, *[masked] * 3), 1)
    uncertain = (((kept > 0) & (kept < 1)) & matters).any(1)
    found = {}
    for position in uncertain.nonzero()[:, 0].tolist():
        *decided, first, runner_up = kept[position].tolist()
        contents = (int(chosen[position]), first, int(other[position]), runner_up) if masked[position] else ()
        found[position] = (*decided[:NUM_BITS], *contents)
    return found
