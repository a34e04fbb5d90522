"""Signals that ask a training run to stop: Ctrl-C, SIGTERM, and SIGHUP of a terminal that is closed."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from apmdm import processes

SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


class Stop(BaseException):
    """Raised by a signal where a run may be left at once."""


class Stopping:
    """Whether a signal has asked for the end of a run. A second one ends the process, whatever it is doing.

    Of several processes each gets the same signal from the terminal and from their launcher, so a second one has no
    effect: the launcher ends those that are not over in half a minute.
    """

    def __init__(self) -> None:
        self.asked = self._may_leave = False
        self._terminals = [number for number in (1, 2) if os.isatty(number)]

    @contextmanager
    def at_once(self, possible: bool) -> Iterator[None]:
        """What is done inside is left with Stop as soon as a signal comes. Elsewhere a signal only sets `asked`."""
        self._may_leave = possible
        try:
            if self.asked and possible:
                raise Stop
            yield
        finally:
            self._may_leave = False

    def __call__(self, number: int, _: Any) -> None:
        for other in SIGNALS:
            signal.signal(other, signal.SIG_DFL if processes.number() == 1 else signal.SIG_IGN)
        self._leave_closed_terminals()
        self.asked = True
        if self._may_leave:
            raise Stop

    def _leave_closed_terminals(self) -> None:
        """Writing to a terminal that was closed would be an error before everything is saved."""
        closed = [terminal for terminal in self._terminals if not os.isatty(terminal)]
        if closed:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for terminal in closed:
                os.dup2(nowhere, terminal)
            os.close(nowhere)


@contextmanager
def stop_on_signals() -> Iterator[Stopping]:
    """Signals that are not ignored, as they are under nohup, ask for a stop. Only the main thread can be asked."""
    stopping, previous = Stopping(), {}
    if threading.current_thread() is threading.main_thread():
        previous = {number: signal.getsignal(number) for number in SIGNALS}
        previous = {number: handler for number, handler in previous.items() if handler not in (signal.SIG_IGN, None)}
        for number in previous:
            signal.signal(number, stopping)
    try:
        yield stopping
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
