"""Weights that are mostly zero take little space on disk and are the same when loaded; others are saved as ever."""

from pathlib import Path

import torch
from safetensors.torch import load_file

from apmdm import weights
from apmdm.model.encoder import Encoder, Shape
from apmdm.vocab import Vocab

VOCAB = Vocab.of("a", "b")
SHAPE = Shape(width=64, layers=2, heads=2, absolute=16)


def test_sparse_weights_are_saved_small_and_loaded_the_same(tmp_path: Path) -> None:
    encoder = Encoder(VOCAB, SHAPE)
    with torch.no_grad():
        for parameter in encoder.parameters():
            if parameter.ndim > 1:
                parameter.mul_(torch.rand(parameter.shape) < 0.01)
    encoder.save_pretrained(tmp_path)
    assert (tmp_path / "model.safetensors").stat().st_size < encoder.num_parameters()
    for loaded in (weights.load_encoder(str(tmp_path)), Encoder.from_pretrained(str(tmp_path))):
        for (name, first), (_, second) in zip(encoder.named_parameters(), loaded.named_parameters(), strict=True):
            assert torch.equal(first, second), name


def test_dense_weights_are_saved_as_they_are(tmp_path: Path) -> None:
    encoder = Encoder(VOCAB, SHAPE)
    encoder.save_pretrained(tmp_path)
    saved = load_file(tmp_path / "model.safetensors")
    assert saved.keys() == encoder.state_dict().keys()
    assert all(torch.equal(saved[name], tensor) for name, tensor in encoder.state_dict().items())
