"""Training of the paradigms that only unmask: they learn tokens of an answer from the rest of it.

A problem is a state with MASK wherever the answer goes. Its answer is the edits that would write all of it at once,
whose content is PAD at every other position.
"""

from collections.abc import Callable
from dataclasses import replace

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import cross_entropy

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import Loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import PAD


def some_masked(state: State, answer: Edits, generator: torch.Generator) -> Batch:
    """Masked diffusion: a share of each answer's L tokens, uniform on 1/L, ..., 1, is masked and to be written."""
    order = torch.rand(state.ids.shape, generator=generator).masked_fill(~state.masked, 2.0)
    hidden = order.argsort(1).argsort(1) < 1 + _up_to(state.masked.sum(1), generator)[:, None]
    return Batch(transition(state, replace(answer, remask=state.masked & hidden)), answer)


def rest_masked(state: State, answer: Edits, generator: torch.Generator) -> Batch:
    """Masked ARM: some first tokens of each answer are given, the next is to be written, and the others wait."""
    place = state.masked.cumsum(1) - 1
    first = _up_to(state.masked.sum(1), generator)[:, None]
    begun = transition(state, replace(answer, remask=state.masked & (place >= first)))
    return Batch(begun, replace(answer, remask=state.masked & (place > first)))


def masked_loss(prediction: Prediction, batch: Batch, whole: Batch | None = None) -> Loss:
    """The mean of log_loss over the answers' tokens."""
    return Loss.of_content(log_loss(prediction, batch).sum() / _lengths((whole or batch).edits).sum())


def log_loss(prediction: Prediction, batch: Batch) -> Float[Tensor, "batch"]:
    """An estimate of each answer's negative log-likelihood in nats: its length times the mean over what is written.

    For rest_masked it is unbiased. For some_masked it is the SUBS loss with weight 1/t (arXiv 2406.07524), summed over
    the tokens. Its expectation is an upper bound of the negative log-likelihood under random order.
    """
    state, answer = batch.state, batch.edits
    written = answer.unmasked(state) & state.valid
    each = torch.zeros(state.ids.shape, device=state.ids.device)
    each[written] = cross_entropy(prediction.content[written].float(), answer.content[written], reduction="none")
    return _lengths(answer) * each.sum(1) / written.sum(1).clamp(min=1)


@torch.no_grad()
def bound(
    model: Callable[[State], Prediction], state: State, answer: Edits, num: int, generator: torch.Generator
) -> Float[Tensor, "batch"]:
    """Masked diffusion's upper bound of each answer's negative log-likelihood in nats, from `num` random maskings."""
    total = torch.zeros(len(state))
    for _ in range(num):
        batch = some_masked(state, answer, generator)
        total += log_loss(model(batch.state), batch)
    return total / num


def _lengths(answer: Edits) -> Int[Tensor, "batch"]:
    return (answer.content != PAD).sum(1)


def _up_to(number: Int[Tensor, "batch"], generator: torch.Generator) -> Int[Tensor, "batch"]:
    """Random integers, uniform over 0, ..., number - 1."""
    return (torch.rand(len(number), generator=generator, dtype=torch.float64) * number).long()
