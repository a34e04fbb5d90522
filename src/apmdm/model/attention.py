"""Self-attention: who may look at whom, and how positions and coordinates weigh in.

Letters: B batch, L length, H heads, D width per head, A coordinate axes, R relations; K positions that each position
may look at: all L, or in window attention the 2 span + 1 around it, so that it costs O(L).
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from apmdm.state import NOWHERE, State

STARTING_BIAS = 4.0
BEFORE = "before"
Relation = Seq[int] | Literal["before"]


class Relations(nn.Module):
    """One learned bias per head for each pattern of equal coordinates between two positions.

    A relation (a, b) holds between positions i and j if coordinate a of i equals coordinate b of j and is not NOWHERE,
    the relation BEFORE if j precedes i; R relations have 2^R patterns. Head h starts with a preference for relation h,
    if that is one of coordinates, so that rows, columns and boxes need not be discovered.
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
        """Before training: a head that prefers a relation avoids everything else."""
        self.bias[(self.bias == 0) & (self.bias > 0).any(0)] = -STARTING_BIAS

    def forward(self, patterns: Int[Tensor, "B L K"]) -> Float[Tensor, "B H L K"]:
        return nn.functional.embedding(patterns, self.bias).permute(0, 3, 1, 2)


def seen(state: State, attention: str, span: int) -> Int[Tensor, "#L K"]:
    """The positions that each position looks at; a window may reach below 0 or beyond the length."""
    here = torch.arange(state.ids.shape[1], device=state.ids.device)
    if attention != "window":
        return here[None]
    return here[:, None] + torch.arange(-span, span + 1, device=here.device)


def patterns(
    coordinates: Int[Tensor, "B L A"], seen: Int[Tensor, "#L K"], relations: Seq[Relation]
) -> Int[Tensor, "#B L K"]:
    """For each pair (i, j) the sum of 2^r over the relations r that hold; one row if all rows agree."""
    if bool((coordinates == coordinates[:1]).all()):
        coordinates = coordinates[:1]
    rows, length, _ = coordinates.shape
    others = coordinates[:, seen.clamp(0, length - 1)]
    pattern = coordinates.new_zeros(rows, length, seen.shape[1], dtype=torch.int)
    for number, relation in enumerate(relations):
        if relation == BEFORE:
            holds = seen < torch.arange(length, device=seen.device)[:, None]
        else:
            own, other = coordinates[:, :, None, relation[0]], others[..., relation[1]]
            holds = (own == other) & (own != NOWHERE)
        pattern += holds.int() << number
    return pattern


def allowed(state: State, seen: Int[Tensor, "#L K"], attention: str) -> Bool[Tensor, "#B #L K"] | None:
    """True where position i may look at position j of those seen; None if at every one."""
    length = state.ids.shape[1]
    mask = None
    if attention == "causal":
        mask = (seen <= torch.arange(length, device=seen.device)[:, None])[None]
    if attention == "window":
        mask = ((seen >= 0) & (seen < length))[None]
    if bool((state.lengths < length).any()):
        real = seen < state.lengths[:, None, None]
        mask = real if mask is None else mask & real
    return mask


def rotate(x: Float[Tensor, "B H L D"], at: Int[Tensor, "*#B L"], base: float = 10_000.0) -> Float[Tensor, "B H L D"]:
    """Rotary position embedding (arXiv 2104.09864): pairs of dimensions turned by an angle that grows with `at`."""
    frequency = base ** (-torch.arange(0, x.shape[-1], 2, device=x.device) / x.shape[-1])
    angle = at[..., None] * frequency
    even, odd = x[..., 0::2], x[..., 1::2]
    cos, sin = angle.cos().to(x.dtype), angle.sin().to(x.dtype)
    return torch.stack((even * cos - odd * sin, even * sin + odd * cos), -1).flatten(-2)


@dataclass(frozen=True)
class Sight:
    """How positions see each other, whatever their tokens: which ones each looks at (None: all of a past), the pattern
    of relations to them, minus infinity where it may not look, and by how much scores are sharper than in training.
    """

    looked_at: Int[Tensor, "#L K"] | None = None
    pattern: Int[Tensor, "#B L K"] | None = None
    forbidden: Float[Tensor, "#B 1 #L K"] | None = None
    sharper: Float[Tensor, "B 1 1 1"] | None = None


@dataclass(frozen=True)
class Past:
    """One layer's keys and values at W positions, of which only those `at` are computed anew."""

    at: Int[Tensor, "B L"]
    keys: Float[Tensor, "B H W D"]
    values: Float[Tensor, "B H W D"]

    def extended(self, key: Float[Tensor, "B H L D"], value: Float[Tensor, "B H L D"]) -> tuple[Tensor, Tensor]:
        """Writes the new ones in place and returns all."""
        where = self.at[:, None, :, None].expand_as(key)
        return self.keys.scatter_(2, where, key), self.values.scatter_(2, where, value)


class Attention(nn.Module):
    """Multi-head softmax attention with an additive bias [B or 1, H or 1, L, K] or None; products of queries and keys
    are multiplied by `sharper`.

    With a past, queries are the positions `past.at` and keys all of it: the bias is [B, 1, L, W].
    """

    def __init__(self, width: int, heads: int, rotary: bool) -> None:
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self,
        x: Float[Tensor, "B L width"],
        seen: Int[Tensor, "#L K"] | None,
        bias: Float[Tensor, "..."] | None,
        sharper: Float[Tensor, "B 1 1 1"] | None = None,
        past: Past | None = None,
    ) -> Float[Tensor, "B L width"]:
        rows, length, width = x.shape
        split = self.query_key_value(x).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        if sharper is not None:
            query = query * sharper
        if self.rotary:
            at = torch.arange(length, device=x.device) if past is None else past.at[:, None]
            query, key = rotate(query, at), rotate(key, at)
        if past is not None:
            key, value = past.extended(key, value)
        windowed = False
        if seen is not None and seen.shape != (1, length):
            windowed = True
            within = seen.clamp(0, length - 1)
            query, key, value = query.unsqueeze(-2), key[:, :, within], value[:, :, within]
        score = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if bias is not None:
            score = score + (bias.unsqueeze(-2) if windowed else bias)
        mixed = (score.softmax(-1) @ value).view(rows, self.heads, length, width // self.heads)
        return self.out(mixed.transpose(1, 2).reshape(rows, length, width))
