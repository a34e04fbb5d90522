"""Training data computed by other processes before they are asked for, so that a GPU need not wait for them."""

import signal
import weakref
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.pool import AsyncResult

import numpy as np
import torch
from torch import Tensor

Values = tuple[Tensor, ...]


class Ahead:
    """A function of 0, 1, 2, ... asked for in order; `workers` processes, each on one thread, compute its next values.

    This process keeps the threads that they leave. The function must be picklable.
    """

    def __init__(self, function: Callable[[int], Values], workers: int) -> None:
        self.function, self.workers = function, workers
        self.pool = get_context("spawn").Pool(workers, _begin)
        weakref.finalize(self, self.pool.terminate)
        torch.set_num_threads(max(1, torch.get_num_threads() - workers))
        self.coming: dict[int, AsyncResult[list[np.ndarray]]] = {}

    def __call__(self, number: int) -> Values:
        numbers = range(number, number + self.workers + 1)
        self.coming = {n: self.coming.get(n) or self.pool.apply_async(_arrays, (self.function, n)) for n in numbers}
        return tuple(map(torch.from_numpy, self.coming[number].get()))


def _begin() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)


def _arrays(function: Callable[[int], Values], number: int) -> list[np.ndarray]:
    return [tensor.numpy() for tensor in function(number)]
