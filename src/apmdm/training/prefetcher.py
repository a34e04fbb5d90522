"""Prefetcher: computes upcoming batches in worker processes, so that a GPU need not wait for them."""

import signal
import weakref
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from typing import Any, Generic, TypeVar

import torch

Value = TypeVar("Value")


class Prefetcher(Generic[Value]):
    """Gives the values of a function of 0, 1, 2, ..., which `workers` processes compute before they are asked for.

    The function must be picklable. Each worker has one thread, and this process keeps the others. Asking for another
    number than the next one starts the workers anew. Raises ChildProcessError if a worker has died.
    """

    def __init__(self, function: Callable[[int], Value], workers: int) -> None:
        self.function, self.workers, self.next_number = function, workers, -1
        self.connections: dict[int, Any] = {}
        self.processes: list[BaseProcess] = []
        weakref.finalize(self, _terminate, self.processes)
        torch.set_num_threads(max(1, torch.get_num_threads() - workers))

    def __call__(self, number: int) -> Value:
        if number != self.next_number:
            self._start(number)
        self.next_number = number + 1
        try:
            value = self.connections[number % self.workers].recv()
        except (EOFError, OSError):
            raise ChildProcessError(
                "a process that computes training data ahead has died; a script that trains with such workers needs "
                "`if __name__ == '__main__':`"
            ) from None
        if isinstance(value, Exception):
            raise value
        return value

    def _start(self, first: int) -> None:
        _terminate(self.processes)
        for number in range(first, first + self.workers):
            self.connections[number % self.workers], sending = get_context("spawn").Pipe(duplex=False)
            arguments = (self.function, count(number, self.workers), sending)
            self.processes.append(get_context("spawn").Process(target=_serve, args=arguments, daemon=True))
            self.processes[-1].start()
            sending.close()


def _terminate(processes: list[BaseProcess]) -> None:
    while processes:
        processes.pop().terminate()


def _serve(function: Callable[[int], Value], numbers: count, connection: Any) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
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
