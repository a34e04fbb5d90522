"""Two processes that share a run do what one does: one launch of in_processes.py, compared with this process."""

import json
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open

import in_processes
from apmdm import processes
from apmdm.cli import main
from apmdm.training.checkpoint import NAME

ROUNDING = 1e-6
VARYING = r'"computed": \d+|seconds: .*|(positions )?computed: .*'
LAUNCHER = ["torch.distributed.run", "--nproc-per-node", "2", "--local-addr", "127.0.0.1"]
FREE_PORT = ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """The folder of what two processes did, and how their launch ended."""
    folder = tmp_path_factory.mktemp("shared")
    begin = in_processes.at(in_processes.STOPPED, 0, in_processes.send(signal.SIGTERM))
    assert in_processes.run(folder / "stopped by one", batches=begin).step == in_processes.STOPPED
    program = [sys.executable, "-m", *LAUNCHER, *FREE_PORT, in_processes.__file__, str(folder)]
    return folder, subprocess.run(program, capture_output=True, text=True, timeout=100)


@pytest.fixture(scope="module")
def results(shared: tuple[Path, subprocess.CompletedProcess[str]]) -> dict[str, Any]:
    folder, ended = shared
    assert (folder / "results-0.json").is_file(), ended.stderr
    first, second = (json.loads((folder / f"results-{rank}.json").read_text()) for rank in range(2))
    assert first == second
    return first


@pytest.mark.parametrize("name", in_processes.CASES)
def test_two_processes_have_the_losses_of_one(name: str, results: dict[str, Any], tmp_path: Path) -> None:
    assert results[name] == pytest.approx(in_processes.run(tmp_path, name).losses, rel=ROUNDING)


def test_a_signal_to_one_process_ends_both_after_the_same_step(results: dict[str, Any]) -> None:
    assert results["stopped"] == [in_processes.STOPPED, False]


def test_a_run_goes_on_with_another_number_of_processes(
    shared: tuple[Path, Any], results: dict[str, Any], tmp_path: Path
) -> None:
    rest = in_processes.run(tmp_path).losses[in_processes.STOPPED :]
    assert results["resumed"] == pytest.approx(rest, rel=ROUNDING)
    assert in_processes.run(shared[0] / "stopped", resume=True).losses == pytest.approx(rest, rel=ROUNDING)


def test_a_process_that_dies_ends_the_run_and_leaves_a_checkpoint(
    shared: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, ended = shared
    assert ended.returncode != 0
    assert (folder / "said").read_text().startswith("another process of this run has died; the checkpoint in ")
    with safe_open(folder / "killed" / NAME, "pt") as file:
        assert file.metadata()["step"] == "5"
    assert in_processes.run(folder / "killed", resume=True).finished


@pytest.mark.parametrize("name", ["parts", "recompute"])
def test_settings_that_save_memory_change_no_loss(name: str, tmp_path: Path) -> None:
    whole = in_processes.run(tmp_path / "whole").losses
    assert in_processes.run(tmp_path / name, name).losses == pytest.approx(whole, rel=ROUNDING)


@pytest.mark.parametrize("name", in_processes.COMMANDS)
def test_two_processes_print_what_one_prints(name: str, shared: tuple[Path, Any], tmp_path: Path) -> None:
    """In order, the draws of a random policy too. In a file of results the order is that in which they are found.

    How much was computed depends on the runs beside.
    """
    by_one = in_processes.printed(shared[0], [word.replace("results", "other") for word in in_processes.COMMANDS[name]])
    told = json.loads((shared[0] / "told-0.json").read_text())[name]
    assert re.sub(VARYING, "", told) == re.sub(VARYING, "", by_one)
    assert told.count("\n") > 0
    if "--out" in name:
        texts = [(shared[0] / f"{file}.jsonl").read_text() for file in ("results", "other")]
        files = [re.sub(VARYING, "", text).splitlines() for text in texts]
        assert sorted(files[0]) == sorted(files[1])
        assert len(files[0]) == len(in_processes.STRINGS)


def test_a_command_whose_work_cannot_be_shared_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    with pytest.raises(SystemExit, match="2"):
        main(["check", "parity"])
    assert capsys.readouterr().err.startswith("error: check runs in one process: start it without accelerate launch")


def test_weights_that_are_to_be_split_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ACCELERATE_USE_FSDP", "true")
    with pytest.raises(ValueError, match="Muon needs whole matrices"):
        processes.join("cpu")


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ValueError, match="2 processes were started on a machine with 1 GPUs"):
        processes.join("cuda")
