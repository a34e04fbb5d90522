"""The loop of generation waits for the device once a step. A tensor that counts stands for one on a GPU.

Nothing computes on a GPU here. Tensors that would be there are of a class that notes whenever a value of theirs is
asked for, or the size of a result depends on one.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor

from apmdm import sampler, weights
from apmdm.edits import Edits
from apmdm.model.graphed import Graphed
from apmdm.model.incremental import Incremental
from apmdm.policy import Append, Correct, Greedy, GreedyOrBestSingle, Policy, Stochastic, Unmask
from apmdm.prediction import Prediction
from apmdm.sampler import Run, rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.task import Dyck, WordRequest
from apmdm.tasks.sudoku.data import training_puzzles
from apmdm.tasks.sudoku.grid import encode
from apmdm.vocab import MASK, PAD
from support import sequence

TOKENS = 6
ASKING = {"__bool__", "__int__", "__float__", "__index__", "item", "tolist", "cpu", "numpy", "equal", "allclose"}
SIZED_BY_VALUES = {"nonzero", "argwhere", "unique", "unique_consecutive", "masked_select", "bincount"}


class Far(torch.Tensor):
    """A tensor of which every value that is asked for counts as a wait."""

    waits = 0

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        by_mask = name in ("__getitem__", "__setitem__") and _is_mask(args[1])
        cls.waits += name in ASKING | SIZED_BY_VALUES or by_mask
        if name in ASKING:
            plain = [one.as_subclass(Tensor) if isinstance(one, Far) else one for one in args]
            return func(*plain, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs or {})


def _is_mask(index: Any) -> bool:
    parts = index if isinstance(index, tuple) else (index,)
    return any(isinstance(part, Tensor) and part.dtype == torch.bool for part in parts)


class Erratic:
    """A model without sense: the logits at a position follow from its token, and how many rows there are is noted."""

    def __init__(self, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.content = torch.randn(TOKENS, TOKENS, generator=random)
        self.content[:, [PAD, MASK]] = -torch.inf
        self.bits = torch.randn(3, TOKENS, generator=random) - 0.5
        self.calls = 0

    def __call__(self, state: State) -> Prediction:
        self.calls += 1
        remask, insert, delete = (bit[state.ids] for bit in self.bits)
        return Prediction(self.content[state.ids], remask, insert, delete)


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """What is sent is far from here and what is fetched is back; gives the number of waits so far."""
    monkeypatch.setattr(sampler, "_sent", lambda tensor, device: tensor.as_subclass(Far))
    monkeypatch.setattr(sampler, "_fetched", lambda tensor: tensor.as_subclass(Tensor))
    monkeypatch.setattr(Far, "waits", 0)
    return lambda: Far.waits


def starts(num: int) -> list[Sequence]:
    random = torch.Generator().manual_seed(0)
    lengths = torch.randint(1, 9, (num,), generator=random).tolist()
    return [sequence(tuple(torch.randint(1, TOKENS, (length,), generator=random).tolist())) for length in lengths]


def facts(runs: Iterator[Run]) -> list[tuple]:
    ordered = sorted(runs, key=lambda run: run.index)
    return [(run.final.ids.tolist(), run.time, run.space, run.work, run.computed, run.stop) for run in ordered]


POLICIES = [
    Greedy(),
    Stochastic(cutoff=0.1),
    GreedyOrBestSingle(0.1),
    Unmask("confidence"),
    Unmask("random"),
    Correct(),
    Append(TOKENS - 1),
]


@pytest.mark.parametrize("record", [False, True])
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: type(policy).__name__)
def test_a_step_waits_for_the_device_once(policy: Policy, record: bool, far: Callable[[], int]) -> None:
    model, ended = Erratic(1), 0
    for _ in rollouts(model, starts(12), policy, batch_size=5, max_steps=20, max_length=60, record=record):
        ended += 1
    assert ended == 12
    assert model.calls > 5
    assert far() == model.calls


@pytest.mark.parametrize("seed", range(6))
def test_far_runs_are_near_ones(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def found() -> list[tuple]:
        return facts(rollouts(Erratic(seed), starts(12), batch_size=5, max_steps=20, max_length=60))

    near = found()
    monkeypatch.setattr(sampler, "_sent", lambda tensor, device: tensor.as_subclass(Far))
    monkeypatch.setattr(sampler, "_fetched", lambda tensor: tensor.as_subclass(Tensor))
    assert found() == near


def test_an_encoder_whose_pattern_is_kept_waits_only_where_rows_have_come_or_gone(far: Callable[[], int]) -> None:
    encoder, calls = weights.load_encoder("sudoku"), list[int]()
    graphed = Graphed(encoder)

    def model(state: State) -> Prediction | Edits:
        calls.append(len(state))
        before, said = far(), graphed(state)
        waits.append(far() - before)
        return said

    waits = list[int]()
    puzzles = encode(training_puzzles()[:2])
    list(rollouts(model, [puzzles.sequence(row) for row in range(2)], max_steps=8))
    assert far() - sum(waits) == len(calls)
    assert sum(wait > 0 for wait in waits) <= 2


def test_incremental_waits_once_a_step_and_once_more_when_it_forgets(far: Callable[[], int]) -> None:
    incremental, waits, forgotten = Incremental(weights.load_encoder("dyck")), list[int](), list[bool]()

    def model(state: State) -> Prediction:
        before, known = far(), len(incremental.sights)
        said = incremental(state)
        waits.append(far() - before)
        forgotten.append(len(incremental.sights) < known)
        return said

    list(rollouts(model, [Dyck().encode(WordRequest("k2", 30))] * 3, Dyck().policy(0), max_steps=30))
    assert far() == sum(waits) + len(waits)
    assert max(waits) <= 2
    assert sum(wait - 1 for wait in waits) == sum(forgotten)
