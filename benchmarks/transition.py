"""Bar: one transition costs less than 5 % of one forward pass (256 sequences of length 512, 1.2M parameters)."""

import json
import time
from collections.abc import Callable

import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.state import State
from apmdm.step import transition
from apmdm.vocab import Vocab

BATCH, LENGTH, REPEATS = 256, 512, 3


def seconds(call: Callable[[], object]) -> float:
    """The fastest of a few calls after one that warms up."""
    call()
    times = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    torch.manual_seed(0)
    vocab = Vocab.of(list("abcdefghijklmnop"))
    model = Encoder(vocab, Shape(width=128, layers=6, heads=4, rotary=True)).eval()
    shape = (BATCH, LENGTH)
    state = State(torch.randint(1, len(vocab), shape), torch.randint(LENGTH // 2, LENGTH + 1, (BATCH,)))
    edits = Edits(torch.randint(2, len(vocab), shape), *(torch.rand(shape) < 0.2 for _ in range(3)))
    with torch.inference_mode():
        forward, step = seconds(lambda: model(state)), seconds(lambda: transition(state, edits))
    record = {
        "benchmark": "transition",
        "parameters": model.num_parameters(),
        "forward_seconds": round(forward, 4),
        "transition_seconds": round(step, 5),
        "ratio": round(step / forward, 5),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
    }
    print(json.dumps(record))


if __name__ == "__main__":
    main()
