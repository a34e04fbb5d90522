"""Weights: what is shipped loads, and nothing damaged passes for a model."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from apmdm import weights
from apmdm.model.encoder import Encoder, Shape
from apmdm.tasks.parity.process import VOCAB


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    Encoder(VOCAB, Shape(width=8, layers=1, heads=2, absolute=4)).save_pretrained(tmp_path)
    weights.write_manifest(tmp_path, {"recipe": "test"})
    return tmp_path


@pytest.mark.parametrize("name", weights.shipped())
def test_what_is_shipped_loads(name: str) -> None:
    model = weights.load_encoder(name)
    assert not model.training
    assert 0 < model.num_parameters() <= (3_000_000 if name == "inflection" else 1_200_000)


def test_parity_is_shipped() -> None:
    assert weights.load_encoder("parity", VOCAB).vocab == VOCAB


def test_a_shipped_name_comes_before_a_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.rename(folder.with_name("parity"))
    monkeypatch.chdir(folder.parent)
    assert weights.load_encoder("parity").shape.width == 16
    assert weights.load_encoder("./parity").shape.width == 8


@pytest.mark.parametrize(
    "config",
    [
        None,
        [],
        {},
        {"vocab": None, "shape": {}},
        {"vocab": {"symbols": [1, 2]}, "shape": {"width": 8}},
        {"vocab": {"symbols": []}, "shape": {}},
        {"shape": {"width": "8"}},
        {"shape": {"width": 8.5, "heads": 1}},
        {"shape": {"width": 10**14, "heads": 1}},
        {"shape": {"width": 10**30, "heads": 1}},
        {"shape": {"width": 16, "heads": 2}},
        {"shape": {"width": 8, "layers": 2, "heads": 2}},
        {"shape": {"width": 8, "colour": 2}},
        {"shape": {"relations": 5}},
        {"shape": {"relations": [[0]]}},
    ],
)
def test_a_damaged_config(folder: Path, config: Any) -> None:
    path = folder / weights.CONFIG
    given = {"vocab": json.loads(path.read_text())["vocab"]} | config if isinstance(config, dict) else config
    path.write_text(json.dumps(given))
    with pytest.raises(ValueError, match="are damaged: ") as caught:
        weights.load_encoder(str(folder))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("text", [b"", b"{", b"\xff\xfe\x00", b"[" * 100_000])
@pytest.mark.parametrize("name", [weights.CONFIG, weights.MANIFEST, weights.TENSORS])
def test_a_file_that_is_none(folder: Path, name: str, text: bytes) -> None:
    (folder / name).write_bytes(text)
    with pytest.raises(ValueError, match="damaged: "):
        weights.load_encoder(str(folder))


def test_one_flipped_bit(folder: Path) -> None:
    path = folder / weights.TENSORS
    data = bytearray(path.read_bytes())
    data[-2] ^= 1
    path.write_bytes(data)
    with pytest.raises(ValueError, match="is not the file that"):
        weights.load_encoder(str(folder))


def test_numbers_that_are_none(folder: Path) -> None:
    tensors = load_file(folder / weights.TENSORS)
    next(iter(tensors.values())).view(-1)[0] = torch.nan
    save_file(tensors, folder / weights.TENSORS)
    (folder / weights.MANIFEST).unlink()
    with pytest.raises(ValueError, match="not finite"):
        weights.load_encoder(str(folder))


def test_a_manifest_says_where_and_with_what(folder: Path) -> None:
    found = weights.read_manifest(folder)
    assert found["recipe"] == "test"
    assert found["versions"]["torch"] == torch.__version__
    assert found["machine"].keys() == {"architecture", "cpus", "threads", "gpu"}
    assert found["commit"] is None or len(found["commit"]) == 40
    assert weights.load_encoder(str(folder)).vocab == VOCAB


def test_no_git_is_no_failure(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(folder))
    weights.write_manifest(folder, {})
    assert weights.read_manifest(folder)["commit"] is None
    monkeypatch.setattr(weights, "CHECKOUT", folder)
    weights.write_manifest(folder, {})
    assert weights.read_manifest(folder)["commit"] is None


def test_there_may_be_no_manifest(folder: Path) -> None:
    (folder / weights.MANIFEST).unlink()
    assert weights.read_manifest(folder) == {}
    assert weights.load_encoder(str(folder)).vocab == VOCAB
