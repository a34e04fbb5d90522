"""Muon for the matrices of the layers, AdamW for everything else."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.optim import AdamW, Optimizer

FINAL_RATE = 0.03


class Muon(torch.optim.Muon):
    """That of torch, always with Nesterov momentum, in float32 instead of bfloat16, which some CPUs compute slowly."""

    @torch.no_grad()
    def step(self, closure: None = None) -> None:
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is None:
                    continue
                mean = self.state[matrix].setdefault("momentum_buffer", torch.zeros_like(matrix))
                mean.lerp_(matrix.grad, 1 - group["momentum"])
                update = orthogonal(
                    matrix.grad.lerp(mean, group["momentum"]), group["ns_coefficients"], group["ns_steps"]
                )
                rows, columns = matrix.shape
                matrix.mul_(1 - group["lr"] * group["weight_decay"])
                matrix.add_(update, alpha=-group["lr"] * math.sqrt(max(1, rows / columns)))


def orthogonal(
    matrix: Float[Tensor, "R C"], coefficients: tuple[float, float, float], iterations: int
) -> Float[Tensor, "R C"]:
    """About the matrix of the same singular vectors whose singular values are all 1, by Newton-Schulz iterations."""
    if len(matrix) > matrix.shape[1]:
        return orthogonal(matrix.T, coefficients, iterations).T
    a, b, c = coefficients
    matrix = matrix / matrix.norm().clamp(min=1e-7)
    for _ in range(iterations):
        gram = matrix @ matrix.T
        matrix = torch.addmm(matrix, torch.addmm(gram, gram, gram, beta=b, alpha=c), matrix, beta=a)
    return matrix


def optimizers(model: nn.Module, matrix_rate: float, other_rate: float) -> list[Optimizer]:
    """Muon (Jordan et al. 2024) on the 2-D weights inside `layers`, AdamW on embeddings, heads, norms, biases."""
    matrices, others = [], []
    for name, parameter in model.named_parameters():
        is_matrix = ".layers." in f".{name}" and parameter.ndim == 2 and not name.endswith("relations.bias")
        (matrices if is_matrix else others).append(parameter)
    return [
        Muon(matrices, lr=matrix_rate, weight_decay=0.01),
        AdamW(others, lr=other_rate, weight_decay=0.0, betas=(0.9, 0.98)),
    ]


def rate(step: int, steps: int, warmup: int) -> float:
    """The share of the base rate used at a step: linear warm-up, then a cosine from 1 down to FINAL_RATE."""
    if step < warmup:
        return (step + 1) / warmup
    progress = min(1.0, (step - warmup) / max(1, steps - warmup))
    return FINAL_RATE + (1 - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress))
