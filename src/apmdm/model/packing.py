"""Tensors that are mostly zero, as they are saved: by the places and the values of their other entries."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

PLACES, VALUES, DENSE = ".places", ".values", 0.1
"""A matrix of which a smaller share than DENSE is not 0 is packed."""


def packed(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What to save instead of the tensors: the same, but for matrices that are mostly zero."""
    found: dict[str, Tensor] = {}
    for name, tensor in tensors.items():
        if tensor.ndim < 2 or tensor.count_nonzero() > DENSE * tensor.numel():
            found[name] = tensor.contiguous()
            continue
        flat = tensor.flatten()
        places = flat.nonzero()[:, 0]
        found |= {name + PLACES: places, name + VALUES: flat[places]}
    return found


def unpack(module: nn.Module, tensors: dict[str, Tensor], prefix: str, *_: Any) -> None:
    """Put the matrices in the place of what `packed` made of them: a hook of a module before it loads its state."""
    for name, current in module.state_dict(prefix=prefix).items():
        if name + PLACES in tensors and name + VALUES in tensors:
            places, values = tensors.pop(name + PLACES), tensors.pop(name + VALUES)
            flat = torch.zeros(current.numel(), dtype=values.dtype).scatter(0, places, values)
            tensors[name] = flat.view(current.shape)
