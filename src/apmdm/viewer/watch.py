"""One run filmed while it goes on, within limits of time, steps and size."""

import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from apmdm.odds import odds_of
from apmdm.sampler import Observation
from apmdm.state import Sequence
from apmdm.trace import Step, Trace
from apmdm.viewer.film import Camera, Draw
from apmdm.vocab import Vocab

Emit = Callable[[str, str], None]
"""Takes the name of an event and its data as JSON."""


@dataclass(frozen=True)
class Limits:
    """What one run, and all of them, may take.

    tokens: of any state. steps, seconds: of a run. film: bytes of its frames. body: bytes of a request.
    waiting: runs that wait for their turn; further ones are told that the server is busy.
    """

    tokens: int = 4096
    steps: int = 5000
    seconds: float = 60
    film: int = 16 * 2**20
    body: int = 64 * 2**10
    waiting: int = 40


class Watch:
    """Films a run. Given to the sampler as `on_step`, it ends the run where a limit is reached."""

    def __init__(self, limits: Limits, emit: Emit) -> None:
        self.limits = limits
        self.stopped = ""
        """Why the run was ended, if it was."""
        self._emit = emit
        self._left = threading.Event()
        self._bytes = self._steps = 0

    def begin(self, vocab: Vocab, draw: Draw | None, about: Mapping[str, Any]) -> None:
        self._camera, self._about = Camera(vocab, draw), dict(about)
        self._held: tuple[Sequence, Step] | None = None
        self._until = time.monotonic() + self.limits.seconds

    @property
    def left(self) -> bool:
        return self._left.is_set()

    def leave(self) -> None:
        """Nobody watches any more: the run ends before its next step."""
        self._left.set()

    def __call__(self, seen: Observation) -> bool:
        state, edits = seen.state.to("cpu"), seen.edits.to("cpu")
        step = Step.of(state, edits, 0)
        if seen.prediction is not None:
            step = replace(step, odds=odds_of(seen.prediction, 0, step))
        self._release()
        self._held = state.sequence(0), step
        self._steps += 1
        self.stopped = self._reason(len(step.tokens))
        return bool(self.stopped)

    def _reason(self, length: int) -> str:
        limits = self.limits
        reached = {
            "nobody watches": self._left.is_set(),
            f"the limit of {limits.seconds:g} seconds": time.monotonic() > self._until,
            f"the limit of {limits.steps:,} steps": self._steps > limits.steps,
            f"the limit of {limits.tokens:,} tokens": length > limits.tokens,
            "the size of the film": self._bytes > limits.film,
        }
        return next((reason for reason, true in reached.items() if true), "")

    def end(self, final: Sequence, told: Mapping[str, Any]) -> None:
        """The last state, and what came of the run."""
        if self._held is not None and self._held[0].ids.tolist() == final.ids.tolist():
            self._held = None
        self._release()
        self._send(self._camera.frame(final, None))
        stopped = {"stopped_by": self.stopped} if self.stopped else {}
        self._emit("end", json.dumps(dict(told) | stopped, default=str))

    def play(self, trace: Trace, told: Mapping[str, Any]) -> None:
        """A run that was made without being watched."""
        *states, final = trace.states()
        for self._held in zip(states, trace.steps, strict=True):
            self._release()
        self.end(final, told)

    def _release(self) -> None:
        if self._held is not None:
            self._send(self._camera.frame(*self._held))
            self._held = None

    def _send(self, frame: dict[str, Any]) -> None:
        if "t" in frame and not self._bytes:
            opening = self._camera.opening | {"about": self._about, "frames": [frame]}
            data = json.dumps(opening, separators=(",", ":"), default=str)
            self._emit("opening", data)
        else:
            data = json.dumps(frame, separators=(",", ":"))
            self._emit("frame", data)
        self._bytes += len(data)


Start = Callable[[Watch], None]
"""Makes the run that was asked for, under the eyes of a watch."""
