"""The encoder-only Transformer with a content head and three linear control heads.

Letters: B batch, L length, V vocabulary.
"""

import math
from collections.abc import Sequence as Seq
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, NoReturn, get_args

import torch
from huggingface_hub import ModelCard, PyTorchModelHubMixin
from jaxtyping import Bool, Complex, Float, Int
from safetensors.torch import save_file
from torch import Tensor, nn

from apmdm.card import card
from apmdm.file_mode import usual_mode
from apmdm.model.attention import (
    BEFORE,
    RANK,
    Attention,
    AttentionPattern,
    ConditionalLinear,
    Past,
    Relation,
    Relations,
    allowed,
    key_positions,
    num_compared,
    numbered,
    relation_patterns,
    relations_between,
    turns,
)
from apmdm.model.packing import packed, unpack
from apmdm.prediction import Prediction, concatenate_rows
from apmdm.state import NOWHERE, Known, State
from apmdm.vocab import MASK, PAD, Vocab

Kind = Literal["full", "causal", "written", "window", "block"]
INITIAL_SPREAD = 0.05
PER_ATOM = "embedding", "content.weight", "content.bias"
"""What has a row for each atom of the vocabulary."""
SCORES = 2**21
"""The most attention scores that a CPU computes at once without gradients. More are slower (docs/log.md)."""
MAX_SPAN = 2**20


@dataclass(frozen=True)
class Shape:
    """The size of an encoder, and how its positions attend to one another.

    width, layers, heads: the size. Each head has width / heads dimensions.
    attention: full, causal, written (causal, and MASKs are seen by none but themselves and take no position), window
    (`span` positions to either side) or block (separate blocks of `span` positions).
    rotary: whether queries and keys are rotated by their positions.
    absolute: the number of positions that have a learned vector each, 0 for none.
    relations: pairs of coordinates that may be equal between two positions, and "before", which holds if the other
    position comes first. Each combination of relations has a learned bias.
    trained_length: in longer sequences attention scores are multiplied by log(length) / log(trained_length), so that
    softmax over more positions stays as sharp (arXiv 2202.12172). 0 turns this off.
    """

    width: int = 64
    layers: int = 5
    heads: int = 4
    attention: Kind = "full"
    span: int = 0
    rotary: bool = False
    absolute: int = 0
    relations: Seq[Relation] = ()
    trained_length: int = 0

    def __post_init__(self) -> None:
        relations = tuple(one if one == BEFORE else tuple(one) for one in self.relations)
        object.__setattr__(self, "relations", relations)
        if self.layers < 1:
            raise ValueError(f"layers are at least 1, not {self.layers}")
        if min(self.width, self.heads) < 1 or self.width % self.heads:
            raise ValueError(f"width {self.width} must be a positive multiple of heads {self.heads}")
        if self.rotary and self.width // self.heads % 2:
            raise ValueError(f"rotary positions need an even width per head, not {self.width // self.heads}")
        if self.attention not in get_args(Kind):
            raise ValueError(f"attention is one of {', '.join(get_args(Kind))}, not {self.attention!r}")
        if not 0 <= self.span <= MAX_SPAN:
            raise ValueError(f"span is 0 to {MAX_SPAN}, not {self.span}")
        if self.attention in ("window", "block") and self.span < 1:
            raise ValueError(f"{self.attention} attention needs a span of at least 1")
        if self.relations and not self.axes:
            raise ValueError(f"relations tell apart {BEFORE!r} only beside pairs of coordinates")
        if self.trained_length and (self.trained_length < 2 or self.attention != "full"):
            raise ValueError(
                f"trained_length is at least 2 and for full attention, not {self.trained_length} for {self.attention}"
            )
        if self.absolute < 0 or any(len(pair) != 2 or min(pair) < 0 for pair in self.pairs):
            raise ValueError(
                "absolute positions and the two axes of relations are not negative, "
                f"got {self.absolute} and {self.relations}"
            )

    @property
    def pairs(self) -> list[Seq[int]]:
        return [one for one in self.relations if one != BEFORE]

    @property
    def axes(self) -> int:
        """The number of coordinates that a position needs for the relations."""
        return 1 + max(map(max, self.pairs), default=-1)

    @property
    def local(self) -> bool:
        """Whether what is said at a position depends only on tokens that are near it, and not on where it is."""
        return self.attention == "block" or (self.attention == "window" and not self.absolute)


class Dropout(nn.Dropout):
    """Hides the same dimensions at all positions of a sequence (arXiv 1512.05287), which costs next to nothing."""

    def forward(self, input: Float[Tensor, "B L D"]) -> Float[Tensor, "B L D"]:
        if not self.training or not self.p:
            return input
        return input * super().forward(input.new_ones(len(input), 1, input.shape[-1]))


class Layer(nn.Module):
    """Attention and a two-layer perceptron, each on normalized input and added to it (pre-norm)."""

    def __init__(self, shape: Shape, conditions: int = 0) -> None:
        super().__init__()
        width = shape.width
        linear = partial(ConditionalLinear, conditions=conditions)
        self.attention = Attention(width, shape.heads, conditions)
        self.relations = Relations(shape.relations, shape.heads) if shape.relations else None
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(2))
        self.up, self.down = linear(width, 4 * width), linear(4 * width, width)
        self.dropout = Dropout(0.0)

    def forward(
        self,
        x: Float[Tensor, "B L width"],
        pattern: AttentionPattern,
        past: Past | None = None,
        condition: Int[Tensor, "B"] | None = None,
    ) -> Float[Tensor, "B L width"]:
        bias = pattern.forbidden
        if self.relations is not None and pattern.relations is not None:
            bias = self.relations(pattern.relations)
            bias = bias if pattern.score_scale is None else bias * pattern.score_scale
            bias = bias if pattern.forbidden is None else bias + pattern.forbidden
        seen = pattern.key_positions, bias, pattern.score_scale, past, pattern.turns
        x = x + self.dropout(self.attention(self.norms[0](x), *seen, condition))
        hidden = self.dropout(nn.functional.gelu(self.up(self.norms[1](x), condition)))
        return x + self.dropout(self.down(hidden, condition))


class Encoder(nn.Module, PyTorchModelHubMixin, library_name="apmdm"):
    """A Transformer that maps a State to a Prediction. Predictions do not depend on padding.

    hints and conclusions are used in training alone (see Hints). A linear head reads `hints` bits for each position off
    the middle layer, and another one `conclusions` bits off the layer after it.

    conditions: tokens such as the languages of a model of many. In a sequence that holds one of them, a matrix of its
    own, of rank RANK, is added to every matrix of the layers.

    save_pretrained writes model.safetensors (of a matrix that is mostly zero, only the other entries), config.json
    (vocabulary and shape) and a model card. from_pretrained reads the first two and executes nothing.

    manifest: how the weights were made, for the card; empty if that is not known.
    """

    atoms: Tensor
    first_atom: Tensor
    never: Tensor
    condition_of: Tensor
    conditions: tuple[str, ...] = ()

    def __init__(
        self, vocab: Vocab, shape: Shape, hints: int = 0, conclusions: int = 0, conditions: Seq[str] = ()
    ) -> None:
        super().__init__()
        self._begin(vocab, shape)
        if conditions and shape.attention in ("window", "block"):
            raise ValueError(f"conditions are seen from everywhere, not by {shape.attention} attention")
        self.conditions = tuple(conditions)
        numbers = torch.zeros(len(vocab), dtype=torch.long)
        numbers[vocab.encode(conditions)] = 1 + torch.arange(len(conditions))
        self.register_buffer("condition_of", numbers, persistent=False)
        composition = vocab.composition
        counts = composition.count_nonzero(1)
        self.register_buffer("atoms", composition.nonzero()[:, 1], persistent=False)
        self.register_buffer("first_atom", counts.cumsum(0) - counts, persistent=False)
        atoms = len(vocab.atoms)
        self.embedding = nn.Parameter(0.3 * torch.randn(atoms, shape.width))
        self.absolute = nn.Parameter(0.1 * sinusoids(shape.absolute, shape.width)) if shape.absolute else None
        self.layers = nn.ModuleList(Layer(shape, len(self.conditions)) for _ in range(shape.layers))
        self.norm, self.dropout = nn.LayerNorm(shape.width), Dropout(0.0)
        self.content = nn.Linear(shape.width, atoms)
        self.controls = nn.Linear(shape.width, 3)
        self.hints = nn.Linear(shape.width, hints) if hints else None
        self.conclusions = nn.Linear(shape.width, conclusions) if conclusions else None
        for name, parameter in self.named_parameters():
            if name.endswith("weight") and parameter.ndim == 2:
                nn.init.normal_(parameter, std=INITIAL_SPREAD)

    def _begin(self, vocab: Vocab, shape: Shape) -> None:
        self.vocab, self.shape = vocab, shape
        self.manifest = dict[str, Any]()
        never = torch.zeros(len(vocab)).index_fill(0, torch.tensor([PAD, MASK]), -torch.inf)
        self.register_buffer("never", never, persistent=False)
        self.register_load_state_dict_pre_hook(unpack)

    def generate_model_card(self, *_: Any, **about: Any) -> ModelCard:
        """The card that save_pretrained writes; `about`, its model_card_kwargs, is what the manifest does not tell."""
        known = {"parameters": self.num_parameters(), "settings": {"shape": asdict(self.shape)}}
        return ModelCard(card(known | about | self.manifest))

    def _save_pretrained(self, save_directory: Path) -> None:
        path = save_directory / "model.safetensors"
        with usual_mode(path):
            save_file(packed(self.state_dict()), path, {"format": "pt"})

    @classmethod
    def _from_pretrained(cls, *, strict: bool = True, **options: Any) -> "Encoder":
        return super()._from_pretrained(strict=strict, **options)

    @classmethod
    def _load_as_pickle(cls, model: Any, model_file: str, map_location: str, strict: bool) -> NoReturn:
        raise ValueError("weights are read from model.safetensors only, never from a pickle")

    def num_parameters(self) -> int:
        return sum(parameter.numel() for parameter in self.parameters())

    def multiply_adds(self, length: int) -> int:
        """The number of multiply-adds in the matrix products of one decoding step on one sequence of this length."""
        shape, rank = self.shape, RANK * bool(self.conditions)
        blocks = -(-length // shape.span) if shape.attention == "block" else 1
        positions = length if blocks == 1 else shape.span
        compared = num_compared(positions, shape.attention, shape.span)
        layer = (12 * shape.width + 16 * rank) * shape.width * positions + 2 * shape.width * positions * compared
        heads = shape.width * (len(self.vocab) + 3) * positions
        hints = sum(head.weight.numel() for head in (self.hints, self.conclusions) if head) * positions
        return blocks * (shape.layers * layer + heads + hints)

    def forward(self, state: State) -> Prediction:
        if self.shape.attention != "block":
            return self._in_parts(state)
        rows, length = state.ids.shape
        within = self._in_parts(in_blocks(state, self.shape.span))
        padded = -(-length // self.shape.span) * self.shape.span
        return within.map(lambda field: field.reshape(rows, padded, *field.shape[2:])[:, :length])

    def _in_parts(self, state: State) -> Prediction:
        length, shape = state.ids.shape[1], self.shape
        compared = num_compared(length, shape.attention, shape.span)
        size = max(1, SCORES // max(1, shape.heads * length * compared))
        if torch.is_grad_enabled() or state.ids.device.type != "cpu" or size >= len(state):
            return self._predict(state)
        return concatenate_rows([self._predict(state[first : first + size]) for first in range(0, len(state), size)])

    def _predict(self, state: State) -> Prediction:
        return self.predict(state.ids, self.attention_pattern(state))

    def attention_pattern(self, state: State) -> AttentionPattern:
        """How the positions of a state attend, which depends on lengths, coordinates and perhaps where MASKs are."""
        keys, relations = key_positions(state, self.shape.attention, self.shape.span), None
        if self.shape.relations:
            if state.coordinates is None:
                raise ValueError("this model has relational positions: its states need coordinates")
            if state.coordinates.shape[-1] < self.shape.axes:
                raise ValueError(
                    f"this model relates {self.shape.axes} coordinates of a position, got {state.coordinates.shape[-1]}"
                )
            grid = state.coordinates[:1] if state.alike else state.coordinates
            relations = relation_patterns(grid, keys, self.shape.relations)
        mask = allowed(state, keys, self.shape.attention, self.shape.span)
        forbidden = None if mask is None else self._forbidding(~mask)
        at = numbered(state, self.shape.attention)
        return AttentionPattern(keys, relations, forbidden, self._score_scale(state), at)

    def predict(self, ids: Int[Tensor, "B L"], pattern: AttentionPattern) -> Prediction:
        """The prediction from token ids and the attention pattern of their state."""
        length, middle = ids.shape[1], len(self.layers) // 2
        at = torch.arange(length, device=ids.device)[None, None] if pattern.at is None else pattern.at
        x, condition = self.dropout(self._embedded(ids, at[:, 0], length)), self.condition(ids)
        pattern = replace(pattern, turns=self._turns(at))
        hints, after = [], min(middle + 1, len(self.layers) - 1)
        for number, layer in enumerate(self.layers):
            x = layer(x, pattern, condition=condition)
            for head, at in ((self.hints, middle), (self.conclusions, after)):
                if head is not None and number == at:
                    hints.append(head(x))
        return self._predicted(x, tuple(hints))

    def _forbidding(self, hidden: Bool[Tensor, "B L K"]) -> Float[Tensor, "B 1 L K"]:
        bias = self.embedding.new_zeros(hidden.shape)
        return bias.masked_fill(hidden, torch.finfo(bias.dtype).min)[:, None]

    def _turns(self, at: Int[Tensor, "#B 1 L"]) -> Complex[Tensor, "#B 1 L half"] | None:
        return turns(at, self.shape.width // self.shape.heads) if self.shape.rotary else None

    def _score_scale(self, state: State) -> Float[Tensor, "B 1 1 1"] | None:
        trained = self.shape.trained_length
        if not trained or state.ids.shape[1] <= trained:
            return None
        return (state.lengths.clamp(min=trained).log() / math.log(trained))[:, None, None, None]

    def condition(self, ids: Int[Tensor, "B L"]) -> Int[Tensor, "B"] | None:
        """The number of the condition that each sequence holds, 0 for none; None for an encoder without conditions."""
        return self.condition_of[ids].amax(1) if self.conditions else None

    def predict_at(
        self,
        ids: Int[Tensor, "B L"],
        pasts: Seq[Past],
        coordinates: Int[Tensor, "B W A"] | None = None,
        condition: Int[Tensor, "B"] | None = None,
    ) -> Prediction:
        """The predictions of a causal encoder at the new positions only. `pasts` has one Past for each layer.

        coordinates: those of all positions, if the encoder has relations. condition: of the whole sequences.
        """
        at, length = pasts[0].at, pasts[0].keys.shape[2]
        x = self._embedded(ids, at, length)
        here, relations = torch.arange(length, device=ids.device), None
        if coordinates is not None:
            own = coordinates.gather(1, at[..., None].expand(*at.shape, coordinates.shape[-1]))
            relations = relations_between(own, coordinates[:, None], here < at[..., None], self.shape.relations)
        forbidden = self._forbidding(here > at[..., None])
        pattern = AttentionPattern(relations=relations, forbidden=forbidden, turns=self._turns(at[:, None]))
        for layer, past in zip(self.layers, pasts, strict=True):
            x = layer(x, pattern, past, condition)
        return self._predicted(x)

    def _embedded(self, ids: Int[Tensor, "B L"], at: Int[Tensor, "*#B L"], length: int) -> Float[Tensor, "B L width"]:
        x = nn.functional.embedding(ids, self._composed(self.embedding))
        if self.absolute is None:
            return x
        if length > len(self.absolute):
            raise ValueError(f"length {length} exceeds this model's {len(self.absolute)} positions")
        return x + self.absolute[at]

    def _composed(self, atoms: Float[Tensor, "atoms D"]) -> Float[Tensor, "V D"]:
        """For each token the sum over its atoms."""
        return nn.functional.embedding_bag(self.atoms, atoms, self.first_atom, mode="sum")

    def _predicted(self, x: Float[Tensor, "B L width"], hints: tuple[Tensor, ...] = ()) -> Prediction:
        x = self.norm(x)
        bias = self._composed(self.content.bias[:, None])[:, 0] + self.never
        content = nn.functional.linear(x, self._composed(self.content.weight), bias)
        return Prediction(content, *self.controls(x).unbind(-1), hints=hints)


def in_blocks(state: State, span: int) -> State:
    """Every block of `span` consecutive positions as a row of its own: [B, L] becomes [B * blocks, span]."""
    rows, length = state.ids.shape
    blocks = -(-length // span)
    missing = blocks * span - length
    ids = nn.functional.pad(state.ids, (0, missing), value=PAD).view(rows * blocks, span)
    start = torch.arange(blocks, device=ids.device) * span
    lengths = (state.lengths[:, None] - start).clamp(0, span).flatten()
    grid = state.coordinates
    if grid is not None:
        grid = nn.functional.pad(grid, (0, 0, 0, missing), value=NOWHERE).view(rows * blocks, span, grid.shape[-1])
    return State(ids, lengths, grid, state.known and Known(state.full and not missing))


def sinusoids(length: int, width: int) -> Float[Tensor, "length width"]:
    """Initial position vectors: sines and cosines as in arXiv 1706.03762, with wavelengths from 4 to 4 x length."""
    wave = 4.0 * float(length) ** torch.linspace(0, 1, -(-width // 2))
    angle = 2 * torch.pi * torch.arange(length)[:, None] / wave
    return torch.cat((angle.sin(), angle.cos()), 1)[:, :width]
