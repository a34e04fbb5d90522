"""Every window of five neighbours that can ever occur in a run of the process, whatever its length: a finite set.

A position's next token or tokens depend on its window, so the windows of the next state are the sequences of five
outputs along overlapping windows of this state. From the windows of the start states that closes after a few
rounds. Letters and languages are left out: no decision tells one letter from another, so a window is five kinds.
"""

from collections import defaultdict, deque
from collections.abc import Callable
from functools import cache
from itertools import product

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.prediction import Prediction
from apmdm.state import State
from apmdm.tasks.dyck.process import (
    END,
    FUEL,
    FUEL_ID,
    HOP,
    HOP_ID,
    KIND,
    LETTER,
    LETTER_ID,
    MASKED,
    OUTSIDE,
    PAIR,
    PAIR_ID,
    REACH,
    START,
    VOCAB,
    process,
)
from apmdm.vocab import MASK, PAD

WIDTH = 2 * REACH + 1
NEVER = 1e-9
"""A probability that stands for none."""

Kinds = tuple[int, ...]


@cache
def reachable() -> list[Kinds]:
    """All windows of kinds with a position in the middle, sorted."""
    windows = {window for fuel in range(WIDTH + 1) for window in _windows((START, *[FUEL] * fuel, END))}
    outputs: dict[Kinds, list[Kinds]] = {}
    while new := windows - outputs.keys():
        outputs |= {window: [(OUTSIDE,)] for window in new if window[REACH] == OUTSIDE}
        outputs |= _outputs(sorted(new - outputs.keys()))
        windows |= _next_windows(outputs)
    return sorted(window for window in windows if window[REACH] != OUTSIDE)


def centre(prediction: Prediction, kinds: Int[Tensor, "windows 5"]) -> Prediction:
    """What is predicted for the middle position of each window, [windows, 1, ...]."""
    rows, column = torch.arange(len(kinds)), REACH - (kinds[:, :REACH] == OUTSIDE).sum(1)
    return prediction.map(lambda field: field[rows, column][:, None])


@cache
def around() -> list[Kinds]:
    """For each reachable window a shortest sequence from START to END that has it and only reachable windows."""
    windows, following, preceding = reachable(), defaultdict(list), defaultdict(list)
    for window in windows:
        following[window[:-1]].append(window)
        preceding[window[1:]].append(window)
    left = _paths([w for w in windows if w[REACH] == START], lambda window: following[window[1:]])
    right = _paths([w for w in windows if w[REACH] == END], lambda window: preceding[window[:-1]])
    return [left[window] + right[window][-2::-1] for window in windows]


def _paths(sources: list[Kinds], neighbours: Callable[[Kinds], list[Kinds]]) -> dict[Kinds, Kinds]:
    """For each window the middle kinds along a shortest path from one of the sources to it."""
    paths: dict[Kinds, Kinds] = {window: (window[REACH],) for window in sources}
    waiting = deque(sources)
    while waiting:
        window = waiting.popleft()
        for after in neighbours(window):
            if after not in paths:
                paths[after] = (*paths[window], after[REACH])
                waiting.append(after)
    return paths


def as_state(
    kinds: Int[Tensor, "rows length"], letters: Int[Tensor, "rows length"], language: Int[Tensor, "rows"]
) -> State:
    """Kinds as sequences, with the given numbers of letters and languages; what lies OUTSIDE is left out."""
    tables = {MASKED: MASK, START: VOCAB.ids["START"], END: VOCAB.ids["END"]}
    tables |= {LETTER: LETTER_ID[letters], PAIR: PAIR_ID[letters]}
    tables |= {FUEL: FUEL_ID[language][:, None], HOP: HOP_ID[language][:, None]}
    ids = torch.full_like(kinds, PAD)
    for kind, table in tables.items():
        ids = torch.where(kinds == kind, table, ids)
    inside = kinds != OUTSIDE
    order = (~inside).long().argsort(dim=1, stable=True)
    return State(ids.gather(1, order), inside.sum(1))


def _windows(kinds: Kinds) -> set[Kinds]:
    around = (OUTSIDE,) * WIDTH
    whole = around + kinds + around
    return {whole[first : first + WIDTH] for first in range(len(whole) - WIDTH + 1)}


def _next_windows(outputs: dict[Kinds, list[Kinds]]) -> set[Kinds]:
    """Walk along overlapping windows with the last outputs in hand; every five in a row are a window."""
    following = defaultdict(list)
    for window in outputs:
        following[window[:-1]].append(window)
    waiting = [(window, output) for window, options in outputs.items() for output in options]
    seen, found = set(waiting), set()
    while waiting:
        window, recent = waiting.pop()
        for after in following[window[1:]]:
            for output in outputs[after]:
                tail = recent + output
                while len(tail) >= WIDTH:
                    found.add(tail[:WIDTH])
                    tail = tail[1:]
                if (after, tail) not in seen:
                    seen.add((after, tail))
                    waiting.append((after, tail))
    return found


def _outputs(windows: list[Kinds]) -> dict[Kinds, list[Kinds]]:
    """What can become of the position in the middle of each window: nothing, one kind or two."""
    kinds = torch.tensor(windows, dtype=torch.long).view(-1, WIDTH)
    state = as_state(kinds, torch.zeros_like(kinds), torch.zeros(len(kinds), dtype=torch.long))
    middle = centre(process(state), kinds)
    bits = torch.stack((middle.remask, middle.insert, middle.delete), -1)[:, 0].sigmoid()
    contents = (middle.content[:, 0].softmax(-1) > NEVER).tolist()
    outputs = {}
    for window, chances, allowed in zip(windows, bits.tolist(), contents, strict=True):
        kind, options = window[REACH], [[bit for bit in (False, True) if abs(1 - bit - p) > NEVER] for p in chances]
        written = {int(KIND[token]) for token, possible in enumerate(allowed) if possible}
        outputs[window] = sorted(
            {
                after
                for remask, insert, delete in product(*options)
                for after in _after(kind, remask, insert, delete, written)
            }
        )
    return outputs


def _after(kind: int, remask: bool, insert: bool, delete: bool, written: set[int]) -> list[Kinds]:
    if kind == MASKED and delete:
        return [()]
    kept = {MASKED} if remask else written if kind == MASKED else {kind}
    return [(after, MASKED) if insert else (after,) for after in kept]
