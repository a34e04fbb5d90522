"""From arrays to weights: a policy as the library's own encoder, with every weight set by hand and none changed later.

Every bit has a dimension of the residual stream that holds +1 or -1, and a second one that holds the opposite. So every
position's vector has mean 0 and variance 1 at every layer, and layer normalisation is the identity. A bit starts as -1
and is written once. Between two thresholds GELU is 0 or the identity as far as float32 can tell, so a difference of two
units is an exact step. Attention scores count agreeing bits; the begin token is the sink, one unit below a full match.

Letters: w wire, the number of a bit; its dimensions are 2 w and 2 w + 1.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch

from apmdm.model.encoder import Encoder, Shape
from apmdm.theory import gates
from apmdm.theory.array import Array, Atoms, Attend, Bits, Broadcast, Choose, Constant, Lookup, Map, Place, Together
from apmdm.theory.evaluate import place
from apmdm.theory.gates import Sum, Unit, Wire
from apmdm.theory.policy import SURE, ArrayPolicy

MARGIN = 14.0
"""Nats between what an attention looks for and all else together."""
STEEPNESS = 64.0
"""Units change by this much from one whole number to the next: 16 on either side of a dead zone of a half."""
MAX_POSITIONS = 2**13
ONE, BEGIN = 0, 1
"""Wires: always 1, and 1 at the begin token only."""


@dataclass
class _Plan:
    """Which array lies on which wires, and which layer's attention or MLP computes it."""

    policy: ArrayPolicy
    wires: dict[Array, list[Wire]] = field(default_factory=dict)
    ready: dict[Array, int] = field(default_factory=dict)
    """0: before the first layer; 2 l + 1: after the attention of layer l; 2 l + 2: after its MLP."""
    num_wires: int = 2
    position: list[int] = field(default_factory=list)
    """The wires of the bits of the position, for attention to the rightmost."""

    def add(self, array: Array) -> None:
        """Plan an array and all that it needs."""
        if array in self.ready:
            return
        elementwise = not isinstance(array, Attend | Broadcast)
        needed = gates.inputs_of(array) if elementwise else list(array.inputs)
        for one in needed:
            self.add(one)
        before = max((self.ready[one] for one in needed), default=0)
        match array:
            case Constant(value=value):
                self.wires[array] = [bool(value >> bit & 1) for bit in range(array.bits)]
            case Bits(array=whole, low=low):
                self.wires[array] = self.wires[whole][low : low + array.bits]
            case Together(parts=parts):
                self.wires[array] = [wire for part in parts for wire in self.wires[part]]
            case Map(op="not"):
                self.wires[array] = [not wire if isinstance(wire, bool) else ~wire for wire in self.wires[needed[0]]]
            case _:
                self.wires[array] = list(self.new(array.bits))
                if needed:
                    before += 2 - before % 2 if elementwise else 1 + before % 2
        self.ready[array] = before

    def new(self, count: int) -> range:
        self.num_wires += count
        return range(self.num_wires - count, self.num_wires)

    def owns(self, array: Array) -> bool:
        """Whether its wires are its own: it is computed, and no other name for what is computed elsewhere."""
        return not isinstance(array, Bits | Together) and not (isinstance(array, Map) and array.op == "not")

    def sums(self, array: Array) -> list[Sum]:
        """An elementwise array as sums of threshold units."""
        if isinstance(array, Choose):
            cases = []
            for when, value in array.cases:
                taken = gates.inlined(value)
                cases.append((self.wires[when][0], self.sums(value) if taken else gates.same(self.wires[value])))
            return gates.chosen(cases)
        assert isinstance(array, Lookup | Map)
        return gates.of(array, [self.wires[one] for one in gates.inputs_of(array)])


def compile_policy(policy: ArrayPolicy, positions: int) -> Encoder:
    """An encoder that computes what the policy does, for sequences of at most so many positions.

    Raises ValueError for more positions than float32 was found to be exact for.
    """
    if positions > MAX_POSITIONS:
        raise ValueError(f"compiled weights are for at most {MAX_POSITIONS:,} positions, not {positions:,}")
    plan = _Plan(policy)
    for output in policy.outputs:
        plan.add(output)
    if any(array.rightmost for array in plan.ready if isinstance(array, Attend | Broadcast)):
        plan.position += plan.new((positions - 1).bit_length())
    num_layers = max(1, -(-max(plan.ready.values()) // 2))
    heads = [[_Head(plan, array, positions) for array in _at(plan, 2 * layer + 1)] for layer in range(num_layers)]
    sums = [_written(plan, _at(plan, 2 * layer + 2)) for layer in range(num_layers)]
    num_units = max(len({unit for _, total in layer for _, unit in total}) for layer in sums)
    num_heads = max(1, *map(len, heads))
    size = max(
        [
            -(-2 * plan.num_wires // num_heads),
            -(-num_units // 2 // num_heads),
            *(head.size for layer in heads for head in layer),
        ]
    )
    size += size * num_heads % 2
    shape = Shape(
        width=size * num_heads,
        layers=num_layers,
        heads=num_heads,
        attention="block" if policy.block else "full",
        span=policy.block,
        absolute=positions,
    )
    with torch.no_grad(), torch.device("cpu"):
        model = Encoder(policy.vocab, shape)
        for parameter in model.parameters():
            parameter.zero_()
        _set_start(model, plan)
        for layer, written, attended in zip(cast(Any, model.layers), sums, heads, strict=True):
            _set_attention(layer.attention, attended, size)
            _set_mlp(layer, written)
        _set_heads(model, plan)
    return model.eval()


def _at(plan: _Plan, stage: int) -> list[Array]:
    return [array for array, ready in plan.ready.items() if ready == stage and array.inputs and plan.owns(array)]


def _written(plan: _Plan, arrays: Sequence[Array]) -> list[tuple[int, Sum]]:
    return [(wire, total) for array in arrays for wire, total in zip(plan.wires[array], plan.sums(array), strict=True)]


def _set_start(model: Encoder, plan: _Plan) -> None:
    """Embeddings and positions: every bit is -1 but those that the token or the position set."""
    assert model.absolute is not None
    table = torch.full((len(model.absolute), model.shape.width // 2), -1.0)
    table[:, ONE] = 1.0
    table[0, BEGIN] = 1.0 if plan.policy.begin else -1.0
    bits = [(wire, torch.arange(len(table)) >> bit) for bit, wire in enumerate(plan.position)]
    for array in plan.ready:
        if isinstance(array, Place):
            numbers = torch.from_numpy(place(array, np.arange(len(table))))
            if plan.policy.begin:
                numbers[0] = 0
            bits += [(wire, numbers >> bit) for bit, wire in enumerate(plan.wires[array])]
        if isinstance(array, Atoms):
            for name, wire in zip(array.names, plan.wires[array], strict=True):
                row = model.embedding[model.vocab.atoms.index(name)]
                row[2 * wire], row[2 * wire + 1] = 2.0, -2.0
    for wire, numbers in bits:
        table[:, wire] = 2.0 * (numbers & 1) - 1
    model.absolute.copy_(torch.stack((table, -table), -1).flatten(1))
    blocks: Any = model.layers
    for norm in [*(norm for block in blocks for norm in block.norms), model.norm]:
        norm.weight.fill_(math.sqrt(1 + norm.eps))


Row = dict[int, float]
"""A linear form: weights by wire."""


class _Head:
    """An attention as the rows of its query, key and value maps, and the wires that the values go to."""

    def __init__(self, plan: _Plan, array: Array, positions: int) -> None:
        assert isinstance(array, Attend | Broadcast)
        self.query: list[Row] = []
        self.key: list[Row] = []
        self.targets, self.values, begin = plan.wires[array], [], plan.policy.begin
        nats = math.log(positions) + MARGIN
        self.unit = nats * 2 ** len(plan.position) if array.rightmost else nats
        value, where = array.inputs[-2:]
        at_begin: Row = {ONE: 0.5, BEGIN: 0.5} if begin and isinstance(array, Attend) else {}
        pairs: list[tuple[Wire, Wire]] = [(True, wire) for wire in plan.wires[where]]
        if isinstance(array, Attend):
            pairs += zip(plan.wires[array.query], plan.wires[array.key], strict=True)
        for query, key in pairs:
            self._match(_sign(query, False), _sum(_sign(key, begin), at_begin))
        if at_begin:
            self._match({ONE: len(pairs) - 1.0}, at_begin)
            self._match({ONE: 1.0, BEGIN: 1.0}, at_begin)
        if array.rightmost:
            self._match({ONE: nats / self.unit}, _sum(*({w: 2**bit / 2} for bit, w in enumerate(plan.position))))
        self.values = [_sum(_sign(wire, begin), {ONE: 1.0}) for wire in plan.wires[value]]
        self.size = max(len(self.query), len(self.values))

    def _match(self, query: Row, key: Row) -> None:
        self.query.append({wire: weight * self.unit for wire, weight in query.items()})
        self.key.append(key)


def _sign(wire: Wire, zero_at_begin: bool) -> Row:
    """+1 where a bit is 1 and -1 where it is 0. At the begin token what is read is 0, opposites and constants too."""
    positive = wire if isinstance(wire, bool) else wire < 0
    row = {ONE: 1.0 if wire else -1.0} if isinstance(wire, bool) else {~wire: -1.0} if positive else {wire: 1.0}
    return _sum(row, {ONE: -1.0, BEGIN: -1.0}) if positive and zero_at_begin else row


def _sum(*rows: Row) -> Row:
    return {wire: sum(row.get(wire, 0.0) for row in rows) for row in rows for wire in row}


def _set_attention(attention: Any, heads: Sequence[_Head], size: int) -> None:
    width = attention.out.weight.shape[0]
    for number, head in enumerate(heads):
        for part, rows in enumerate((head.query, head.key, head.values)):
            scale = math.sqrt(size) if part == 0 else 1.0
            for row, weights in enumerate(rows):
                for wire, weight in weights.items():
                    attention.query_key_value.weight[part * width + number * size + row, 2 * wire] = weight * scale
        for row, wire in enumerate(head.targets):
            attention.out.weight[2 * wire, number * size + row] = 1.0
            attention.out.weight[2 * wire + 1, number * size + row] = -1.0


def _set_mlp(layer: Any, written: Sequence[tuple[int, Sum]]) -> None:
    """Two hidden neurons a unit, whose difference is a step of height STEEPNESS / 2."""
    neurons: dict[Unit, int] = {}
    for wire, total in written:
        for coefficient, unit in total:
            neuron = neurons.setdefault(unit, 2 * len(neurons))
            for sign, hidden in ((1, neuron), (-1, neuron + 1)):
                amount = 4 * sign * coefficient / STEEPNESS
                layer.down.weight[2 * wire, hidden] += amount
                layer.down.weight[2 * wire + 1, hidden] -= amount
    for unit, neuron in neurons.items():
        weights = [*unit.weights, (BEGIN, -unit.slack)]
        for edge, hidden in ((0.25, neuron), (-0.25, neuron + 1)):
            for wire, weight in weights:
                layer.up.weight[hidden, 2 * wire] = STEEPNESS * weight / 2
            half = sum(weight for _, weight in weights) / 2
            layer.up.bias[hidden] = STEEPNESS * (half - unit.least + 0.5 + edge)


def _set_heads(model: Encoder, plan: _Plan) -> None:
    policy, controls = plan.policy, ("remask", "insert", "delete")
    rows: dict[str, tuple[Any, Any, int]] = {
        name: (model.content.weight, model.content.bias, row) for row, name in enumerate(model.vocab.atoms)
    } | {name: (model.controls.weight, model.controls.bias, row) for row, name in enumerate(controls)}
    for _, bias, row in rows.values():
        bias[row] = -SURE
    for name, bit, amount in (
        *((name, bit, 2 * SURE) for name, bit in {**policy.content, **policy.controls}.items()),
        *policy.chances,
    ):
        weight, bias, row = rows[name]
        bias[row] += amount / 2
        for wire, sign in _sign(plan.wires[bit][0], policy.begin).items():
            weight[row, 2 * wire] += sign * amount / 2
