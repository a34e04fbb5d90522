"""What `Incremental` saves in window and block attention: positions computed, and time; and that the runs are equal.

Each problem is run twice: as the task runs it, and with the encoder computing every position anew. In repair, letters
that are matched are hidden from both.

    python benchmarks/incremental.py [REPAIR DYCK PARITY]    letters or bits of the problems; 10000 4096 1000000
"""

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

import torch

from apmdm import weights
from apmdm.base_task import BaseTask
from apmdm.model.encoder import Encoder
from apmdm.model.skipping import Skipping
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import State
from apmdm.tasks.dyck.process import LETTERS
from apmdm.tasks.dyck.task import Dyck, WordRequest
from apmdm.tasks.dyck.uniform import damaged
from apmdm.tasks.dyck_repair.process import DONE_ID
from apmdm.tasks.dyck_repair.task import DyckRepair
from apmdm.tasks.parity.task import Parity

ERRORS = 5


@dataclass
class Watched:
    """A model that notes the seconds of its calls, and how many positions it computed."""

    model: Callable[[State], Prediction]
    seconds: float = 0.0
    positions: int = 0

    def __call__(self, state: State) -> Prediction:
        began = time.perf_counter()
        said = self.model(state)
        self.seconds += time.perf_counter() - began
        self.positions += int(state.lengths.sum() if said.computed is None else said.computed.sum())
        return said


def balanced(length: int, random: Random) -> str:
    """A word of two letters and their inverses, its nesting that of a uniformly random path (cycle lemma)."""
    half = length // 2
    path = [1] * half + [-1] * (half + 1)
    random.shuffle(path)
    heights = torch.tensor(path).cumsum(0)
    turn = int(heights.argmin()) + 1
    word, opened = [], list[int]()
    for step in (path[turn:] + path[:turn])[:-1]:
        if step > 0:
            opened.append(random.choice([n for n in range(4) if not opened or n != opened[-1] ^ 1]))
            word.append(opened[-1])
        else:
            word.append(opened.pop() ^ 1)
    return "".join(LETTERS[number] for number in word)


def run(task: BaseTask, problem: Any, model: Callable[[State], Prediction]) -> tuple[Run, Watched, float]:
    watched, policy, limit = Watched(model), task.policy(0), task.max_length([problem])
    began = time.perf_counter()
    (one,) = rollouts(watched, [task.encode(problem)], policy, max_steps=10**6, max_length=limit)
    return one, watched, time.perf_counter() - began


def measured(
    task: BaseTask, problem: Any, whole: Callable[[Encoder], Predictor] = lambda model: model
) -> dict[str, Any]:
    assert task.shipped is not None
    model = weights.load_encoder(task.shipped)
    kept, kept_model, kept_seconds = run(task, problem, task.decoder(model, "cpu"))  # pyrefly: ignore[bad-argument-type]
    anew, anew_model, anew_seconds = run(task, problem, whole(model))  # pyrefly: ignore[bad-argument-type]
    return {
        "equal": kept.final.ids.equal(anew.final.ids) and (kept.time, kept.space) == (anew.time, anew.space),
        "log_probabilities": [round(one.log_probability, 3) for one in (kept, anew)],
        "right": bool(task.verify(problem, task.decode(kept.final))),
        "steps": kept.time,
        "largest_length": kept.space,
        "work": kept.work,
        "computed": kept.computed,
        "computed_share": round(kept.computed / kept.work, 6),
        "computed_anew": anew.computed,
        "seconds": [round(kept_seconds, 2), round(anew_seconds, 2)],
        "ratio": round(anew_seconds / kept_seconds, 2),
        "model_seconds": [round(one.seconds, 2) for one in (kept_model, anew_model)],
        "model_ratio": round(anew_model.seconds / kept_model.seconds, 2),
    }


def main() -> None:
    letters, word, bits = map(int, sys.argv[1:] or (10_000, 4096, 1_000_000))
    random = Random(1)
    broken = damaged(balanced(letters, random), ERRORS, "k2", random)
    rows = {
        f"repair of {letters:,} letters with {ERRORS} errors": measured(
            DyckRepair(), broken, lambda model: Skipping(model, DONE_ID)
        ),
        f"a Dyck word of {word:,} letters": measured(Dyck(), WordRequest("k2", word)),
        f"parity of {bits:,} bits": measured(Parity(), f"{random.getrandbits(bits):0{bits}b}"),
    }
    print(
        json.dumps({"benchmark": "incremental", "torch": torch.__version__, "threads": torch.get_num_threads(), **rows})
    )


if __name__ == "__main__":
    main()
