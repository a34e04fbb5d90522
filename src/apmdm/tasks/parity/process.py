"""Parity in blocks of two: pairs of equal bits vanish, zeros vanish, and one 1 is left if the parity is odd."""

import torch

from apmdm.edits import Edits
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, Vocab

VOCAB = Vocab.of("0", "1")
ZERO, ONE = VOCAB.encode("01")
BLOCK = 2


def encode(bits: str) -> Sequence:
    """The sequence of a string of 0 and 1; raises ValueError for other characters."""
    wrong = set(bits) - {"0", "1"}
    if wrong:
        raise ValueError(f"parity takes a string of 0 and 1, not {min(wrong)!r}")
    codes = torch.frombuffer(bytearray(bits.encode()), dtype=torch.uint8) if bits else torch.empty(0)
    return Sequence(codes.long() - ord("0") + ZERO)


def decode(sequence: Sequence) -> int | None:
    """0 or 1 as the final state says it; None if it says neither."""
    return {(): 0, (ONE,): 1}.get(tuple(sequence.ids[:2].tolist()))


def parity_of(bits: str) -> int:
    """1 if the number of ones is odd."""
    return bits.count("1") % 2


def teacher(state: State) -> Edits:
    """Equal bits of a block: remask both; unequal ones, or a 0 alone: remask the 0; a MASK: delete it."""
    rows, length = state.ids.shape
    padded = torch.nn.functional.pad(state.ids, (0, length % BLOCK))
    partner = padded.view(rows, -1, BLOCK).flip(-1).view(rows, -1)[:, :length]
    remask = (state.ids == ZERO) | ((state.ids == ONE) & (partner == ONE))
    return Edits.of(torch.zeros_like(state.ids), remask, delete=state.ids == MASK)
