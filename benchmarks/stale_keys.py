"""What keeping keys and values of unchanged positions costs in full attention, where everything sees every change.

A step computes the positions that the last one changed, or these and all MASKs. They see kept keys and values of all
others, and of the others what was said is kept. Every R-th step computes everything, and so does a step after one at
which nothing fired. With R = 1 this is decoding as usual. Nothing is gained in time here: positions that are kept are
computed and then not used.

    python benchmarks/stale_keys.py TASK [NUM [STEPS]]      sudoku or graph; 60 problems, at most 200 steps each
"""

import json
import sys
from typing import Any

import torch
from torch import Tensor

from apmdm import registry, weights
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.state import State, same_rows
from apmdm.step import transition

REFRESHED = (1, 2, 4, 8, 16)


class Kept:
    """Keys and values of one layer, of which those at fresh positions are replaced. It stands in for a Past."""

    def __init__(self, at: Tensor, fresh: Tensor, keys: Tensor, values: Tensor) -> None:
        self.at, self.fresh, self.keys, self.values = at, fresh[:, None, :, None], keys, values

    def extended(self, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        self.keys = torch.where(self.fresh, key, self.keys) if self.keys.numel() else key
        self.values = torch.where(self.fresh, value, self.values) if self.values.numel() else value
        return self.keys, self.values


def predicted(model: Encoder, state: State, kept: list[Any]) -> Prediction:
    x = model._embedded(state.ids, kept[0].at, state.ids.shape[1])
    pattern = model.attention_pattern(state)
    for layer, past in zip(model.layers, kept, strict=True):
        x = layer(x, pattern, past)
    return model._predicted(x)


def moved(field: Tensor, source: Tensor, axis: int) -> Tensor:
    """The entries of the positions that each position was before."""
    shape = [1] * field.ndim
    shape[0], shape[axis] = source.shape
    target = [*field.shape]
    target[axis] = source.shape[1]
    return field.gather(axis, source.view(shape).expand(target))


def following(said: Prediction, source: Tensor, rows: Tensor) -> Prediction:
    return said.map(lambda field: moved(field, source, 1)[rows])


def mixed(fresh: Tensor, new: Prediction, old: Prediction) -> Prediction:
    """What is new at fresh positions, and old elsewhere."""
    kept = iter(old.tensors)
    return new.map(lambda field: torch.where(fresh.view(*fresh.shape, *[1] * (field.ndim - 2)), field, next(kept)))


def numbered(state: State) -> State:
    """With the number of each position as one more coordinate, which a transition then moves along."""
    number = torch.arange(state.ids.shape[1]).expand_as(state.ids)[..., None]
    assert state.coordinates is not None
    return State(state.ids, state.lengths, torch.cat((state.coordinates, number), -1))


def runs(model: Encoder, task: Any, problems: list[Any], refreshed: int, masks: bool, max_steps: int) -> dict[str, Any]:
    """All problems at once, row by row removed as they end."""
    state, policy = State.stack(map(task.encode, problems)), task.policy(0)
    index, age = torch.arange(len(problems)), torch.zeros(len(problems), dtype=torch.long)
    fresh, kept, said = state.valid, [Kept(state.ids, state.valid, *torch.empty(2, 0)) for _ in model.layers], None
    right, steps, computed, work = 0, 0, 0, 0
    for _ in range(max_steps):
        at = torch.arange(state.ids.shape[1]).expand_as(state.ids)
        kept = [Kept(at, fresh, one.keys, one.values) for one in kept]
        new = predicted(model, state, kept)
        if said is not None:
            new = mixed(fresh, new, said)
        edits = policy(new, state)
        after = transition(numbered(state), edits)
        grid = after.coordinates
        assert grid is not None
        source, before, whole = grid[..., -1].clamp(min=0), state, (fresh | ~state.valid).all(1)
        state = State(after.ids, after.lengths, grid[..., :-1])
        idle = same_rows(before, state)
        ended, computed, work = idle & whole, computed + int(fresh.sum()), work + int(before.lengths.sum())
        steps += int((~idle).sum())
        for row in ended.nonzero()[:, 0].tolist():
            problem = problems[int(index[row])]
            answer = task.decode(state.sequence(row))
            right += answer is not None and bool(task.verify(problem, answer))
        go, age = ~ended, (age + 1).masked_fill(idle, 0)
        inserted = torch.nn.functional.pad(source[:, 1:] == source[:, :-1], (1, 0)) & state.valid
        changed = (inserted | (state.ids != before.ids.gather(1, source))) & state.valid
        changed |= state.masked & masks
        fresh = torch.where((age % refreshed == 0)[:, None], state.valid, changed)[go]
        said = following(new, source, go)
        for one in kept:
            one.keys, one.values = (moved(part, source, 2)[go] for part in (one.keys, one.values))
        state, index, age = state[go], index[go], age[go]
        if not len(state):
            break
    num = len(problems)
    return {
        "right": right,
        "cut_off": len(state),
        "mean_steps": round(steps / num, 1),
        "computed_share": round(computed / work, 3),
        "computed": round(computed / num),
    }


@torch.no_grad()
def main() -> None:
    num, max_steps = (*map(int, sys.argv[2:]), *(60, 200)[len(sys.argv) - 2 :])
    task, model = registry.find(sys.argv[1]), weights.load_encoder(sys.argv[1])
    problems = task.sample(num, 1)
    rows = {}
    for name, masks in (("changed", False), ("changed and MASKs", True)):
        for refreshed in REFRESHED[masks:]:
            rows[f"{name}, every {refreshed}"] = row = runs(model, task, problems, refreshed, masks, max_steps)
            print(name, refreshed, row, file=sys.stderr, flush=True)
    print(
        json.dumps(
            {"benchmark": "stale_keys", "task": task.name, "problems": len(problems), "steps": max_steps, **rows}
        )
    )


if __name__ == "__main__":
    main()
