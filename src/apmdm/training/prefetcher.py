"""Prefetcher: computes upcoming batches in worker processes, so that a GPU need not wait for them."""

import os
import signal
import sys
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from multiprocessing import current_process, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any, Generic, TypeVar

import torch

Value = TypeVar("Value")


class Prefetcher(Generic[Value]):
    """Gives the values of a function of 0, 1, 2, ..., which `workers` processes compute before they are asked for.

    The function must be picklable. Each worker has one thread, and this process keeps the others. Asking for another
    number than the next one starts the workers anew. Raises ChildProcessError if a worker has died.
    """

    def __init__(self, function: Callable[[int], Value], workers: int) -> None:
        self.function, self.workers, self.first, self.next_number = function, workers, 0, -1
        self.connections: dict[int, Any] = {}
        self.processes: list[BaseProcess] = []
        weakref.finalize(self, _kill, self.processes)
        torch.set_num_threads(max(1, torch.get_num_threads() - workers))

    def __call__(self, number: int) -> Value:
        if number != self.next_number:
            self._start(number)
        self.next_number = number + 1
        try:
            value = self.connections[number % self.workers].recv()
        except (EOFError, OSError):
            raise ChildProcessError(_cause(self.processes[(number - self.first) % self.workers])) from None
        if isinstance(value, Exception):
            raise value
        return value

    def _start(self, first: int) -> None:
        _kill(self.processes)
        self.first = first
        with _signals_held_back():
            for number in range(first, first + self.workers):
                self.connections[number % self.workers], sending = get_context("spawn").Pipe(duplex=False)
                arguments = (self.function, count(number, self.workers), sending)
                self.processes.append(get_context("spawn").Process(target=_serve, args=arguments, daemon=True))
                self.processes[-1].start()
                sending.close()


def leave_if_starting() -> None:
    """End this process if it is a worker that runs the user's script again, since the script lacks a main guard.

    A worker imports the script that its parent runs before it serves. Training there would start workers for ever.
    """
    if getattr(current_process(), "_inheriting", False):
        sys.exit(1)


def _cause(process: BaseProcess) -> str:
    """Why a worker has died, in words."""
    process.join(1)
    if (process.exitcode or 0) < 0:
        name = signal.Signals(-(process.exitcode or 0)).name
        return f"a process that draws training data was killed by {name}; if memory ran out, give fewer data.workers"
    return (
        "a process that draws training data has died; a script that trains with data.workers needs "
        "`if __name__ == '__main__':` around what it does"
    )


def _kill(processes: list[BaseProcess]) -> None:
    while processes:
        processes.pop().kill()


@contextmanager
def _signals_held_back() -> Iterator[None]:
    """Processes that start inside never see Ctrl-C, nor that their terminal is closed: they end with their parent.

    Such signals reach all processes of a terminal, and a process that still imports would answer with a traceback.
    """
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    resource_tracker.ensure_running()  # starting it later would let the signals through
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _serve(function: Callable[[int], Value], numbers: count, connection: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    # Tensors travel as arrays: torch would send a handle of shared memory for each, of which systems allow few.
    ForkingPickler.register(torch.Tensor, lambda tensor: (torch.from_numpy, (tensor.numpy(),)))
    with suppress(ConnectionError):
        for number in numbers:
            try:
                value = function(number)
            except Exception as error:
                value = error
            connection.send(value)


def _end_with_parent() -> None:
    """A worker may be busy for long when its parent is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
