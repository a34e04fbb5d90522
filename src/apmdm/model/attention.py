"""Self-attention: who may look at whom, and how positions and coordinates weigh in.

Letters: B batch, L length, H heads, D width per head, A coordinate axes, R relations.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from apmdm.state import NOWHERE, State

STARTING_BIAS = 4.0


class Relations(nn.Module):
    """One learned bias per head for each pattern of equal coordinates between two positions.

    A relation (a, b) holds between positions i and j if coordinate a of i equals coordinate b of j and
    is not NOWHERE; R relations have 2^R patterns, twice as many if it is told as well whether j precedes i. Head h
    starts with a preference for relation h, if there is one, so that rows, columns and boxes need not be discovered.
    """

    def __init__(self, relations: Seq[Seq[int]], ordered: bool, heads: int) -> None:
        super().__init__()
        bias = torch.zeros(2 ** (len(relations) + ordered), heads)
        for number in range(min(len(relations), heads)):
            holds = torch.arange(len(bias)) // 2**number % 2 == 1
            bias[holds, number] = STARTING_BIAS
        self.bias = nn.Parameter(bias)

    def forward(self, patterns: Int[Tensor, "B L L"]) -> Float[Tensor, "B H L L"]:
        return nn.functional.embedding(patterns, self.bias).permute(0, 3, 1, 2)


def patterns(coordinates: Int[Tensor, "B L A"], relations: Seq[Seq[int]], ordered: bool) -> Int[Tensor, "#B L L"]:
    """For each pair (i, j) the sum of 2^r over the relations r that hold; one row if all rows agree.

    If ordered, 2^R is added where j precedes i.
    """
    if bool((coordinates == coordinates[:1]).all()):
        coordinates = coordinates[:1]
    rows, length, _ = coordinates.shape
    pattern = coordinates.new_zeros(rows, length, length)
    for number, (a, b) in enumerate(relations):
        own, other = coordinates[:, :, None, a], coordinates[:, None, :, b]
        pattern += 2**number * ((own == other) & (own != NOWHERE))
    if ordered:
        pattern += 2 ** len(relations) * torch.ones_like(pattern).tril(-1)
    return pattern


def allowed(state: State, attention: str, span: int) -> Bool[Tensor, "#B #L L"] | None:
    """True where position i may look at position j; None if every position may look at every other."""
    length = state.ids.shape[1]
    here = torch.arange(length, device=state.ids.device)
    offset = here[None, :] - here[:, None]
    mask = None
    if attention == "causal":
        mask = (offset <= 0)[None]
    if attention == "window":
        mask = (offset.abs() <= span)[None]
    if bool((state.lengths < length).any()):
        real = state.valid[:, None, :]
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
    """Multi-head softmax attention with an additive bias [B or 1, H or 1, L, L] or None.

    With a past, queries are the positions `past.at` and keys all of it: the bias is [B, 1, L, W].
    """

    def __init__(self, width: int, heads: int, rotary: bool) -> None:
        super().__init__()
        self.heads, self.rotary = heads, rotary
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)

    def forward(
        self, x: Float[Tensor, "B L width"], bias: Float[Tensor, "..."] | None, past: Past | None = None
    ) -> Float[Tensor, "B L width"]:
        rows, length, width = x.shape
        split = self.query_key_value(x).view(rows, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        if self.rotary:
            at = torch.arange(length, device=x.device) if past is None else past.at[:, None]
            query, key = rotate(query, at), rotate(key, at)
        if past is not None:
            key, value = past.extended(key, value)
        score = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2)
        if bias is not None:
            score = score + bias
        return self.out((score.softmax(-1) @ value).transpose(1, 2).reshape(rows, length, width))
