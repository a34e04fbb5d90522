"""Recorded runs to be filmed, a task as a user writes one, and the live page in a process of its own."""

import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from apmdm.registry import find
from apmdm.state import Sequence
from apmdm.trace import Step, Trace
from apmdm.vocab import MASK, Vocab

VOCAB = Vocab.of("a", "b")
GUESSING = ".4...15..8...4...675........6...4....7.....5.5.97....3.9.2...6......6.....3..8..1"
USER_TASK = '''
from dataclasses import fields

import apmdm
from apmdm.from_process import FromProcess


class Bubbles(FromProcess):
    """Removes every pair of o and x that stand beside each other."""

    def draw(self, sequence):
        symbols = super().draw(sequence)["symbols"]
        return {"kind": "table", "header": ["place", "<b>bubble</b>"], "rows": list(enumerate(symbols))}


def process(symbols):
    if apmdm.MASK in symbols:
        return [symbol for symbol in symbols if symbol != apmdm.MASK]
    marked = "".join(symbols).replace("ox", "__")
    return [apmdm.MASK if symbol == "_" else symbol for symbol in marked]


def problem(random):
    return "".join(random.choices("ox", k=random.randint(2, 9)))


made = apmdm.Task.from_process(process, problem, name="bubbles")
task = Bubbles(**{field.name: getattr(made, field.name) for field in fields(made) if field.init})
'''


def taught(name: str, problem: Any = None, **about: Any) -> Trace:
    """The teacher's run on a problem, or on a random one."""
    task = find(name)
    problem = task.sample(1, 0)[0] if problem is None else task.parse(problem)
    (run,) = task.taught([problem], record=True)
    trace = task.trace(problem, run)
    return Trace(trace.vocab, trace.steps, trace.final, trace.coordinates, {"task": name} | about)


def letters(sequence: Sequence) -> dict[str, Any]:
    """Between the first and the last token, from right to left, without saying where."""
    return {"kind": "string", "symbols": VOCAB.decode(sequence.ids.tolist())[1:-1][::-1]}


def placed(sequence: Sequence) -> dict[str, Any]:
    return letters(sequence) | {"positions": list(range(len(sequence) - 2, 0, -1))}


def wild(seed: int, length: int = 9, steps: int = 12) -> Trace:
    """A run in which anything happens; first and last token stay."""
    draw, tokens, made = random.Random(seed), [2, *[MASK] * length, 3], list[Step]()
    for _ in range(steps):
        inner = range(1, len(tokens) - 1)
        masked = [position for position in inner if tokens[position] == MASK]
        delete = [position for position in masked if draw.random() < 0.2]
        wait = [position for position in masked if position not in delete and draw.random() < 0.4]
        remask = [position for position in inner if position not in masked and draw.random() < 0.3]
        insert = [
            position for position in (0, *inner) if position not in delete and draw.random() < 8 / len(tokens) ** 1.5
        ]
        unmask = {position: draw.choice((2, 3)) for position in masked if position not in [*delete, *wait]}
        bits = (tuple(sorted([*remask, *wait])), tuple(insert), tuple(delete))
        made.append(Step(tuple(tokens), unmask, *bits))
        after = list[int]()
        for position, token in enumerate(tokens):
            if position not in delete:
                after.append(MASK if position in remask else unmask.get(position, token))
                after += [MASK] if position in insert else []
        tokens = after
    return Trace(VOCAB, tuple(made), tuple(tokens))


@contextmanager
def serving(*arguments: str, folder: Path | None = None) -> Iterator[str]:
    """The address of `apmdm serve` in a process of its own, which ends cleanly."""
    command = [sys.executable, "-m", "apmdm", "serve", "--no-open", *arguments]
    server = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=folder, env=os.environ)
    assert server.stderr
    told = server.stderr.readline()
    found = re.match(r"http://\S+", told)
    assert found, told + server.stderr.read()
    try:
        yield found.group()
    finally:
        server.send_signal(signal.SIGINT)
        rest = server.communicate(timeout=20)[1]
        assert (server.returncode, rest) == (0, "")
