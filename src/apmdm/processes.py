"""The processes that share one run: those that `accelerate launch` or `torchrun` has started, or this one alone."""

import os
import warnings
from datetime import timedelta

PATIENCE = timedelta(days=1)
"""How long processes wait for one that measures or draws. One that has died is noticed at once."""


def number() -> int:
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """The number of this process, from 0. Process 0 is the one that writes files and tells the user."""
    return int(os.environ.get("RANK", 0))


def join(device: str) -> None:
    """Let the processes find each other, and take a GPU each if the device is cuda. One alone joins nothing.

    Raises ValueError if there are more processes on this machine than GPUs.
    """
    if number() == 1:
        return
    import torch
    from accelerate import PartialState

    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", 1)), torch.cuda.device_count()
    if device == "cuda" and here > gpus:
        raise ValueError(f"{here} processes were started on a machine with {gpus} GPUs: start one for each at most")
    with warnings.catch_warnings(action="ignore"):  # that it takes one thread if OMP_NUM_THREADS does not say how many
        PartialState(cpu=device == "cpu", timeout=PATIENCE)


def is_first_to_tell() -> bool:
    """True in the first process that asks. So why a run ends is told once, by whichever process knows it first."""
    if number() == 1:
        return True
    from torch.distributed import TCPStore  # pyright: ignore[reportPrivateImportUsage]

    try:
        store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=timedelta(seconds=5))
        return store.add(f"apmdm told {os.environ.get('TORCHELASTIC_RESTART_COUNT')}", 1) == 1
    except (RuntimeError, LookupError, ValueError):  # the launcher, which holds the store, is gone as well
        return True


def is_loss_of_another(error: BaseException) -> bool:
    """Whether an error says that another process has ended while this one exchanged something with it."""
    signs = "closed by peer", "reset by peer", "Broken pipe", "NCCL"
    return number() > 1 and isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)
