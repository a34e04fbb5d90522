"""The program itself: it starts at once, knows its version, and ends quietly with a pipe or a terminal."""

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from apmdm.tasks.sudoku.task import Sudoku

assert Sudoku.demo is not None
DEMO = Sudoku.demo
PROGRAM = [sys.executable, "-c", "from apmdm.cli import main; main()"]


def test_help_is_quick_and_does_without_torch() -> None:
    program = (
        "import sys; from apmdm.cli import main\ntry: main(['--help'])\nfinally: assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=3)
    assert (done.returncode, done.stderr) == (0, "")
    for command in ("solve", "generate", "certify", "eval", "train", "info"):
        assert f"  {command} " in done.stdout


COMMANDS = ["solve", "solve sudoku", "solve parity", "generate dyck", "certify", "eval", "train", "info"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(apmdm: Callable[..., tuple[int, str, str]], command: str) -> None:
    code, out, err = apmdm(*command.split(), "--help")
    assert (code, err) == (0, "")
    assert f"Usage: apmdm {command}" in out


def test_version(apmdm: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = apmdm("--version")
    assert (code, err, out.count("\n")) == (0, "", 1)


def test_apmdm_alone_is_help(apmdm: Callable[..., tuple[int, str, str]]) -> None:
    code, out, _ = apmdm()
    assert code == 0
    assert "Usage: apmdm" in out


def test_a_shell_completes_the_names_of_tasks() -> None:
    asked = {"_APMDM_COMPLETE": "complete_bash", "COMP_WORDS": "apmdm solve su", "COMP_CWORD": "2"}
    ended = subprocess.run([sys.executable, "-m", "apmdm"], env=os.environ | asked, capture_output=True, text=True)
    assert ended.stdout.split() == ["sudoku"]


def test_a_closed_pipe_ends_it_quietly(tmp_path: Path) -> None:
    (tmp_path / "strings").write_text("0110\n" * 3000)
    program = subprocess.Popen(
        [*PROGRAM, "solve", "parity", str(tmp_path / "strings")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert program.stdout
    assert program.stderr
    assert program.stdout.readline().startswith("parity 0")
    program.stdout.close()
    assert program.stderr.read() == ""
    program.stderr.close()
    assert program.wait(30) == 1


@pytest.mark.parametrize(("json_wanted", "drawn"), [(False, True), (True, False)])
def test_watch_draws_in_a_terminal(sudoku_weights: Path, json_wanted: bool, drawn: bool) -> None:
    arguments = ["solve", "sudoku", str(DEMO), "--limit", "1", "--weights", str(sudoku_weights), "--watch"]
    outer, inner = pty.openpty()
    program = subprocess.Popen(
        [*PROGRAM, *arguments, *(["--json"] if json_wanted else [])],
        stdout=inner,
        stderr=subprocess.PIPE,
        env=os.environ | {"TERM": "xterm"},
    )
    os.close(inner)
    shown = read_all(outer)
    assert program.stderr
    assert program.stderr.read() == b""
    program.stderr.close()
    assert program.wait(30) == 1
    assert ("------+-------+------" in shown) == drawn
    assert ("puzzle 1   step 1" in shown) == drawn
    if json_wanted:
        assert json.loads(shown)["status"] == "unsolved"


def read_all(terminal: int) -> str:
    """What was written until the other side was closed, which Linux reports as an error."""
    parts = []
    try:
        while part := os.read(terminal, 4096):
            parts.append(part)
    except OSError:
        pass
    os.close(terminal)
    return b"".join(parts).decode()


def test_watch_is_ignored_without_a_terminal(
    apmdm: Callable[..., tuple[int, str, str]], sudoku_weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    _, out, _ = apmdm("solve", "sudoku", "--watch", "--limit", "1", "--weights", sudoku_weights)
    assert "------+" not in out
    assert "unsolved" in out
