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
from apmdm.model.attention import AttentionPattern
from apmdm.model.cached import Cached
from apmdm.model.encoder import Encoder, Shape
from apmdm.model.graphed import Graphed
from apmdm.model.incremental import Incremental
from apmdm.model.skipping import Skipping
from apmdm.policy import Append, Correct, Greedy, GreedyOrBestSingle, Policy, Stochastic, Unmask
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.sudoku.data import training_puzzles
from apmdm.tasks.sudoku.grid import encode
from apmdm.vocab import MASK, PAD, Vocab

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
    monkeypatch.setattr(State, "far", property(lambda state: isinstance(state.ids, Far)))
    monkeypatch.setattr(Far, "waits", 0)
    return lambda: Far.waits


def starts(num: int, longest: int = 8) -> list[Sequence]:
    random = torch.Generator().manual_seed(0)

    def some(*shape: int) -> Tensor:
        return torch.randint(1, TOKENS, shape, generator=random)

    lengths = torch.randint(1, longest + 1, (num,), generator=random).tolist()
    return [Sequence(some(length), some(length, 2)) for length in lengths]


def facts(runs: Iterator[Run]) -> list[tuple]:
    ordered = sorted(runs, key=lambda run: run.index)
    return [(run.final.ids.tolist(), run.time, run.space, run.work, run.stop) for run in ordered]


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
def test_far_runs_are_near_ones(seed: int, request: pytest.FixtureRequest) -> None:
    def found() -> list[tuple]:
        return facts(rollouts(Erratic(seed), starts(12), batch_size=5, max_steps=20, max_length=60))

    near = found()
    request.getfixturevalue("far")
    assert found() == near


RELATIONS = ((0, 0), (0, 1), "before")
SHAPES = {
    "full": Shape(16, 2, 2, rotary=True),
    "full with relations": Shape(16, 2, 2, relations=RELATIONS, trained_length=4),
    "causal": Shape(16, 2, 2, "causal", absolute=100),
    "written": Shape(16, 2, 2, "written", rotary=True, relations=RELATIONS),
    "window": Shape(16, 2, 2, "window", span=1, rotary=True),
    "window with relations": Shape(16, 1, 2, "window", span=2, relations=RELATIONS),
    "block": Shape(16, 2, 2, "block", span=3, absolute=3),
    "block with relations": Shape(16, 2, 2, "block", span=3, relations=RELATIONS),
}
LOCAL = [name for name, shape in SHAPES.items() if shape.local]
KINDS = [(name, "alone") for name in SHAPES] + [(name, "incremental") for name in LOCAL]
KINDS += [(name, "skipping") for name in LOCAL if not SHAPES[name].axes]
WRAPPED = {
    "alone": lambda encoder: encoder,
    "incremental": Incremental,
    "skipping": lambda encoder: Skipping(Incremental(encoder), torch.tensor([TOKENS - 1])),
}


def edited_runs(name: str, wrapper: str, seed: int) -> tuple[list[tuple], int]:
    """Runs of an encoder without sense, with some edits of every kind at each step, and how often it is asked."""
    torch.manual_seed(seed)
    encoder, calls = Encoder(Vocab.of(*"abcd"), SHAPES[name]), 0
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    encoder.controls.bias.data[:] = torch.tensor([-2.0, -2.0, -1.0])
    wrapped = WRAPPED[wrapper](encoder)

    def model(state: State) -> Prediction:
        nonlocal calls
        calls += 1
        return wrapped(state)

    runs = rollouts(model, starts(6, longest=30), Stochastic(), batch_size=3, max_steps=10, max_length=60)
    return facts(runs), calls


@pytest.mark.parametrize(("name", "wrapper"), KINDS)
def test_a_step_waits_once_whatever_model_it_asks(name: str, wrapper: str, far: Callable[[], int]) -> None:
    _, calls = edited_runs(name, wrapper, 0)
    assert calls > 10
    assert far() == calls


@pytest.mark.parametrize(("name", "wrapper"), KINDS)
def test_what_a_model_is_told_instead_changes_no_run(name: str, wrapper: str, request: pytest.FixtureRequest) -> None:
    near = edited_runs(name, wrapper, 1)
    request.getfixturevalue("far")
    assert edited_runs(name, wrapper, 1) == near


def appended_runs(name: str) -> tuple[list[tuple], int]:
    """Runs from left to right with a cache, and how often it is asked."""
    torch.manual_seed(0)
    encoder, calls = Encoder(Vocab.of(*"abcd"), SHAPES[name]), 0
    for parameter in encoder.parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    cached = Cached(encoder)

    def model(state: State) -> Prediction:
        nonlocal calls
        calls += 1
        return cached(state)

    lengths = [3, 9, 1, 4, 7, 2]
    tokens = torch.randint(MASK + 1, TOKENS - 1, (6, 9), generator=torch.Generator().manual_seed(1))
    prompts = [torch.cat((row[:length], torch.tensor([MASK]))) for row, length in zip(tokens, lengths, strict=True)]
    grid = torch.zeros(9 + 1, 2, dtype=torch.long)
    sequences = [Sequence(prompt, grid[: len(prompt)]) for prompt in prompts]
    return facts(rollouts(model, sequences, Append(TOKENS - 1), batch_size=3, max_steps=20, max_length=40)), calls


@pytest.mark.parametrize("name", ["causal", "written"])
def test_a_step_with_a_cache_waits_once(name: str, request: pytest.FixtureRequest) -> None:
    near, _ = appended_runs(name)
    waits = request.getfixturevalue("far")
    runs, calls = appended_runs(name)
    assert waits() == calls > 10
    assert runs == near


def test_an_incremental_may_be_asked_about_other_states_in_between(
    monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    def asked_elsewhere(encoder: Encoder) -> Predictor:
        incremental = Incremental(encoder)

        def model(state: State) -> Prediction:
            for other in starts(9, longest=40):
                incremental(State.stack([other]))
            return incremental(state)

        return model

    near = edited_runs("window", "incremental", 1)
    monkeypatch.setitem(WRAPPED, "incremental", asked_elsewhere)
    request.getfixturevalue("far")
    assert edited_runs("window", "incremental", 1) == near


@pytest.mark.parametrize("wrapped", [Graphed, lambda encoder: encoder], ids=["graphed", "plain"])
def test_rows_of_equal_coordinates_share_their_pattern_without_a_wait(
    wrapped: Callable[[Encoder], Predictor], far: Callable[[], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    encoder, patterns = weights.load_encoder("sudoku"), list[AttentionPattern]()
    puzzles, predict = encode(training_puzzles()[:5]), encoder.predict
    monkeypatch.setattr(encoder, "predict", lambda ids, pattern: patterns.append(pattern) or predict(ids, pattern))
    list(rollouts(wrapped(encoder), map(puzzles.sequence, range(5)), max_steps=8, batch_size=3))
    assert far() == len(patterns) > 8
    for pattern in patterns:
        assert pattern.relations is not None
        assert len(pattern.relations) == 1
        assert pattern.forbidden is None
