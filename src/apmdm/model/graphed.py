"""An encoder that launches all its kernels on a GPU at once, which is faster than one by one (CUDA graphs)."""

from dataclasses import dataclass

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.model.attention import AttentionPattern
from apmdm.model.encoder import Encoder
from apmdm.prediction import Prediction
from apmdm.state import State


class Graphed:
    """A callable from State to Prediction that replays an encoder, without gradients.

    Its prediction is valid until the next call. On a GPU a CUDA graph is captured for every number of rows, rounded up
    to a power of two, and again whenever lengths or coordinates change. It suits processes that only rewrite. Elsewhere
    only the attention pattern is kept. Where rows have come or gone and differ in length or coordinates, it waits for
    the device once.
    """

    def __init__(self, encoder: Encoder) -> None:
        if encoder.shape.attention == "block":
            raise ValueError("CUDA graphs are for full, causal and window attention, not for blocks")
        self.encoder = encoder
        self.captured: dict[int, _Captured] = {}
        self.last: tuple[State, _Captured] | None = None

    def __call__(self, state: State) -> Prediction:
        if not state.ids.numel():
            return self.encoder(state)
        if self.last is None or not _same_places(state, self.last[0]):
            self.last = state, self._fitting(state)
        return self.last[1](state.ids)[: len(state)]

    def _fitting(self, state: State) -> "_Captured":
        rows = 2 ** (len(state) - 1).bit_length() if state.ids.is_cuda else len(state)
        padded = state[torch.arange(rows, device=state.ids.device).clamp(max=len(state) - 1)]
        captured = self.captured.get(rows)
        if captured is None or not captured.fits(padded):
            captured = self.captured[rows] = _Captured.of(self.encoder, padded)
        return captured


def _same_places(first: State, second: State) -> bool:
    """True only if both states share the tensors of their layout. It may miss equal layouts in different tensors."""
    return first.lengths is second.lengths and first.coordinates is second.coordinates


@dataclass(frozen=True)
class _Captured:
    encoder: Encoder
    state: State
    pattern: AttentionPattern
    prediction: Prediction | None = None
    graph: torch.cuda.CUDAGraph | None = None

    @classmethod
    def of(cls, encoder: Encoder, state: State) -> "_Captured":
        pattern = encoder.attention_pattern(state)
        if not state.ids.is_cuda:
            return cls(encoder, state, pattern)
        graph = torch.cuda.CUDAGraph()
        encoder.predict(state.ids, pattern)
        with torch.cuda.graph(graph):
            prediction = encoder.predict(state.ids, pattern)
        return cls(encoder, state, pattern, prediction, graph)

    def fits(self, state: State) -> bool:
        own, other = self.state.coordinates, state.coordinates
        if state.ids.shape != self.state.ids.shape or (own is None) != (other is None):
            return False
        first, second = self.state.known, state.known
        if first and second and first.full and second.full:
            if own is None:
                return True
            if first.alike is not None and second.alike is not None:
                return torch.equal(first.alike, second.alike)
        alike = (self.state.lengths == state.lengths).all()
        return bool(alike if own is None or other is None else alike & (own == other).all())

    def __call__(self, ids: Int[Tensor, "B L"]) -> Prediction:
        if self.graph is None or self.prediction is None:
            return self.encoder.predict(ids, self.pattern)
        self.state.ids[: len(ids)] = ids
        self.graph.replay()
        return self.prediction
