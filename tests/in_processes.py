"""What tests/test_processes.py runs in one process and in two: short runs on batches of uneven sizes.

As a program it is given a folder, runs everything there, and writes what came of it into results-RANK.json.
"""

import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import torch

from apmdm import cli, processes
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch, Batches, Hints
from apmdm.objective.imitation import imitation_loss
from apmdm.objective.masked import masked_loss
from apmdm.objective.next_token import next_token_loss
from apmdm.objective.supervised import Objective, supervised_loss
from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.tasks.parity.process import VOCAB
from apmdm.training.trainer import Compute, Outcome, Settings, train
from apmdm.vocab import PAD

STATES = [[2, 1], [3, 1, 2], [1, 1, 3, 1], [1, 2], [1, 3], [3, 1, 2, 2], [1, 3], [1, 3], [3, 1], [1, 1]]
SHAPE = Shape(width=8, layers=2, heads=2, rotary=True)
SETTINGS, COMPUTE = Settings(steps=6, warmup=2, evaluate_every=100), Compute(checkpoint_every=4)
STOPPED, WHOLE = 3, 6
"""The steps after which a run is stopped, and those of all of it."""


def batches(number: int) -> Batch:
    """1 to 7 states, so that parts are uneven, and some processes have none at all."""
    random = torch.Generator().manual_seed(number)
    state = State.stack([STATES[i] for i in torch.randperm(len(STATES), generator=random)[: 1 + number * 5 % 7]])
    return Batch(state, Edits.of(torch.where(state.valid, 3 - state.ids % 2, PAD), state.ids == 3, state.ids == 2))


def unsure(state: State) -> Prediction:
    bits = state.ids.float() - 1
    return Prediction(torch.nn.functional.one_hot(state.ids, len(VOCAB)).float(), bits, -bits, bits / 2)


def hinted(state: State) -> torch.Tensor:
    return torch.stack((state.ids == 2, state.ids == 3), -1)


@dataclass(frozen=True)
class Case:
    objective: Objective = supervised_loss
    settings: Settings = SETTINGS
    compute: Compute = COMPUTE
    hints: Hints | None = None


CASES = {
    "supervised": Case(),
    "focus, hints and parts": Case(
        settings=replace(SETTINGS, focus=2), compute=replace(COMPUTE, parts=2), hints=Hints(2, hinted)
    ),
    "parts": Case(compute=replace(COMPUTE, parts=3)),
    "recompute": Case(compute=replace(COMPUTE, recompute=True)),
    "masked": Case(masked_loss),
    "next token": Case(next_token_loss),
    "imitation": Case(imitation_loss(unsure)),
}


def run(folder: Path, name: str = "supervised", batches: Batches = batches, resume: bool = False) -> Outcome:
    torch.manual_seed(0)
    case = CASES[name]
    model = Encoder(VOCAB, SHAPE, case.hints.number if case.hints else 0)
    how = {"compute": case.compute, "objective": case.objective, "hints": case.hints, "resume": resume}
    return train(model, batches, lambda _: {}, case.settings, folder, **how)


def at(number: int, rank: int, event: Callable[[], None]) -> Batches:
    """Batches of which one process meets something while it draws one."""

    def interrupted(n: int) -> Batch:
        if n == number and processes.rank() == rank:
            event()
        return batches(n)

    return interrupted


def send(number: signal.Signals) -> Callable[[], None]:
    return lambda: os.kill(os.getpid(), number)


COMMANDS = {
    "generate": ["generate", "dyck", "--length", "4", "--num", "70", "--json"],
    "run": ["run", "parity", "strings.txt"],
    "eval": ["eval", "parity", "--data", "strings.txt"],
    "run --out": ["run", "parity", "strings.txt", "--out", "results.jsonl"],
}
STRINGS = ["0110", "1", "111", "10", "0", "0110", "11011"]


def printed(folder: Path, command: list[str]) -> str:
    """What a command prints."""
    here = [str(folder / word) if "." in word else word for word in command]
    streams = sys.stdout, sys.stderr
    sys.stdout = StringIO()
    with suppress(SystemExit):
        cli.main([*here, "--device", "cpu"])
    told, (sys.stdout, sys.stderr) = sys.stdout.getvalue() if processes.rank() == 0 else "", streams
    return told


def main(folder: Path) -> None:
    (folder / "strings.txt").write_text("\n".join(STRINGS))
    told = {name: printed(folder, command) for name, command in COMMANDS.items()}
    (folder / f"told-{processes.rank()}.json").write_text(json.dumps(told))
    found = {name: run(folder / name, name).losses for name in CASES}
    stopped = run(folder / "stopped", batches=at(STOPPED - 1, 1, send(signal.SIGTERM)))
    found["stopped"] = [stopped.step, stopped.finished]
    found["resumed"] = run(folder / "stopped by one", resume=True).losses
    (folder / f"results-{processes.rank()}.json").write_text(json.dumps(found))
    try:
        run(folder / "killed", batches=at(5, 1, send(signal.SIGKILL)))
    except ChildProcessError as error:
        (folder / "said").write_text(str(error))
        raise


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]))
