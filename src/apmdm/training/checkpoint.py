"""The whole state of a training run in one safetensors file, written atomically."""

import os
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.optim import Optimizer

from apmdm.file_mode import usual_mode

NAME = "checkpoint.safetensors"


def save(folder: Path, modules: dict[str, nn.Module], optimizers: list[Optimizer], step: int) -> None:
    """Write folder/checkpoint.safetensors. If writing fails, as on a full disk, the previous checkpoint survives."""
    tensors: dict[str, Tensor] = {}
    for prefix, module in modules.items():
        tensors |= {f"{prefix}/{name}": tensor for name, tensor in module.state_dict().items()}
    for number, optimizer in enumerate(optimizers):
        for index, entries in optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer/{number}/{index}/{name}": torch.as_tensor(entry) for name, entry in entries.items()}
    partial = folder / f"{NAME}.partial"
    try:
        tensors = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
        with usual_mode(partial):
            save_file(tensors, partial, {"step": str(step), "tensors": str(len(tensors))})
        os.replace(partial, folder / NAME)
    except (OSError, SafetensorError) as error:
        partial.unlink(missing_ok=True)
        raise OSError(f"could not write {folder / NAME}: {error}; an earlier checkpoint there is untouched") from error


def load(folder: Path, modules: dict[str, nn.Module], optimizers: list[Optimizer]) -> int:
    """Restore modules and optimizers in place and return the number of steps done.

    Raises ValueError if the file is missing, damaged or of another model.
    """
    path = folder / NAME
    if not path.is_file():
        raise ValueError(f"no checkpoint to resume from: {path} does not exist")
    try:
        with safe_open(path, "pt") as file:
            metadata = file.metadata() or {}
            step, num_tensors = int(metadata["step"]), int(metadata["tensors"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        if len(tensors) != num_tensors:
            raise ValueError(f"{len(tensors)} tensors instead of {num_tensors}")
        for prefix, module in modules.items():
            module.load_state_dict(_under(tensors, f"{prefix}/"))
    except (SafetensorError, KeyError, ValueError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged or of another model: {_in_one_line(error)}") from error
    for number, optimizer in enumerate(optimizers):
        state: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _under(tensors, f"optimizer/{number}/").items():
            index, entry = name.split("/")
            state.setdefault(int(index), {})[entry] = tensor
        optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
    return step


def _under(tensors: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


def _in_one_line(error: Exception) -> str:
    """The first reason, and how many there are besides: torch gives one for every tensor."""
    first, *others = str(error).splitlines()
    reasons = [line.strip() for line in others if line.strip()] or [first]
    return reasons[0] + (f" (and {len(reasons) - 1} more like it)" if reasons[1:] else "")
