"""Self-attention: which positions attend to which others, and how places and coordinates bias it.

Letters: B batch, L length, H heads, D width per head, A coordinate axes, R relations. K is the number of positions that
each position is compared with: all L, or in window attention on long sequences the 2 span + 1 around it, so that it
costs O(L).
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Any, Literal

import torch
from jaxtyping import Bool, Complex, Float, Int
from torch import Tensor, nn

from apmdm.state import NOWHERE, State
from apmdm.vocab import PAD

STARTING_BIAS = 4.0
BEFORE = "before"
RANK = 2
"""Of the matrix that a condition adds to one of a layer."""
NEAR, FURTHEST = 2**12, 2**40
"""Angles of rotary positions up to FURTHEST are as exact as those up to NEAR (see turns)."""
WINDOWS = 16
"""In window attention all positions of a sequence are compared if it is at most so many windows long: to gather the
keys of each position would cost more."""
Relation = Seq[int] | Literal["before"]


class Relations(nn.Module):
    """One learned attention bias for each head and each combination of relations between two positions.

    A relation (a, b) holds between positions i and j if coordinate a of i equals coordinate b of j and is not NOWHERE.
    The relation BEFORE holds if j precedes i. R relations have 2^R combinations. If relation h is a pair of
    coordinates, head h starts with a preference for it, so that it need not discover rows, columns and boxes.
    """

    def __init__(self, relations: Seq[Relation], heads: int) -> None:
        super().__init__()
        bias = torch.zeros(2 ** len(relations), heads)
        for number, relation in enumerate(relations[:heads]):
            if relation != BEFORE:
                holds = torch.arange(len(bias)) // 2**number % 2 == 1
                bias[holds, number] = STARTING_BIAS
        self.bias = nn.Parameter(bias)

    @torch.no_grad()
    def start_apart(self) -> None:
        """Called before training, makes each head that prefers a relation avoid all other positions."""
        self.bias[(self.bias == 0) & (self.bias > 0).any(0)] = -STARTING_BIAS

    def forward(self, combinations: Int[Tensor, "B L K"]) -> Float[Tensor, "B H L K"]:
        return _Looked.apply(self.bias, combinations)


class _Looked(torch.autograd.Function):
    """Rows of a small table, heads first. An embedding's gradient takes twice as long, and looks up another layout."""

    @staticmethod
    def forward(ctx: Any, table: Float[Tensor, "rows H"], chosen: Int[Tensor, "B L K"]) -> Float[Tensor, "B H L K"]:
        ctx.rows = len(table)
        ctx.save_for_backward(chosen)
        return (
            table.T.contiguous().index_select(1, chosen.flatten()).view(table.shape[1], *chosen.shape).transpose(0, 1)
        )

    @staticmethod
    def backward(ctx: Any, *gradients: Float[Tensor, "B H L K"]) -> tuple[Float[Tensor, "rows H"], None]:
        (gradient,), (chosen,) = gradients, ctx.saved_tensors
        heads = gradient.shape[1]
        entries = chosen[:, None] * heads + torch.arange(heads, dtype=chosen.dtype, device=chosen.device)[:, None, None]
        sums = torch.bincount(entries.flatten(), gradient.flatten(), ctx.rows * heads)
        return sums.view(ctx.rows, heads).to(gradient.dtype), None


def num_compared(length: int, attention: str, span: int) -> int:
    """K, the number of positions that each position is compared with."""
    window = 2 * span + 1
    return window if attention == "window" and length > WINDOWS * window else length


def key_positions(state: State, attention: str, span: int) -> Int[Tensor, "#L K"]:
    """The positions that each position is compared with. A window may reach below 0 or beyond the length."""
    length = state.ids.shape[1]
    here = torch.arange(length, device=state.ids.device)
    if num_compared(length, attention, span) == length:
        return here[None]
    return here[:, None] + torch.arange(-span, span + 1, device=here.device)


def relation_patterns(
    coordinates: Int[Tensor, "B L A"], keys: Int[Tensor, "#L K"], relations: Seq[Relation]
) -> Int[Tensor, "B L K"]:
    """Which relations hold from each position to each of its keys: the sum of 2^r over those relations r."""
    here = torch.arange(coordinates.shape[1], device=keys.device)
    others = coordinates[:, keys.clamp(0, len(here) - 1)]
    return relations_between(coordinates, others, (keys < here[:, None])[None], relations)


def relations_between(
    own: Int[Tensor, "B L A"],
    others: Int[Tensor, "B #L K A"],
    before: Bool[Tensor, "#B L K"],
    relations: Seq[Relation],
) -> Int[Tensor, "B L K"]:
    """The same from the coordinates of positions and of their keys. before: whether a key precedes its position."""
    pattern = torch.zeros(*own.shape[:2], others.shape[2], dtype=torch.int, device=own.device)
    for number, relation in enumerate(relations):
        if relation == BEFORE:
            holds = before
        else:
            mine, other = own[:, :, None, relation[0]], others[..., relation[1]]
            holds = (mine == other) & (mine != NOWHERE)
        pattern += holds.int() << number
    return pattern


def allowed(state: State, keys: Int[Tensor, "#L K"], attention: str, span: int) -> Bool[Tensor, "#B #L K"] | None:
    """True where a position may attend to one of its keys. None means that it may everywhere.

    In window attention a row may also have PAD among its tokens, which nothing sees.
    """
    length, mask = state.ids.shape[1], None
    here = torch.arange(length, device=keys.device)[:, None]
    if attention == "window":
        there = state.valid & (state.ids != PAD)
        within = (keys >= 0) & (keys < length) & ((keys - here).abs() <= span)
        return within & there[:, keys.clamp(0, max(0, length - 1))]
    if attention == "causal":
        mask = (keys <= here)[None]
    if attention == "written":
        mask = ((keys < here) & ~state.masked[:, None]) | (keys == here)
    if not state.full:
        real = keys < state.lengths[:, None, None]
        mask = real if mask is None else mask & real
    return mask


def numbered(state: State, attention: str) -> Int[Tensor, "#B 1 L"]:
    """The number of each position. In written attention only tokens that are no MASK count."""
    if attention != "written":
        return torch.arange(state.ids.shape[1], device=state.ids.device)[None, None]
    written = (~state.masked).long()
    return (written.cumsum(1) - written)[:, None]


def turns(at: Int[Tensor, "... L"], size: int, base: float = 10_000.0) -> Complex[Tensor, "... L half"]:
    """Complex numbers of length 1 whose angles are proportional to `at`, one for two of `size` dimensions.

    In float32 an angle is off by up to 2^-24 of its size. So only the angle within a stretch of NEAR positions is, and
    the one up to the stretch is in float64.
    """
    frequency = base ** (-torch.arange(0, size, 2, device=at.device) / size)
    near, far = (at % NEAR)[..., None] * frequency, (at - at % NEAR)[..., None] * frequency.double()
    return torch.complex(near.cos(), near.sin()) * torch.complex(far.cos(), far.sin()).to(torch.complex64)


def rotate(x: Float[Tensor, "... L D"], by: Complex[Tensor, "... L half"]) -> Float[Tensor, "... L D"]:
    """Rotary position embedding (arXiv 2104.09864): two dimensions are one complex number, which is turned."""
    turned = torch.view_as_complex(x.float().unflatten(-1, (-1, 2))) * by
    return torch.view_as_real(turned).flatten(-2).to(x.dtype)


@dataclass(frozen=True)
class AttentionPattern:
    """How the positions of a state attend to one another. Of its tokens only MASKs matter, and in written attention.

    key_positions: the positions that each position attends to, None for all of a Past.
    relations: which relations hold to each of them (see relation_patterns).
    forbidden: a bias that is hugely negative where a position may not attend, and 0 elsewhere.
    score_scale: a factor of every row's attention scores, for sequences longer than in training.
    at: the number of each position, None for those of a Past. turns: what rotary positions are turned by (see turns).
    """

    key_positions: Int[Tensor, "#L K"] | None = None
    relations: Int[Tensor, "#B L K"] | None = None
    forbidden: Float[Tensor, "#B 1 #L K"] | None = None
    score_scale: Float[Tensor, "B 1 1 1"] | None = None
    at: Int[Tensor, "#B 1 L"] | None = None
    turns: Complex[Tensor, "#B 1 L half"] | None = None


@dataclass(frozen=True)
class Past:
    """The keys and values of one layer at W positions. Only those at the positions `at` are computed anew."""

    at: Int[Tensor, "B L"]
    keys: Float[Tensor, "B H W D"]
    values: Float[Tensor, "B H W D"]

    def extended(self, key: Float[Tensor, "B H L D"], value: Float[Tensor, "B H L D"]) -> tuple[Tensor, Tensor]:
        """Writes the new keys and values in place and returns all of them."""
        where = self.at[:, None, :, None].expand_as(key)
        return self.keys.scatter_(2, where, key), self.values.scatter_(2, where, value)


class ConditionalLinear(nn.Linear):
    """A linear map to whose matrix each of some conditions adds one of low rank (LoRA, arXiv 2106.09685).

    A forward pass is told the condition of each row, 0 for none; without conditions it is not.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True, conditions: int = 0) -> None:
        super().__init__(inputs, outputs, bias)
        self.narrow = self.widen = None
        if conditions:
            self.narrow = nn.Parameter(inputs**-0.5 * torch.randn(1 + conditions, inputs, RANK))
            self.widen = nn.Parameter(torch.zeros(1 + conditions, RANK, outputs))

    def forward(self, input: Float[Tensor, "B L inputs"], condition: Int[Tensor, "B"] | None = None) -> Tensor:
        y = super().forward(input)
        if self.narrow is None or self.widen is None or condition is None:
            return y
        return y + input @ self.narrow[condition] @ self.widen[condition]


class Attention(nn.Module):
    """Multi-head softmax attention with an additive bias [B or 1, H or 1, L, K] or None.

    Scores of queries and keys are multiplied by `score_scale` before the bias is added. With a past, the queries are at
    the positions `past.at`, the keys are all of the past, and the bias is [B, 1, L, W].
    """

    def __init__(self, width: int, heads: int, conditions: int = 0) -> None:
        super().__init__()
        self.heads = heads
        self.query_key_value = ConditionalLinear(width, 3 * width, False, conditions)
        self.out = ConditionalLinear(width, width, False, conditions)

    def forward(
        self,
        x: Float[Tensor, "B L width"],
        keys: Int[Tensor, "#L K"] | None,
        bias: Float[Tensor, "..."] | None,
        score_scale: Float[Tensor, "B 1 1 1"] | None = None,
        past: Past | None = None,
        turns: Complex[Tensor, "#B 1 L half"] | None = None,
        condition: Int[Tensor, "B"] | None = None,
    ) -> Float[Tensor, "B L width"]:
        rows, length, width = x.shape
        split = self.query_key_value(x, condition).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        if score_scale is not None:
            query = query * score_scale
        if turns is not None:
            query, key = rotate(torch.stack((query, key)), turns)
        if past is not None:
            key, value = past.extended(key, value)
        windowed = False
        if keys is not None and keys.shape != (1, length):
            windowed = True
            within = keys.clamp(0, length - 1)
            query, key, value = query.unsqueeze(-2), key[:, :, within], value[:, :, within]
        score = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if bias is not None:
            score = score + (bias.unsqueeze(-2) if windowed else bias)
        mixed = (score.softmax(-1) @ value).view(rows, self.heads, length, width // self.heads)
        return self.out(mixed.transpose(1, 2).reshape(rows, length, width), condition)
