"""The processes that share one run: those that `accelerate launch` or `torchrun` has started, or this one alone."""

import os
import time
import warnings
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from multiprocessing.reduction import ForkingPickler
from typing import Any, ClassVar, NamedTuple, TypeVar

PATIENCE = timedelta(days=1)
"""How long processes wait for one that measures or draws. One that has died is noticed at once."""
BREAK = 0.05
"""Seconds between two looks at what others have found."""


Item = TypeVar("Item")
_calls = count()


class Share(NamedTuple):
    """Of numbered things those whose number is `rank`, and every `number`-th after it."""

    rank: int
    number: int

    def has(self, index: int) -> bool:
        return index % self.number == self.rank


WHOLE = Share(0, 1)


def number() -> int:
    return int(os.environ.get("WORLD_SIZE", 1))


def rank() -> int:
    """The number of this process, from 0. Process 0 is the one that writes files and tells the user."""
    return int(os.environ.get("RANK", 0))


def share() -> Share:
    """The share of this process in work that is done by all."""
    return Share(rank(), number())


def join(device: str) -> None:
    """Let the processes find each other, and take a GPU each if the device is cuda. One alone joins nothing.

    Raises ValueError if there are more processes on this machine than GPUs, or if they are to split the weights.
    """
    if "true" in (os.environ.get("ACCELERATE_USE_FSDP"), os.environ.get("ACCELERATE_USE_DEEPSPEED")):
        raise ValueError(
            "FSDP and DeepSpeed split weights, and Muon needs whole matrices: leave them out of `accelerate config`; "
            "compute.parts and compute.recompute save memory"
        )
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
    try:
        return _store().add("told", 1) == 1
    except (RuntimeError, LookupError, ValueError):  # the launcher, which holds the store, is gone as well
        return True


def is_loss_of_another(error: BaseException) -> bool:
    """Whether an error says that another process has ended while this one exchanged something with it."""
    signs = "closed by peer", "reset by peer", "Broken pipe", "NCCL"
    return number() > 1 and isinstance(error, RuntimeError) and any(sign in str(error) for sign in signs)


def wait_for_all() -> None:
    """Go on when every process is here."""
    if number() > 1:
        from accelerate import PartialState

        PartialState().wait_for_everyone()


def together(found: Iterator[Item], share: Share) -> Iterator[Item]:
    """In process 0 what all processes find, each in its share, as it is found; in the others nothing.

    It is sent by way of the launcher. What is found must be picklable.
    """
    if share.number == 1:
        yield from found
        return
    store, call = _store(), next(_calls)
    if share.rank > 0:
        sent = 0
        for sent, item in enumerate(found, 1):
            store.set(f"{call} {share.rank} {sent}", bytes(_Plain.dumps(item)))
        store.set(f"{call} {share.rank} {sent + 1}", b"")
        return
    others = {rank: f"{call} {rank} {{}}" for rank in range(1, share.number)}
    taken = dict.fromkeys(others, 0)

    def arrived() -> Iterator[Item]:
        for rank, name in list(others.items()):
            while store.check([key := name.format(taken[rank] + 1)]):
                taken[rank] += 1
                told = store.get(key)
                store.delete_key(key)
                if not told:
                    del others[rank]
                    break
                yield _Plain.loads(told)

    for item in found:
        yield item
        yield from arrived()
    while others:
        yield from arrived()
        time.sleep(BREAK)


class _Plain(ForkingPickler):
    """Tensors are sent with their content, where torch would send a handle of memory that another machine lacks."""

    _extra_reducers: ClassVar[dict[type, Any]] = {}


def _store() -> Any:
    """The launcher's table of keys and values, which every process sees."""
    import torch
    from torch.distributed import PrefixStore, TCPStore

    _Plain.register(torch.Tensor, lambda tensor: (torch.from_numpy, (tensor.numpy(),)))
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), timeout=timedelta(seconds=5))
    return PrefixStore(f"apmdm {os.environ.get('TORCHELASTIC_RESTART_COUNT')}", store)
