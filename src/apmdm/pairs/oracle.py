"""The teacher for pairs: the edits that lead any working copy to its target at least cost.

Copy and target are aligned by dynamic programming with the costs below; equal tokens cost nothing. Among alignments of
equal cost, from left to right, pairing two tokens comes before dropping one of the copy, and that comes before leaving
out one of the target. Wrong and superfluous tokens are remasked. Superfluous MASKs are deleted.

A gap lies between two tokens that stay. It holds MASKs, wrong tokens, and tokens of the target that have no place yet.
While places are missing, its MASKs wait and each place inserts one more, so a gap grows to 1, 2, 4, ... places. Where
there is no place, the token before the gap inserts. When there are enough places, every MASK is written.

Letters: B batch, N length of the copy, M length of the target.
"""

from collections.abc import Sequence as Seq

import numpy as np
import torch

from apmdm.edits import Edits
from apmdm.pairs.sequence import GO_ID
from apmdm.state import State
from apmdm.vocab import MASK, PAD

FILL, DROP_MASK, SUBSTITUTE, MISSING, DROP = 10, 400, 1000, 1000, 1001
"""The costs of a MASK where a token belongs, a MASK too many, a wrong token, a missing token, a token too many."""


def oracle(state: State, targets: Seq[Seq[int]]) -> Edits:
    """The edits of each row towards its own target. Before GO, and in a row without GO, nothing fires."""
    if len(targets) != len(state):
        raise ValueError(f"every row of the state needs a target, got {len(targets)} targets for {len(state)} rows")
    width, lengths = state.ids.shape[1], state.lengths.cpu().numpy()
    ids = np.pad(state.ids.cpu().numpy(), ((0, 0), (0, width + 1)), constant_values=PAD)
    has_go = (ids == GO_ID).any(1)
    go = np.where(has_go, (ids == GO_ID).argmax(1), 0)
    num = np.where(has_go, lengths - go - 1, 0)
    index = go[:, None] + np.arange(num.max(initial=0) + 1)
    copy = np.take_along_axis(ids, index, 1)
    found = _labels(copy, num, [target if real else () for target, real in zip(targets, has_go, strict=True)])

    def placed(values: np.ndarray) -> torch.Tensor:
        whole = np.zeros(ids.shape, values.dtype)
        np.put_along_axis(whole, index, values, 1)
        return torch.from_numpy(whole[:, :width]).to(state.ids.device)

    return Edits(*map(placed, found))


def _labels(
    copy: np.ndarray, num: np.ndarray, targets: Seq[Seq[int]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Content, remask, insert and delete of GO and the N positions after it, all [B, N + 1]."""
    sizes = np.array([len(target) for target in targets], dtype=np.int64)
    wanted = np.full((len(copy), sizes.max(initial=0) + 1), PAD, dtype=np.int64)
    for row, target in enumerate(targets):
        wanted[row, : len(target)] = target
    partner, missing = _alignment(copy[:, 1:], num, wanted[:, :-1], sizes)
    rows, positions = np.arange(len(copy))[:, None], np.arange(copy.shape[1])
    masked, real = copy == MASK, positions <= num[:, None]
    content = np.where(partner >= 0, np.take_along_axis(wanted, partner.clip(0), 1), PAD)
    dropped = real & (positions > 0) & (partner < 0)
    place = real & (partner >= 0) & (masked | (content != copy))
    stays = real & ~dropped & ~place
    gap = stays.cumsum(1) - 1 + rows * copy.shape[1]

    def of_gap(numbers: np.ndarray) -> np.ndarray:
        return np.bincount(gap.ravel(), numbers.ravel())[gap]

    missing = of_gap(missing)
    rank = place.cumsum(1)
    rank = rank - np.maximum.accumulate(rank * stays, 1)
    insert = np.where(place, rank <= missing, stays & (of_gap(place) == 0) & (missing > 0))
    writes = place & masked & (missing == 0)
    remask = (place | (dropped & ~masked)) & ~writes
    return np.where(writes, content, PAD), remask, insert, dropped & masked


def _alignment(
    copy: np.ndarray, num: np.ndarray, target: np.ndarray, sizes: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """For GO and the N positions after it: the target's place there, -1 for none, and how many are missing after it.

    Dynamic programming from the ends, which are laid upon each other, so that rows may differ in length; cost[i, j, b]
    is that of the last i tokens of the copy and the last j of the target.
    """
    tail, wanted = _from_the_end(copy, num), _from_the_end(target, sizes)
    (length, rows), width = tail.shape, len(wanted)
    ramp = (MISSING * np.arange(width + 1, dtype=np.int32))[:, None]
    cost = np.empty((length + 1, width + 1, rows), np.int32)
    cost[0] = ramp
    pairs, drops = np.zeros((2, *cost.shape), bool)
    for i, token in enumerate(tail):
        is_mask = token == MASK
        pairing = cost[i, :-1] + np.where(is_mask, FILL, SUBSTITUTE * (wanted != token))
        dropping = cost[i] + np.where(is_mask, DROP_MASK, DROP)
        best = dropping.copy()
        np.minimum(best[1:], pairing, out=best[1:])
        cost[i + 1] = np.minimum.accumulate(best - ramp, 0) + ramp
        pairs[i + 1, 1:] = cost[i + 1, 1:] == pairing
        drops[i + 1] = cost[i + 1] == dropping

    at, row = np.zeros(rows, np.int64), np.arange(rows)
    i, j = num.copy(), sizes.copy()
    partner, missing = np.full((rows, length + 1), -1), np.zeros((rows, length + 1), np.int64)
    while ((i > 0) | (j > 0)).any():
        pair = pairs[i, j, row]
        step = pair | drops[i, j, row]
        lost = ~step & (j > 0)
        at += step
        partner[row[pair], at[pair]] = (sizes - j)[pair]
        missing[row, at] += lost
        i -= step
        j -= pair | lost
    return partner, missing


def _from_the_end(tokens: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Transposed, every row's last token first."""
    index = (sizes[:, None] - 1 - np.arange(tokens.shape[1])).clip(0)
    return np.take_along_axis(tokens, index, 1).T.astype(np.int32)
