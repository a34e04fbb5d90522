"""Muon for the matrices of the layers, AdamW for everything else."""

import math

from torch import nn
from torch.optim import AdamW, Muon, Optimizer

FINAL_RATE = 0.03


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
