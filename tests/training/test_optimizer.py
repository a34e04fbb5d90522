"""Muon and AdamW against torch's own, and the schedule of the rate."""

import subprocess
import sys

import pytest
import torch
from torch import Tensor, nn

from apmdm.model.encoder import Encoder, Shape
from apmdm.tasks.parity.process import VOCAB
from apmdm.training.optimizer import FINAL_RATE, AdamW, Muon, optimizers, rate


@pytest.mark.parametrize(("steps", "warmup"), [(100, 10), (100, 0), (7, 3), (5, 5), (5, 50)])
def test_rate_warms_up_then_falls_along_a_cosine(steps: int, warmup: int) -> None:
    curve = [rate(step, steps, warmup) for step in range(steps + 1)]
    rising, falling = curve[:warmup], curve[warmup:]
    assert rising == pytest.approx([(step + 1) / warmup for step in range(len(rising))])
    assert falling == sorted(falling, reverse=True)
    assert all(FINAL_RATE <= share <= 1 for share in falling)
    if warmup < steps:
        assert (falling[0], falling[-1]) == pytest.approx((1.0, FINAL_RATE))
        assert falling[len(falling) // 2] == pytest.approx((1 + FINAL_RATE) / 2, abs=0.2)
    assert rate(10 * steps + warmup, steps, warmup) == pytest.approx(FINAL_RATE)


@pytest.mark.parametrize("shape", [(12, 4), (4, 12), (8, 8)], ids=str)
def test_muon_is_that_of_torch_in_float32(shape: tuple[int, int], monkeypatch: pytest.MonkeyPatch) -> None:
    random = torch.Generator().manual_seed(0)
    start, *gradients = torch.randn(5, *shape, generator=random)
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    solvers = Muon([ours], lr=0.1, weight_decay=0.01), torch.optim.Muon([theirs], lr=0.1, weight_decay=0.01)
    monkeypatch.setattr(Tensor, "bfloat16", Tensor.clone)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for solver in solvers:
            solver.step()
        torch.testing.assert_close(ours, theirs)


def test_adamw_is_that_of_torch() -> None:
    start, *gradients = torch.randn(5, 12, generator=torch.Generator().manual_seed(0))
    ours, theirs = nn.Parameter(start.clone()), nn.Parameter(start.clone())
    solvers = AdamW([ours], lr=0.1, weight_decay=0.01), torch.optim.AdamW([theirs], lr=0.1, weight_decay=0.01)
    for gradient in gradients:
        ours.grad, theirs.grad = gradient.clone(), gradient.clone()
        for solver in solvers:
            solver.step()
            solver.zero_grad()
    assert torch.equal(ours, theirs)


def test_training_loads_no_compiler() -> None:
    program = """
import sys, torch
from apmdm.training.optimizer import optimizers
linear = torch.nn.ModuleDict({"layers": torch.nn.Linear(2, 2)})
for solver in optimizers(linear, 0.1, 0.1):
    linear["layers"](torch.ones(2)).sum().backward()
    solver.step()
    solver.zero_grad()
    solver.load_state_dict(solver.state_dict())
sys.exit("torch._dynamo" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_muon_gets_the_matrices_of_the_layers_and_adamw_the_rest() -> None:
    model = Encoder(VOCAB, Shape(width=8, layers=2, heads=2, absolute=3, relations=((0, 0),)))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    muon, adamw = optimizers(model, 0.5, 0.25)
    assert (type(muon), type(adamw)) == (Muon, AdamW)
    held = [[names[id(p)] for group in solver.param_groups for p in group["params"]] for solver in (muon, adamw)]
    matrices = ["attention.query_key_value.weight", "attention.out.weight", "up.weight", "down.weight"]
    assert sorted(held[0]) == sorted(f"layers.{number}.{name}" for number in range(2) for name in matrices)
    assert sorted(held[0] + held[1]) == sorted(names.values())
    assert [solver.param_groups[0]["lr"] for solver in (muon, adamw)] == [0.5, 0.25]
