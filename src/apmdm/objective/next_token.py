"""Autoregressive training: position i of a finished sequence foretells the token at i + 1."""

import torch
from torch.nn.functional import cross_entropy

from apmdm.edits import Edits
from apmdm.objective.supervised import Loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.transition import transition
from apmdm.vocab import PAD


def all_written(state: State, answer: Edits, generator: torch.Generator) -> tuple[State, Edits]:
    """The sequence with its whole answer, and the answer."""
    return transition(state, answer), answer


def next_token_loss(prediction: Prediction, state: State, answer: Edits) -> Loss:
    """Mean negative log-likelihood of an answer's token in nats; the prompt is not asked for."""
    following = answer.content[:, 1:]
    asked = following != PAD
    return Loss.of_content(cross_entropy(prediction.content[:, :-1][asked].float(), following[asked]))
