"""Servers and long runs: two runs in one place, read-only and full places, closed and narrow streams."""

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import apmdm as library
from apmdm import outputs, weights
from apmdm.cli import main
from apmdm.training import checkpoint

Ends = Callable[..., tuple[int, str, str]]
Refused = Callable[..., str]
TRAIN = ["train", "parity", "--device", "cpu", "--set", "compute.checkpoint_every=2", "--set"]
HOLD = "import fcntl, sys; file = open(sys.argv[1], 'ab'); fcntl.flock(file, fcntl.LOCK_EX); print(); sys.stdin.read()"
PROGRAM = [sys.executable, "-m", "apmdm"]


@contextmanager
def used_by_another_process(path: Path) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, "-c", HOLD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdin
    process.stdout.readline()
    yield
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


def test_two_runs_in_one_folder_are_refused_and_a_killed_one_blocks_nothing(
    apmdm: Ends, refused: Refused, tmp_path: Path
) -> None:
    with used_by_another_process(tmp_path / outputs.LOCK):
        for command in ([*TRAIN, "training.steps=2"], ["compare", "parity"]):
            assert f"another run is at work on {tmp_path}: wait" in refused(*command, "--out", tmp_path)
    assert apmdm(*TRAIN, "training.steps=2", "--out", tmp_path)[0] == 0
    with used_by_another_process(tmp_path / outputs.LOCK):
        assert "another run is at work" in refused(*TRAIN, "training.steps=4", "--out", tmp_path, "--resume")
    assert apmdm(*TRAIN, "training.steps=4", "--out", tmp_path, "--resume")[0] == 0


def test_two_runs_that_save_into_one_file_are_refused(apmdm: Ends, refused: Refused, tmp_path: Path) -> None:
    (tmp_path / "strings").write_text("01\n0110\n")
    command, out = ["run", "parity", tmp_path / "strings", "--out", tmp_path / "out"], tmp_path / "out"
    for options in ([], ["--resume"]):
        with used_by_another_process(out):
            assert f"another run is at work on {out}" in refused(*command, *options)
        assert apmdm(*command, *options)[0] == 0
    assert len(out.read_text().splitlines()) == 2


def test_an_empty_file_blocks_no_results(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "out").touch()
    assert apmdm("run", "parity", "01", "--out", tmp_path / "out")[0] == 0


@pytest.mark.parametrize("option", ["--out", "--trace"])
def test_a_read_only_file_is_refused_before_the_work(
    refused: Refused, tmp_path: Path, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "mine"
    path.touch()
    monkeypatch.setattr(os, "access", lambda place, mode: (Path(place), mode) != (path, os.W_OK))
    assert "must not be a folder or read-only" in refused("run", "parity", "01", option, path)


def test_a_folder_whose_name_is_not_utf8_is_refused_before_training(tmp_path: Path) -> None:
    folder = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    with pytest.raises(ValueError, match="whose name is UTF-8"):
        outputs.writable_folder(folder)
    assert not list(tmp_path.iterdir())


def test_a_used_folder_is_refused_from_python_and_a_manifest_is_written(tmp_path: Path) -> None:
    library.train("parity", tmp_path, settings={"training.steps": 2})
    assert weights.read_manifest(tmp_path)["step"] == 2
    before = (tmp_path / weights.TENSORS).read_bytes()
    with pytest.raises(ValueError, match="holds a run already"):
        library.train("parity", tmp_path, settings={"training.steps": 2})
    assert (tmp_path / weights.TENSORS).read_bytes() == before


def test_a_card_says_what_the_weights_are_and_how_they_are_used(tmp_path: Path) -> None:
    library.train("parity", tmp_path, settings={"training.steps": 2}, seed=3)
    text = (tmp_path / weights.CARD).read_text()
    for part in ("odd number of ones", "for 2 steps, with seed 3", "width 16", "apmdm eval parity --weights FOLDER"):
        assert part in text
    assert "| certified blocks | 0.0000 |" in text
    assert "More Information Needed" not in text


def test_a_checkpoint_of_another_model_is_refused_with_reason(refused: Refused, apmdm: Ends, tmp_path: Path) -> None:
    for place, width in (("mine", 16), ("other", 32)):
        assert apmdm(*TRAIN, "training.steps=2", "--set", f"shape.width={width}", "--out", tmp_path / place)[0] == 0
    os.replace(tmp_path / "other" / checkpoint.NAME, tmp_path / "mine" / checkpoint.NAME)
    said = refused(*TRAIN, "training.steps=4", "--out", tmp_path / "mine", "--resume")
    assert "of another model: size mismatch for " in said
    assert "more like it)" in said


def test_a_task_that_cannot_be_is_refused_without_torch() -> None:
    program = (
        "import sys; from apmdm.cli import main\ntry: main(sys.argv[1:])\nfinally: assert 'torch' not in sys.modules"
    )
    for name, message in (("chess", "unknown task 'chess'"), ("missing.py", "there is no file missing.py")):
        done = subprocess.run([sys.executable, "-c", program, "run", name], capture_output=True, text=True)
        assert (done.returncode, done.stdout, message in done.stderr) == (2, "", True), done.stderr


def test_a_full_disk_for_output_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run([*PROGRAM, "--version"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (2, "error: No space left on device\n")


def test_closed_streams_lead_nowhere() -> None:
    done = subprocess.run(f"{' '.join(PROGRAM)} info nothing <&- >&- 2>&-", shell=True)
    assert done.returncode == 2


def test_an_encoding_that_lacks_a_character_is_no_error(monkeypatch: pytest.MonkeyPatch, parity_weights: Path) -> None:
    weights.write_manifest(parity_weights, {"recipe": "→"})
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, "latin-1"))
    with pytest.raises(SystemExit) as ended:
        main(["info", str(parity_weights)])
    assert not ended.value.code
    assert b"recipe: \\u2192" in written.getvalue()


@pytest.mark.slow
def test_a_script_without_main_guard_ends_with_a_line(tmp_path: Path) -> None:
    settings = {"training.steps": 1, "training.evaluate_every": 9, "compute.workers": 1, "data.batch_size": 4}
    script = tmp_path / "script.py"
    script.write_text(f"import apmdm\napmdm.train('sudoku', 'out', settings={json.dumps(settings)})\n")
    done = subprocess.run([sys.executable, script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 1
    assert "needs `if __name__ == '__main__':`" in done.stderr.splitlines()[-1]
    assert done.stderr.count("Traceback") == 1
