"""Slow oracles: one sequence at a time, in plain Python, from the specification and not from the package."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from apmdm.model.attention import BEFORE
from apmdm.model.encoder import Encoder
from apmdm.state import NOWHERE, Sequence
from apmdm.vocab import MASK, PAD
from support import Edit, Places, Tokens


def slow_transition(tokens: Tokens, places: Places, edits: list[Edit]) -> tuple[Tokens, Places]:
    """g, position by position."""
    new_tokens, new_places = [], []
    for position, (token, edit) in enumerate(zip(tokens, edits, strict=True)):
        if token == MASK and edit.delete:
            continue
        if edit.remask:
            written = MASK
        elif token == MASK:
            written = edit.content
        else:
            written = token
        here = [written] + [MASK] * edit.insert
        new_tokens += here
        if places is not None:
            new_places += [places[position]] * len(here)
    return tuple(new_tokens), None if places is None else tuple(new_places)


def slow_edits_between(
    before: Tokens, after: Tokens, places: Places = None, new_places: Places = None
) -> list[list[Edit]]:
    """All cheapest ways from one to the other (fewest insertions and deletions, then changes); [] if none."""
    ways = _ways(before, after, places, new_places)
    least = min((cost for cost, _ in ways), default=None)
    return [edits for cost, edits in ways if cost == least]


def _ways(
    before: Tokens, after: Tokens, places: Places, new_places: Places
) -> list[tuple[tuple[int, int], list[Edit]]]:
    """Every way, with its cost: all that can happen to the first position, then all ways for the rest."""
    if not before:
        return [] if after else [((0, 0), [])]
    content = after[0] if after else PAD
    choices = [Edit(remask=True), Edit(remask=True, insert=True)]
    if before[0] == MASK:
        choices += [Edit(delete=True)]
        if content != MASK:
            choices += [Edit(content), Edit(content, insert=True)]
    else:
        choices += [Edit(), Edit(insert=True)]
    found = []
    for edit in choices:
        tokens, where = slow_transition(before[:1], None if places is None else places[:1], [edit])
        size = len(tokens)
        if tokens != after[:size] or (new_places is not None and where != new_places[:size]):
            continue
        here = (edit.insert + edit.delete, int(size > 0 and tokens[0] != before[0]))
        rest = _ways(
            before[1:],
            after[size:],
            None if places is None else places[1:],
            None if new_places is None else new_places[size:],
        )
        found += [((here[0] + cost[0], here[1] + cost[1]), [edit, *edits]) for cost, edits in rest]
    return found


@dataclass
class SlowRun:
    """The history of one run (first to last state) and its bookkeeping."""

    history: list[Tokens]
    stop: str
    work: int

    @property
    def time(self) -> int:
        return len(self.history) - 1

    @property
    def space(self) -> int:
        return max(map(len, self.history))


def slow_run(process: Callable[[Tokens], list[Edit]], start: Tokens, max_steps: int, max_length: int) -> SlowRun:
    """Apply a process until it stops; it cycles if the state is that of the last power of two of steps."""
    run = SlowRun([start], "", 0)
    while not run.stop:
        now = run.history[-1]
        after, _ = slow_transition(now, None, process(now))
        if after == now:
            run.stop = "fixed point"
            break
        run.history.append(after)
        run.work += len(now)
        anchor = 2 ** ((run.time - 1).bit_length() - 1) if run.time > 1 else 0
        if after == run.history[anchor]:
            run.stop = "cycle"
        elif run.time >= max_steps:
            run.stop = "step budget"
        elif len(after) > max(max_length, len(now)):
            run.stop = "length budget"
    return run


@torch.no_grad()
def slow_forward(model: Encoder, one: Sequence) -> dict[str, Tensor]:
    """The encoder on one unpadded sequence, by position and by head; no batch, no mask, no bias matrix."""
    shape, weights = model.shape, {name: weight.data for name, weight in model.named_parameters()}
    length = len(one)
    x = []
    for position, token in enumerate(one.ids.tolist()):
        atoms = [model.vocab.atoms.index(atom) for atom in model.vocab.decode([token])[0].split("@")]
        vector = torch.stack([weights["embedding"][atom] for atom in atoms]).sum(0)
        x.append(vector + weights["absolute"][_within(model, one, position)] if shape.absolute else vector)
    for number in range(shape.layers):
        layer = {name.removeprefix(f"layers.{number}."): weight for name, weight in weights.items()}
        normal = [_normal(vector, layer["norms.0.weight"], layer["norms.0.bias"]) for vector in x]
        mixed = [_attend(model, layer, normal, i, one) for i in range(length)]
        x = [vector + layer["attention.out.weight"] @ new for vector, new in zip(x, mixed, strict=True)]
        x = [vector + _mlp(vector, layer) for vector in x]
    x = [_normal(vector, weights["norm.weight"], weights["norm.bias"]) for vector in x]
    controls = [weights["controls.weight"] @ vector + weights["controls.bias"] for vector in x]
    by_name = {name: torch.stack([c[k] for c in controls]) for k, name in enumerate(("remask", "insert", "delete"))}
    return {"content": torch.stack([_content(model, weights, vector) for vector in x])} | by_name


def _content(model: Encoder, weights: dict[str, Tensor], vector: Tensor) -> Tensor:
    scores = weights["content.weight"] @ vector + weights["content.bias"]
    logits = []
    for token, symbol in enumerate(model.vocab.symbols):
        score = sum(float(scores[model.vocab.atoms.index(atom)]) for atom in symbol.split("@"))
        logits.append(-math.inf if token in (PAD, MASK) else score)
    return torch.tensor(logits, dtype=vector.dtype)


def _normal(vector: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    centred = vector - vector.mean()
    return centred / (centred.square().mean() + 1e-5).sqrt() * weight + bias


def _mlp(vector: Tensor, layer: dict[str, Tensor]) -> Tensor:
    hidden = layer["up.weight"] @ _normal(vector, layer["norms.1.weight"], layer["norms.1.bias"]) + layer["up.bias"]
    gelu = hidden * (1 + torch.erf(hidden / math.sqrt(2))) / 2
    return layer["down.weight"] @ gelu + layer["down.bias"]


def _attend(model: Encoder, layer: dict[str, Tensor], x: list[Tensor], i: int, one: Sequence) -> Tensor:
    """What position i gathers: for every head a softmax over the positions that it may look at."""
    shape, matrix, places = model.shape, layer["attention.query_key_value.weight"], one.coordinates
    size = shape.width // shape.heads
    heads = []
    for head in range(shape.heads):
        query, key, value = (matrix[part * shape.width + head * size :][:size] for part in range(3))
        seen = [j for j in range(len(x)) if _sees(model, one, i, j)]
        scores = []
        for j in seen:
            a, b = query @ x[i], key @ x[j]
            if shape.rotary:
                a, b = _turned(a, _within(model, one, i)), _turned(b, _within(model, one, j))
            bias = 0.0
            if shape.relations and places is not None:
                pattern = _pattern(model, places[i].tolist(), places[j].tolist(), j < i)
                bias = float(layer["relations.bias"][pattern, head])
            longer = shape.trained_length and len(x) > shape.trained_length
            sharper = math.log(len(x)) / math.log(shape.trained_length) if longer else 1.0
            scores.append(math.exp((float(a @ b) / math.sqrt(size) + bias) * sharper))
        shares = (score / sum(scores) * (value @ x[j]) for score, j in zip(scores, seen, strict=True))
        heads.append(sum(shares, value.new_zeros(size)))
    return torch.cat(heads)


def _sees(model: Encoder, one: Sequence, i: int, j: int) -> bool:
    span = model.shape.span
    rules = {
        "full": True,
        "causal": j <= i,
        "written": j == i or (j < i and int(one.ids[j]) != MASK),
        "window": abs(i - j) <= span,
        "block": span and i // span == j // span,
    }
    return bool(rules[model.shape.attention])


def _within(model: Encoder, one: Sequence, position: int) -> int:
    if model.shape.attention == "written":
        return sum(token != MASK for token in one.ids[:position].tolist())
    return position % model.shape.span if model.shape.attention == "block" else position


def _turned(vector: Tensor, position: int) -> Tensor:
    """Each pair of neighbouring dimensions as a complex number, turned by position times its frequency."""
    turned = []
    for k in range(0, len(vector), 2):
        angle = position * 10_000.0 ** (-k / len(vector))
        number = complex(float(vector[k]), float(vector[k + 1])) * complex(math.cos(angle), math.sin(angle))
        turned += [number.real, number.imag]
    return torch.tensor(turned, dtype=vector.dtype)


def _pattern(model: Encoder, own: list[int], other: list[int], precedes: bool) -> int:
    holds = [
        precedes if relation == BEFORE else own[relation[0]] == other[relation[1]] and own[relation[0]] != NOWHERE
        for relation in model.shape.relations
    ]
    return sum(2**number for number, true in enumerate(holds) if true)
