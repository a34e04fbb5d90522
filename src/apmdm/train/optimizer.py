"""Muon for the matrices of the layers, AdamW for everything else."""

import math

from torch import nn
from torch.optim import AdamW, Muon, Optimizer

FINAL_RATE, RESTART = 0.03, 0.6


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


def rate(step: int, steps: int, warmup: int, cycles: int) -> float:
    """The share of the base rate used at a step: linear warm-up, then cosines from a peak down to FINAL_RATE.

    Each of the `cycles` takes as many steps, and starts at RESTART times the peak of the one before (warm restarts,
    arXiv 1608.03983); so a finished run is the first cycle of a longer one.
    """
    if step < warmup:
        return (step + 1) / warmup
    length = -(-steps // cycles)
    cycle = min(step // length, cycles - 1)
    first = max(warmup, cycle * length)
    progress = min(1.0, (step - first) / max(1, (cycle + 1) * length - first))
    return FINAL_RATE + (RESTART**cycle - FINAL_RATE) * 0.5 * (1 + math.cos(math.pi * progress))
