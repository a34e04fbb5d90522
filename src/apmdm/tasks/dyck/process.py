"""Words of two-sided Dyck-k by a random process that looks two positions to either side.

A word is over k letters `a`, `b`, ... and their inverses `A`, `B`, ...; it belongs to the language if it reduces to
nothing when neighbours that are inverse to each other cancel, in either order. The state starts as START, one
FUEL for each pair to come, and END. A FUEL turns into a letter and its inverse where it stands, or hops over the letter
to its right; so pairs are inserted anywhere, every word can arise, and exactly as many pairs as there was fuel.

Positions decide independently, but a pair must agree on its letter and a hop must not lose fuel: one position chooses,
and what follows is forced.

    fuel            -> fuel M                                      at random, if nothing is under way to its right
    fuel M          -> fuel PAIR(c) M  or, before a letter u,  fuel HOP M
    fuel PAIR(c) M  -> M PAIR(c) C -> c PAIR(c) C -> c M C -> c C
    fuel HOP M u    -> M HOP u -> HOP u M -> HOP u MOVED -> M u MOVED -> u MOVED

MOVED is fuel that has hopped. Fuel waits while there is other fuel right of it, or MOVED behind the letter right of it.
Fuel carries k, the number of letters that its pairs may have.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.prediction import Prediction
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, PAD, Vocab, joined

MAX_K, REACH = 8, 2
LETTERS = [letter for pair in zip("abcdefgh", "ABCDEFGH", strict=True) for letter in pair]
"""A letter and its inverse are neighbours: the inverse of number c is number c ^ 1."""
_sizes = [f"k{k}" for k in range(1, MAX_K + 1)]
VOCAB = Vocab.of("START", "END", LETTERS, joined(["PAIR"], LETTERS), joined(["FUEL", "HOP", "MOVED"], _sizes))

OUTSIDE, MASKED, START, END, LETTER, HOP, PAIR, FUEL, MOVED = range(9)
"""What a token is, whatever its letter or k."""
_kinds = {
    "<pad>": OUTSIDE,
    "<mask>": MASKED,
    "START": START,
    "END": END,
    "HOP": HOP,
    "PAIR": PAIR,
    "FUEL": FUEL,
    "MOVED": MOVED,
}
KIND = torch.tensor([_kinds.get(symbol.split("@")[0], LETTER) for symbol in VOCAB.symbols])
LETTER_ID = torch.tensor(VOCAB.encode(LETTERS))
PAIR_ID = torch.tensor(VOCAB.encode(joined(["PAIR"], LETTERS)))
FUEL_ID, HOP_ID, MOVED_ID = (torch.tensor(VOCAB.encode(joined([name], _sizes))) for name in ("FUEL", "HOP", "MOVED"))
K_OF = torch.tensor([int(symbol.split("@k")[1]) if "@k" in symbol else 0 for symbol in VOCAB.symbols])
"""k of each FUEL, HOP or MOVED, 0 elsewhere."""
NUMBER = torch.full((len(VOCAB),), 0)
"""Number of the letter of each letter or PAIR token, 0 elsewhere."""
NUMBER[LETTER_ID] = NUMBER[PAIR_ID] = torch.arange(2 * MAX_K)

SURE = 40.0
START_CHANCE, HOP_CHANCE = 0.3, 0.5
CUTOFF = 0.004
"""What a model holds for less probable than this, the sampler never does."""


def encode(k: int, length: int) -> Sequence:
    """The start of a word of `length` letters; raises ValueError for a k out of range, or an odd or negative length."""
    if not 1 <= k <= MAX_K:
        raise ValueError(f"k is 1 to {MAX_K}, not {k}")
    if length < 0 or length % 2:
        raise ValueError(f"a word that cancels has an even length, not {length}")
    return Sequence(torch.tensor(VOCAB.encode(["START", *[f"FUEL@k{k}"] * (length // 2), "END"])))


def decode(sequence: Sequence) -> str | None:
    """The word, or None if the sequence is not START, letters and END."""
    symbols = VOCAB.decode(sequence.ids.tolist())
    letters = symbols[1:-1]
    return "".join(letters) if symbols == ["START", *letters, "END"] and set(letters) <= set(LETTERS) else None


def process(state: State) -> Prediction:
    """The probabilities of every decision, as a model would give them; the certain ones have logits of SURE."""
    ids = {offset: _shifted(state, offset) for offset in range(-REACH, REACH + 1)}
    device = state.ids.device

    def at(offset: int, *kinds: int) -> Bool[Tensor, "batch length"]:
        return torch.isin(KIND.to(device)[ids[offset]], torch.tensor(kinds, device=device))

    masked, letter, fuel = at(0, MASKED), at(0, LETTER), at(0, FUEL, MOVED)
    landed = at(1, LETTER) & at(2, MOVED)
    first = masked & at(1, PAIR)
    second = masked & ~first & at(-1, PAIR)
    choose = masked & at(-1, FUEL, MOVED) & ~at(1, PAIR, HOP) & ~landed
    arrive = masked & ~first & at(-1, LETTER) & at(-2, HOP)
    delete = masked & ~first & ~second & ~choose & ~arrive
    spent = fuel & at(1, PAIR, HOP) & at(2, MASKED)
    hopped = at(0, HOP) & landed
    paired = at(0, PAIR) & at(-1, LETTER)
    hopped_over = letter & at(-1, HOP) & ~at(1, MASKED, MOVED)
    blocked = at(1, MASKED, PAIR, HOP, FUEL, MOVED) | landed
    insert = _logit(choose | hopped_over).masked_fill(fuel & ~blocked, math.log(START_CHANCE / (1 - START_CHANCE)))

    content = torch.full((*state.ids.shape, len(VOCAB)), -SURE, device=device)
    content[..., [PAD, MASK]] = -torch.inf
    number, k = NUMBER.to(device), K_OF.to(device)
    _write(content, first, LETTER_ID.to(device)[number[ids[1]]])
    _write(content, second, LETTER_ID.to(device)[number[ids[-1]] ^ 1])
    _write(content, arrive, MOVED_ID.to(device)[(k[ids[-2]] - 1).clamp(min=0)])
    _choose(content, choose, at(1, LETTER), k[ids[-1]])
    return Prediction(content, _logit(spent | hopped | paired), insert, _logit(delete))


def _shifted(state: State, offset: int) -> Int[Tensor, "batch length"]:
    """The token `offset` positions to the right, PAD beyond the ends."""
    padded = torch.nn.functional.pad(state.ids, (REACH, REACH), value=PAD)
    return padded[:, REACH + offset : REACH + offset + state.ids.shape[1]]


def _logit(true: Bool[Tensor, "batch length"]) -> Float[Tensor, "batch length"]:
    return SURE * (2 * true.float() - 1)


def _write(content: Tensor, where: Tensor, token: Tensor) -> None:
    content[where] = content[where].scatter(1, token[where][:, None], SURE)


def _choose(content: Tensor, where: Tensor, may_hop: Tensor, k: Tensor) -> None:
    """Uniform over the pairs of k letters and their inverses, after a hop's chance where one is possible."""
    k, hop = k[where][:, None], HOP_CHANCE * may_hop[where].float()[:, None]
    pairs = torch.where(torch.arange(2 * MAX_K, device=k.device) < 2 * k, ((1 - hop) / (2 * k)).log(), -SURE)
    hops = torch.where(torch.arange(1, MAX_K + 1, device=k.device) == k, hop.log().clamp(min=-SURE), -SURE)
    content[where] = content[where].index_copy(1, PAIR_ID.to(k.device), pairs).index_copy(1, HOP_ID.to(k.device), hops)
