"""CUDA graphs, and kept attention patterns where there is no GPU, change no prediction, whatever follows what."""

import pytest
import torch

from apmdm import weights
from apmdm.model.encoder import Encoder
from apmdm.model.graphed import Graphed
from apmdm.sampler import rollouts
from apmdm.state import State
from apmdm.tasks.sudoku.data import training_puzzles
from apmdm.tasks.sudoku.grid import encode

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"


def model() -> Encoder:
    return weights.load_encoder("sudoku").to(DEVICE)


def puzzles() -> State:
    return encode(training_puzzles())[:8].to(DEVICE)


@torch.no_grad()
def test_predictions_are_the_encoders() -> None:
    encoder, every = model(), puzzles()
    graphed = Graphed(encoder)
    rewritten = State(every.ids.flip(0), every.lengths, every.coordinates)
    shorter = State(every.ids, every.lengths - 1, every.coordinates)
    for state in (every[:3], every[:4], every, rewritten, shorter, every[:3], every[:0], every[5:8]):
        torch.testing.assert_close(graphed(state).tensors, encoder(state).tensors, rtol=1e-4, atol=1e-3)


def test_runs_are_the_encoders() -> None:
    encoder, every = model(), puzzles()
    starts = [every.sequence(row) for row in range(6)]
    eager, graphed = (
        sorted(rollouts(one, starts, batch_size=4, max_steps=12, device=DEVICE), key=lambda run: run.index)
        for one in (encoder, Graphed(encoder))
    )
    for run, other in zip(eager, graphed, strict=True):
        assert run.final.ids.tolist() == other.final.ids.tolist()
        assert (run.time, run.stop) == (other.time, other.stop)


def test_attention_in_blocks_is_refused() -> None:
    with pytest.raises(ValueError, match="not for blocks"):
        Graphed(weights.load_encoder("parity"))
