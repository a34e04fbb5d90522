"""Words that cancel, by a random process that looks two positions to either side.

Two languages share it. Two-sided Dyck-k is over k letters `a`, `b`, ... and their inverses `A`, `B`, ...: neighbours
that are inverse to each other cancel, in either order. Brackets `()[]{}` cancel in one order only. A word belongs to
the language if it cancels down to nothing. The state starts as START, one FUEL for each pair to come, and END. A FUEL
turns into a letter and its inverse where it stands, or hops over the letter to its right; so pairs are inserted
anywhere, every word can arise, and exactly as many pairs as there was fuel.

Positions decide independently, but a pair must agree on its letter and a hop must not lose fuel: one position chooses,
and what follows is forced.

    FUEL            -> FUEL M                                      at random, if nothing is under way to its right
    FUEL M          -> FUEL PAIR(c) M  or, before a letter u,  FUEL HOP M
    FUEL PAIR(c) M  -> M PAIR(c) C -> c PAIR(c) C -> c M C -> c C
    FUEL HOP M u    -> M HOP u -> HOP u M -> HOP u FUEL -> M u FUEL -> u FUEL

All fuel is under way at once. But two FUEL with one letter between them look like a hop that has ended: the left one
waits, and so does a hop to that place. FUEL carries the language of its pairs.
"""

import math

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.prediction import Prediction
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, PAD, Vocab, joined

MAX_K, REACH = 8, 2
BRACKETS = "()[]{}"
LETTERS = [*(letter for pair in zip("abcdefgh", "ABCDEFGH", strict=True) for letter in pair), *BRACKETS]
"""A letter and its inverse are neighbours: the inverse of number c is number c ^ 1."""
LANGUAGES = [*(f"k{k}" for k in range(1, MAX_K + 1)), "brackets"]
ALPHABETS = [range(2 * k) for k in range(1, MAX_K + 1)] + [range(2 * MAX_K, len(LETTERS))]
"""Numbers of the letters of each language."""
OPENING = [*ALPHABETS[:-1], ALPHABETS[-1][::2]]
"""Numbers of those that may come first."""
VOCAB = Vocab.of("START", "END", LETTERS, joined(["PAIR"], LETTERS), joined(["FUEL", "HOP"], LANGUAGES))

OUTSIDE, MASKED, START, END, LETTER, HOP, PAIR, FUEL = range(8)
"""What a token is, whatever its letter or language."""
_kinds = {"<pad>": OUTSIDE, "<mask>": MASKED, "START": START, "END": END, "HOP": HOP, "PAIR": PAIR, "FUEL": FUEL}
KIND = torch.tensor([_kinds.get(symbol.split("@")[0], LETTER) for symbol in VOCAB.symbols])
LETTER_ID = torch.tensor(VOCAB.encode(LETTERS))
PAIR_ID = torch.tensor(VOCAB.encode(joined(["PAIR"], LETTERS)))
FUEL_ID, HOP_ID = (torch.tensor(VOCAB.encode(joined([name], LANGUAGES))) for name in ("FUEL", "HOP"))
NUMBER = torch.full((len(VOCAB),), 0)
"""Number of the letter of each letter or PAIR, and of the language of each FUEL or HOP; 0 elsewhere."""
NUMBER[LETTER_ID] = NUMBER[PAIR_ID] = torch.arange(len(LETTERS))
NUMBER[FUEL_ID] = NUMBER[HOP_ID] = torch.arange(len(LANGUAGES))

SURE = 40.0
START_CHANCE, CROWDED_CHANCE, HOP_CHANCE = 0.3, 0.015, 0.5
"""CROWDED: of fuel right before other fuel, which rarely starts, since a pair there is never nested in another."""
CUTOFF = 0.004
"""What a model holds for less probable than this, the sampler never does."""
PAIR_CHANCES = torch.zeros(len(LANGUAGES), len(LETTERS))
for _language, _numbers in enumerate(OPENING):
    PAIR_CHANCES[_language, list(_numbers)] = 1 / len(_numbers)


def encode(language: str, length: int) -> Sequence:
    """The start of a word of `length` letters; raises ValueError for an unknown language, an odd or negative length."""
    if language not in LANGUAGES:
        raise ValueError(f"a language is one of {', '.join(LANGUAGES)}, not {language}")
    if length < 0 or length % 2:
        raise ValueError(f"a word that cancels has an even length, not {length}")
    return Sequence(torch.tensor(VOCAB.encode(["START", *[f"FUEL@{language}"] * (length // 2), "END"])))


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

    masked, letter, fuel = at(0, MASKED), at(0, LETTER), at(0, FUEL)
    landed = at(1, LETTER) & at(2, FUEL)
    first = masked & at(1, PAIR)
    second = masked & ~first & at(-1, PAIR)
    choose = masked & at(-1, FUEL) & ~at(1, PAIR, HOP) & ~landed
    arrive = masked & ~first & at(-1, LETTER) & at(-2, HOP) & ~at(1, HOP) & ~landed
    delete = masked & ~first & ~second & ~choose & ~arrive
    spent = fuel & at(1, PAIR, HOP) & at(2, MASKED)
    hopped = at(0, HOP) & landed
    paired = at(0, PAIR) & at(-1, LETTER)
    hopped_over = letter & at(-1, HOP) & ~at(1, MASKED, PAIR, HOP, FUEL) & ~landed
    starts = fuel & ~at(1, MASKED, PAIR, HOP) & ~landed
    insert = _logit(choose | hopped_over)
    for where, chance in ((starts & ~at(1, FUEL), START_CHANCE), (starts & at(1, FUEL), CROWDED_CHANCE)):
        insert = insert.masked_fill(where, math.log(chance / (1 - chance)))

    content = torch.full((*state.ids.shape, len(VOCAB)), -SURE, device=device)
    content[..., [PAD, MASK]] = -torch.inf
    number = NUMBER.to(device)
    _write(content, first, LETTER_ID.to(device)[number[ids[1]]])
    _write(content, second, LETTER_ID.to(device)[number[ids[-1]] ^ 1])
    _write(content, arrive, FUEL_ID.to(device)[number[ids[-2]] % len(LANGUAGES)])
    _choose(content, choose, at(1, LETTER), number[ids[-1]])
    return Prediction(content, _logit(spent | hopped | paired), insert, _logit(delete))


def _shifted(state: State, offset: int) -> Int[Tensor, "batch length"]:
    """The token `offset` positions to the right, PAD beyond the ends."""
    padded = torch.nn.functional.pad(state.ids, (REACH, REACH), value=PAD)
    return padded[:, REACH + offset : REACH + offset + state.ids.shape[1]]


def _logit(true: Bool[Tensor, "batch length"]) -> Float[Tensor, "batch length"]:
    return SURE * (2 * true.float() - 1)


def _write(content: Tensor, where: Tensor, token: Tensor) -> None:
    content[where] = content[where].scatter(1, token[where][:, None], SURE)


def _choose(content: Tensor, where: Tensor, may_hop: Tensor, language: Tensor) -> None:
    """Uniform over the pairs of the language, after a hop's chance where one is possible."""
    language, hop = language[where], HOP_CHANCE * may_hop[where].float()[:, None]
    pairs = ((1 - hop) * PAIR_CHANCES.to(hop.device)[language]).log().clamp(min=-SURE)
    hops = (hop * torch.nn.functional.one_hot(language, len(LANGUAGES))).log().clamp(min=-SURE)
    content[where] = (
        content[where].index_copy(1, PAIR_ID.to(hop.device), pairs).index_copy(1, HOP_ID.to(hop.device), hops)
    )
