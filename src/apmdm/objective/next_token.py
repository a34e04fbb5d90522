"""Autoregressive training: position i of a finished sequence predicts the token at i + 1."""

import torch
from torch.nn.functional import cross_entropy

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import Loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import PAD


def all_written(state: State, answer: Edits, generator: torch.Generator) -> Batch:
    """The sequences with their whole answers, and the answers."""
    return Batch(transition(state, answer), answer)


def next_token_loss(prediction: Prediction, batch: Batch, whole: Batch | None = None) -> Loss:
    """The mean negative log-likelihood of an answer's token in nats. Tokens of the prompt do not count."""
    following = batch.edits.content[:, 1:]
    asked = following != PAD
    loss = cross_entropy(prediction.content[:, :-1][asked].float(), following[asked], reduction="sum")
    return Loss.of_content(loss / ((whole or batch).edits.content[:, 1:] != PAD).sum())
