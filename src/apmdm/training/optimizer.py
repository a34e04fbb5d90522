"""Muon for the matrices of the layers, AdamW for everything else."""

import inspect
import math
from collections import defaultdict

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.swa_utils import get_ema_multi_avg_fn

from apmdm.model.pretrained import PretrainedEncoder

FINAL_RATE = 0.03

for method in (Optimizer.add_param_group, Optimizer.zero_grad, Optimizer.state_dict, Optimizer.load_state_dict):
    plain = inspect.unwrap(method)
    plain.__dynamo_disable = plain
"""This and AdamW.step keep PyTorch from loading its compiler, for two seconds, just to exclude an optimizer from it."""


class AdamW(torch.optim.AdamW):
    """torch.optim.AdamW, computed without loading a compiler."""

    step = torch.no_grad()(inspect.unwrap(torch.optim.AdamW.step))


class Muon(torch.optim.Muon):
    """torch.optim.Muon with Nesterov momentum, in float32 instead of bfloat16, which some CPUs compute slowly.

    Matrices of equal shape are orthogonalized together, which on a GPU takes no more kernels than a single one.
    """

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            together = defaultdict(list)
            for matrix in group["params"]:
                if matrix.grad is not None:
                    together[matrix.shape].append(matrix)
            for (rows, columns), matrices in together.items():
                gradients = torch.stack([matrix.grad for matrix in matrices])
                means = [self.state[m].setdefault("momentum_buffer", torch.zeros_like(m)) for m in matrices]
                get_ema_multi_avg_fn(group["momentum"])(means, list(gradients), 0)
                update = gradients.lerp(torch.stack(means), group["momentum"])
                update = orthogonal(update, group["ns_coefficients"], group["ns_steps"])
                for matrix, change in zip(matrices, update, strict=True):
                    matrix.mul_(1 - group["lr"] * group["weight_decay"])
                    matrix.add_(change, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))


def orthogonal(
    matrices: Float[Tensor, "N R C"], coefficients: tuple[float, float, float], iterations: int
) -> Float[Tensor, "N R C"]:
    """Matrices with the same singular vectors and singular values of about 1, by Newton-Schulz iterations."""
    if matrices.shape[1] > matrices.shape[2]:
        return orthogonal(matrices.mT, coefficients, iterations).mT
    a, b, c = coefficients
    x = matrices / torch.linalg.matrix_norm(matrices, keepdim=True).clamp(min=1e-7)
    for _ in range(iterations):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x


def optimizers(model: nn.Module, matrix_rate: float, other_rate: float) -> list[Optimizer]:
    """Muon (Jordan et al. 2024) for the matrices inside `layers`, and AdamW for embeddings, heads, norms and biases.

    Of a pretrained encoder all is for AdamW: its own weights at matrix_rate, the new heads at other_rate.
    """
    if isinstance(model, PretrainedEncoder):
        body = list(model.body.parameters())
        own = {id(parameter) for parameter in body}
        heads = [parameter for parameter in model.parameters() if id(parameter) not in own]
        return [_adamw(body, matrix_rate, 0.01), _adamw(heads, other_rate)]
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        is_matrix = ".layers." in f".{name}" and parameter.ndim == 2 and not name.endswith("relations.bias")
        (matrices if is_matrix else others).append(parameter)
    return [
        Muon(matrices, lr=matrix_rate, weight_decay=0.01),
        _adamw(others, other_rate),
    ]


def _adamw(parameters: list[nn.Parameter], rate: float, decay: float = 0.0) -> AdamW:
    return AdamW(parameters, lr=rate, weight_decay=decay, betas=(0.9, 0.98))


def rate(step: int, steps: int, warmup: int) -> float:
    """The share of the base rate at a step: a linear warm-up, and then a cosine from 1 down to FINAL_RATE."""
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress))
