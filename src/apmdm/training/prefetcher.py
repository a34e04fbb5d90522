"""Prefetcher: computes upcoming values in worker processes, so that a GPU need not wait for them."""

import os
import signal
import sys
import warnings
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from multiprocessing import current_process, get_all_start_methods, get_context, parent_process, resource_tracker
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from threading import Thread
from typing import Any, Generic, TypeVar

import torch

Value = TypeVar("Value")
SMALL = 2**15


class Prefetcher(Generic[Value]):
    """Gives the values of a function of 0, 1, 2, ..., which `workers` processes compute before they are asked for.

    Each worker computes `block` numbers in a row, and has one thread; this process keeps the others. Asking for another
    number than the next one starts the workers anew. Workers are new processes if the function can be sent to them, and
    otherwise, as of a lambda, copies of this one. Raises ValueError where the system makes no copies, and
    ChildProcessError if a worker has died.
    """

    def __init__(self, function: Callable[[int], Value], workers: int, block: int = 1) -> None:
        self.function, self.workers, self.block, self.next_number = function, workers, block, -1
        self.context = _context(function)
        self.connections: dict[int, Any] = {}
        self.processes: list[BaseProcess] = []
        weakref.finalize(self, _kill, self.processes)
        torch.set_num_threads(max(1, torch.get_num_threads() - workers))

    def __call__(self, number: int) -> Value:
        if number != self.next_number:
            self._start(number)
        self.next_number = number + 1
        worker = number // self.block % self.workers
        try:
            value = self.connections[worker].recv()
        except (EOFError, OSError):
            raise ChildProcessError(_cause(self.processes[worker])) from None
        if isinstance(value, Exception):
            raise value
        return value

    def _start(self, first: int) -> None:
        _kill(self.processes)
        with _signals_held_back(), warnings.catch_warnings(action="ignore"):  # of copies while threads are running
            for worker in range(self.workers):
                self.connections[worker], sending = self.context.Pipe(duplex=False)
                arguments = (self.function, Blocks(first, self.block, worker, self.workers), sending)
                self.processes.append(self.context.Process(target=_serve, args=arguments, daemon=True))
                self.processes[-1].start()
                sending.close()


def _context(function: Callable[[int], Any]) -> Any:
    try:
        ForkingPickler.dumps(function)
    except Exception as error:
        if "fork" not in get_all_start_methods():
            raise ValueError(
                f"what draws the data cannot be sent to other processes ({error}): leave compute.workers at 0, "
                "or define its functions by `def` at the top of a file"
            ) from error
        return get_context("fork")
    return get_context("spawn")


@dataclass(frozen=True)
class Blocks:
    """The numbers from `first` on that are in every `workers`-th block, beginning with that of the number `worker`."""

    first: int
    block: int
    worker: int
    workers: int

    def __iter__(self) -> Iterator[int]:
        return (n for n in count(self.first) if n // self.block % self.workers == self.worker)


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
        return f"a process that draws training data was killed by {name}; if memory ran out, give fewer compute.workers"
    return (
        "a process that draws training data has died; a script that trains with compute.workers needs "
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


def _serve(function: Callable[[int], Value], numbers: Blocks, connection: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    Thread(target=_end_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    # Tensors travel as arrays: torch would send a handle of shared memory for each, of which systems allow few.
    ForkingPickler.register(torch.Tensor, _told)
    with suppress(ConnectionError):
        for number in numbers:
            try:
                value = function(number)
            except Exception as error:
                value = error
            connection.send(value)


def _told(tensor: torch.Tensor) -> tuple[Callable[..., torch.Tensor], tuple[Any, ...]]:
    """How a tensor travels: tokens in two bytes each, since there are few kinds of them."""
    if tensor.dtype == torch.long and tensor.numel() and int(tensor.min()) >= -SMALL and int(tensor.max()) < SMALL:
        return _long, (tensor.to(torch.int16).numpy(),)
    return torch.from_numpy, (tensor.numpy(),)


def _long(numbers: Any) -> torch.Tensor:
    return torch.from_numpy(numbers).long()


def _end_with_parent() -> None:
    """A worker may be busy for long when its parent is killed."""
    parent = parent_process()
    if parent is not None:
        parent.join()
    os._exit(1)
