"""`apmdm train` and `apmdm info`: weights, and a manifest that says how they were made."""

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from apmdm import weights
from apmdm.fit import recipe_of
from apmdm.model.encoder import PER_ATOM, Encoder
from apmdm.registry import find
from apmdm.tasks.parity.task import Parity
from apmdm.training import checkpoint

Ends = Callable[..., tuple[int, str, str]]
TRAIN = ["train", "parity", "--device", "cpu", "--set", "compute.checkpoint_every=3"]


def test_a_run_leaves_weights_and_their_manifest(apmdm: Ends, tmp_path: Path) -> None:
    code, out, _ = apmdm(*TRAIN, "--set", "training.steps=5", "--seed", "3", "--out", tmp_path)
    assert code == 0
    assert out.startswith("parity: 3,463 parameters, 5 steps")
    found = weights.read_manifest(tmp_path)
    assert (found["recipe"], found["seed"], found["step"], found["finished"]) == ("parity", 3, 5, True)
    assert found["settings"]["training"]["steps"] == 5
    assert found["settings"]["shape"]["attention"] == "block"
    assert found["parameters"] == weights.load_encoder(str(tmp_path)).num_parameters() == 3463
    assert 0 <= found["evaluation"]["certified blocks"] < 1
    assert found["seconds"] > 0
    assert found["machine"]["threads"] == 1
    assert found["versions"].keys() == {"apmdm", "torch", "python"}
    assert str(tmp_path) not in json.dumps(found)


def test_a_stopped_run_is_resumed_and_its_seconds_add_up(
    apmdm: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> dict[str, float]:
        os.kill(os.getpid(), signal.SIGINT)
        raise AssertionError("an evaluation is left at once")

    arguments = [*TRAIN, "--set", "training.steps=7", "--set", "training.evaluate_every=4", "--out", str(tmp_path)]
    with monkeypatch.context() as patch:
        patch.setattr(Parity, "validate", stop)
        code, out, _ = apmdm(*arguments)
    first = weights.read_manifest(tmp_path)
    assert (code, first["finished"], first["step"], first["evaluation"]) == (1, False, 4, {})
    assert "stopped at step 4; continue with --resume" in out
    (tmp_path / weights.MANIFEST).write_text(json.dumps(first | {"seconds": 1000}))
    assert apmdm(*arguments, "--resume")[0] == 0
    second = weights.read_manifest(tmp_path)
    assert (second["finished"], second["step"]) == (True, 7)
    assert second["evaluation"].keys() == {"remask", "delete", "step", "certified blocks"}
    assert 1000 < second["seconds"] < 1100


def test_a_preset_and_data_are_described() -> None:
    described = recipe_of(find("sudoku"), ["preset=full", "data.batch_size=8"], None).described()
    assert (described["recipe"], described["preset"], described["seed"]) == ("sudoku", "full", 0)
    assert described["settings"]["data"]["batch_size"] == 8
    assert recipe_of(find("sudoku"), [], 4).described()["preset"] == "laptop"


def test_what_is_trained_is_certified(apmdm: Ends, tmp_path: Path) -> None:
    arguments = [
        "train",
        "parity",
        "--device",
        "cpu",
        "--set",
        "training.steps=400",
        "--set",
        "training.evaluate_every=400",
        "--out",
        tmp_path,
    ]
    assert apmdm(*arguments)[0] == 0
    assert apmdm("certify", "parity", "--weights", tmp_path)[0] == 0


def test_a_run_starts_from_weights(apmdm: Ends, tmp_path: Path) -> None:
    still = ["--set", "training.matrix_rate=0", "--set", "training.other_rate=0", "--set", "training.steps=2"]
    assert apmdm(*TRAIN, *still, "--from", "parity", "--out", tmp_path / "still")[0] == 0
    shipped, kept = (weights.load_encoder(name).state_dict() for name in ("parity", str(tmp_path / "still")))
    assert all(torch.allclose(shipped[name], kept[name]) for name in shipped)
    assert (
        weights.read_manifest(tmp_path / "still")["from"] == weights.read_manifest(weights.folder("parity"))["sha256"]
    )


def test_a_run_starts_from_weights_of_fewer_symbols(apmdm: Ends, tmp_path: Path) -> None:
    still = ["--set", "training.matrix_rate=0", "--set", "training.other_rate=0", "--set", "training.steps=1"]
    few, more = tmp_path / "few.tsv", tmp_path / "more.tsv"
    few.write_text("b\tbc\nc\tcb\n" * 5)
    more.write_text("b\tbc\nc\tcb\na\tda\n" * 5)
    for data, *start in ((few,), (more, "--from", tmp_path / "few")):
        assert apmdm("train", data, *still, *start, "--out", data.with_suffix(""))[0] == 0
    before, after = (weights.load_encoder(str(tmp_path / name)) for name in ("few", "more"))
    assert set(after.vocab.symbols) - set(before.vocab.symbols) == {"a", "d", "a@source", "d@source"}
    known, kept = before.state_dict(), after.state_dict()
    assert torch.allclose(known["layers.0.up.weight"], kept["layers.0.up.weight"])
    atoms = [after.vocab.atoms.index(atom) for atom in before.vocab.atoms]
    assert all(torch.allclose(known[name], kept[name][atoms]) for name in PER_ATOM)
    code, _, error = apmdm("train", few, *still, "--from", tmp_path / "more", "--out", tmp_path / "back")
    assert (code, "whose vocabulary has symbols that this one's lacks" in error) == (2, True)


def test_weights_of_another_shape_are_no_start(apmdm: Ends, tmp_path: Path) -> None:
    code, _, error = apmdm(*TRAIN, "--from", "parity", "--set", "shape.heads=1", "--out", tmp_path)
    assert code == 2
    assert "its shape is not the recipe's" in error
    assert not (tmp_path / checkpoint.NAME).exists()


def test_a_damaged_model_is_not_certified(apmdm: Ends, tmp_path: Path) -> None:
    model: Encoder = weights.load_encoder("parity")
    model.controls.bias.data[0] += 100
    model.save_pretrained(tmp_path)
    code, out, _ = apmdm("certify", "parity", "--weights", tmp_path)
    assert code == 1
    assert "not certified" in out
    assert "FAILS" in out


def test_info(apmdm: Ends, parity_weights: Path) -> None:
    weights.write_manifest(parity_weights, {"recipe": "mine", "evaluation": {"solved": 0.5}})
    code, out, _ = apmdm("info", parity_weights)
    assert code == 0
    assert {"recipe: mine", "evaluation:", "  solved: 0.5", "    width: 8"} <= set(out.splitlines())
    found = json.loads(apmdm("info", parity_weights, "--json")[1])
    assert (found["recipe"], found["settings"]["shape"]["width"]) == ("mine", 8)


def test_checkpoints_are_where_resume_looks(apmdm: Ends, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert apmdm(*TRAIN, "--set", "training.steps=2")[0] == 0
    assert (tmp_path / "runs/parity" / checkpoint.NAME).is_file()
