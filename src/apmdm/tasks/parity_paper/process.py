"""Parity as the paper states it: a begin token, full attention, and two bits resolved at a time from the left.

01 -> MASK 1 -> 1; 10 -> 1 MASK -> 1; 00 and 11 -> MASK MASK -> nothing, applied to the first two bits: seven
transitions in all, and O(n) steps. Nothing bounds what a position sees, so no finite check proves it for all lengths.
"""

import torch

from apmdm.edits import Edits
from apmdm.state import Sequence, State
from apmdm.tasks.parity.process import encode as encode_bits
from apmdm.vocab import MASK, Vocab

VOCAB = Vocab.of("0", "1", "BEGIN")
ZERO, ONE, BEGIN = VOCAB.encode(["0", "1", "BEGIN"])


def encode(bits: str) -> Sequence:
    """BEGIN and the bits; raises ValueError for characters other than 0 and 1."""
    return Sequence(torch.cat((torch.tensor([BEGIN]), encode_bits(bits).ids)))


def decode(sequence: Sequence) -> int | None:
    """0 or 1 as the final state says it; None if it says neither."""
    return {(BEGIN,): 0, (BEGIN, ZERO): 0, (BEGIN, ONE): 1}.get(tuple(sequence.ids.tolist()))


def teacher(state: State) -> Edits:
    """Masks among the first two bits are deleted; else of two bits the 0 is remasked, or both if they are equal."""
    pair = torch.nn.functional.pad(state.ids, (0, 2))[:, 1:3]
    masked, zero, equal = pair == MASK, pair == ZERO, pair[:, :1] == pair[:, 1:]
    ready = (pair > MASK).all(1, keepdim=True)

    def placed(bits: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.pad(bits, (1, state.ids.shape[1]))[:, : state.ids.shape[1]]

    return Edits.of(torch.zeros_like(state.ids), placed(ready & (zero | equal)), delete=placed(masked))
