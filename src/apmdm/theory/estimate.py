"""How long a run will take: at least, before it begins, and from its first steps; if too long, it is refused."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Timer

from apmdm.training.progress import duration

STEPS, SECONDS, PATIENCE, WORTH_TELLING = 5, 2.0, 10.0, 10.0
"""A run is judged after so many steps and seconds, or after PATIENCE seconds; a time above WORTH_TELLING is told."""
QUIET = 8.0
"""Seconds after which it is told that there is no estimate yet."""
FASTEST = 1e-3
"""Seconds of a step, below the shortest that was measured, 1.3 ms."""


@dataclass
class Estimate:
    """Told by `expect` how many steps a run may take, and called before each of them, as `on_step` of the sampler.

    limit: seconds. tell: told in one line how long the run will take. Raises ValueError if that is beyond the limit.
    """

    limit: float
    tell: Callable[[str], None]
    steps: int = field(default=0, init=False)
    done: int = field(default=-1, init=False)
    judged: bool = field(default=False, init=False)
    began: float = field(default=0.0, init=False)
    first: float = field(default=0.0, init=False)

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Tells that the work goes on if, after QUIET seconds of it, the run has not been judged."""
        said = "still at work: the time of a run can be told after its first steps"
        timer = Timer(QUIET, lambda: self.judged or self.tell(said))
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def expect(self, steps: int) -> None:
        self.steps = steps
        self._judge(FASTEST, "at least")

    def __call__(self, observation: object) -> None:
        now = time.perf_counter()
        self.done += 1
        if self.done == 0:
            self.began = now
        if self.done == 1:
            self.first = now
        passed = now - self.began
        if not self.judged and self.done > 1 and passed > SECONDS and (self.done >= STEPS or passed > PATIENCE):
            self.judged = True
            self._judge((now - self.first) / (self.done - 1), "about")

    def _judge(self, each: float, how: str) -> None:
        """each: seconds of a step; the first one, which computes everything, is left out."""
        left = each * (self.steps - max(0, self.done))
        said = f"a run of {self.steps:,} steps, the most it can take: {how} {duration(left)} at {each:.2g} s a step"
        if left > self.limit:
            raise ValueError(
                f"{said}, more than the limit of {duration(self.limit)}; take a smaller input, another form (--as), or "
                "raise the limit by --minutes"
            )
        if left > WORTH_TELLING and how == "about":
            self.tell(said)
