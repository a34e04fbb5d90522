"""Signals at their worst: a second one, one that is ignored, and a terminal that is closed."""

import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from apmdm.training.stopping import SIGNALS, Stop, stop_on_signals

BUSY = """
import time
from apmdm.training.stopping import stop_on_signals
with stop_on_signals() as stopping:
    print("ready", flush=True)
    while not stopping.asked:
        time.sleep(0.01)
    print("asked", flush=True)
    while True:
        time.sleep(1)
"""
HUNG_UP = """
import sys, time
from pathlib import Path
from apmdm.training.stopping import stop_on_signals
with stop_on_signals() as stopping:
    print("ready", flush=True)
    while not stopping.asked:
        time.sleep(0.01)
    print("nobody sees this", flush=True)
    print("nor this", file=sys.stderr, flush=True)
Path(sys.argv[1]).write_text("saved")
"""


@pytest.mark.parametrize("second", SIGNALS)
def test_a_second_signal_ends_the_process_at_once(second: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", BUSY], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked\n"
        process.send_signal(second)
        assert process.wait(5) == -second


def test_what_is_ignored_stays_ignored() -> None:
    """As under nohup."""
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stop_on_signals() as stopping:
            os.kill(os.getpid(), signal.SIGHUP)
            assert not stopping.asked
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_signal_that_came_before_is_not_forgotten() -> None:
    with stop_on_signals() as stopping:
        os.kill(os.getpid(), signal.SIGTERM)
        assert stopping.asked
        with stopping.at_once(False):
            pass
        with pytest.raises(Stop), stopping.at_once(True):
            raise AssertionError("this is not reached")


def test_a_closed_terminal_loses_nothing(tmp_path: Path) -> None:
    process, terminal = pty.fork()
    if process == 0:
        os.execv(sys.executable, [sys.executable, "-c", HUNG_UP, str(tmp_path / "file")])
    seen = b""
    while b"ready" not in seen:
        seen += os.read(terminal, 100)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert (tmp_path / "file").read_text() == "saved"
