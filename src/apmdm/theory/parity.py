"""Parity of a string of any length in at most four decoding steps: pairs of equal bits vanish, and so do zeros.

The process of `tasks.parity`, written in arrays. Deleting renumbers what is left, so a second round meets blocks of
ones only. Parity is in TC0: this shows what editing does for a small model, not what other models cannot do.
"""

from apmdm.tasks.parity.process import BLOCK, VOCAB
from apmdm.theory.array import atoms, broadcast, field, select
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.words import own_mask


def policy() -> ArrayPolicy:
    """Attention within blocks of two positions: the partner's bit decides."""
    second, one = field(BLOCK, 0), atoms("1")
    partner = select(second, broadcast(one, ~second), broadcast(one, second))
    remask = atoms("0") | (one & partner)
    return ArrayPolicy(VOCAB, {}, {"remask": remask, "delete": own_mask()}, begin=False, block=BLOCK)
