"""Tests behave the same on every machine: one thread, no network, the same random examples, no deadlines.

Programs that are started in the background ignore Ctrl-C, and so would all that they start: here nothing is ignored.
"""

import gc
import os
import signal
from collections.abc import Callable
from dataclasses import is_dataclass
from functools import cache, partial, wraps
from itertools import count
from typing import Any

import jaxtyping
import torch
from hypothesis import settings

os.environ |= {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}  # of programs that tests start, too
torch.set_num_threads(1)
gc.set_threshold(50_000, 20, 100)  # garbage is collected less often, which saves 7 % of the time
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
settings.load_profile("ci")

CHECKED = 100
"""Types and shapes are checked in the first so many calls of every function, and in one of so many after these."""


def _checked_now_and_then(*, typechecker: Callable[..., Any], always: Any = jaxtyping.jaxtyped) -> Any:
    """What pytest decorates all functions with. Most take less time than a check."""

    def decorated(function: Any) -> Any:
        if isinstance(function, type):
            if is_dataclass(function):
                function.__init__ = decorated(function.__init__)
            return function
        calls, checked = count(), cache(partial(always, function, typechecker=typechecker))

        @wraps(function)
        def called(*given: Any, **named: Any) -> Any:
            number = next(calls)
            return (checked() if number < CHECKED or number % CHECKED == 0 else function)(*given, **named)

        return called

    return decorated


jaxtyping.jaxtyped = _checked_now_and_then  # pyrefly: ignore[bad-assignment]
