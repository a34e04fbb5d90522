"""Training data computed by other processes before they are asked for, so that a GPU need not wait for them."""

from collections.abc import Callable, Iterator
from itertools import count

from torch import Tensor
from torch.utils.data import DataLoader, Dataset

Values = tuple[Tensor, ...]


class Ahead(Dataset[Values]):
    """A function of 0, 1, 2, ... whose next values `workers` processes compute, each one of them, on one thread each.

    Quick where it is asked for numbers in order. The function and its values must be picklable.
    """

    def __init__(self, function: Callable[[int], Values], workers: int) -> None:
        self.function, self.workers, self.following = function, workers, -1
        self.values: Iterator[Values] = iter(())

    def __getitem__(self, number: int) -> Values:
        return self.function(number)

    def __call__(self, number: int) -> Values:
        if number != self.following:
            loader = DataLoader(
                Ahead(self.function, 0),
                batch_size=None,
                sampler=count(number),
                num_workers=self.workers,
                prefetch_factor=1,
                multiprocessing_context="spawn",
            )
            self.values = iter(loader)
        self.following = number + 1
        return tuple(next(self.values))
