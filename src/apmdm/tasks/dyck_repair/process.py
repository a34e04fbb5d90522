"""Broken words edited into valid ones, by a process that looks three positions to either side of what is still open.

The state is START, the letters and END. Neighbours that cancel are matched, all over the word at once, and from then on
hidden, so that what stood around them become neighbours. DONE(c) is a letter c that is matched.

    a A  ->  a M A  ->  M PAIR(a) M  ->  DONE(a) M M DONE(A)  ->  DONE(a) DONE(A)

If brackets around the pair match too, they use its MASK, and no second one is inserted: a nest of brackets takes two
steps a level, one of letters four. Only letters can match on both sides; then they do so from left to right.

All of this is certain. What is still open when nothing matches any more has to be edited, and such edits are less
certain than not, the more certain the more letters would match around the place. GreedyOrBestSingle does one at a time:

    x    ->  M M  ->         deleted
    x    ->  M    ->  Y      replaced by the inverse of a neighbour

So a MASK alone stands for a letter, or it is a gap between two that cancel, and two or more in a row are deleted. It
ends when nothing is open.
"""

import torch
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn.functional import pad

from apmdm.prediction import Prediction
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.process import BRACKETS, LETTERS, SURE
from apmdm.vocab import MASK, PAD, Vocab, joined

REACH = 3
VOCAB = Vocab.of("START", "END", LETTERS, joined(["DONE"], LETTERS), joined(["PAIR"], LETTERS))
LETTER_ID, DONE_ID, PAIR_ID = (
    torch.tensor(VOCAB.encode(symbols)) for symbols in (LETTERS, joined(["DONE"], LETTERS), joined(["PAIR"], LETTERS))
)
MASKED, LETTER, PAIR, OTHER = range(4)
KIND = torch.full((len(VOCAB),), OTHER)
KIND[MASK], KIND[LETTER_ID], KIND[PAIR_ID] = MASKED, LETTER, PAIR
NUMBER = torch.zeros(len(VOCAB), dtype=torch.long)
NUMBER[LETTER_ID] = NUMBER[DONE_ID] = NUMBER[PAIR_ID] = torch.arange(len(LETTERS))
OPENS, CLOSES = (torch.tensor([letter not in BRACKETS[side::2] for letter in LETTERS]) for side in (1, 0))
"""Which letters may come first, or second, in a pair."""

EACH, WRONG_PAIR = 0.06, 0.5
"""An edit has the chance EACH for each letter that it settles, and a pair like `(]` counts for WRONG_PAIR more."""
CUTOFF = 0.03


def encode(word: str) -> Sequence:
    """Raises ValueError for what is no letter and no bracket."""
    unknown = next((letter for letter in word if letter not in LETTERS), None)
    if unknown is not None:
        raise ValueError(f"a word is of letters a to h and A to H and brackets {BRACKETS}, not {unknown!r}")
    return Sequence(torch.tensor(VOCAB.encode(["START", *word, "END"])))


def decode(sequence: Sequence) -> str | None:
    """The word, or None if something in it is not matched."""
    symbols = VOCAB.decode(sequence.ids.tolist())
    done = [symbol.removeprefix("DONE@") for symbol in symbols[1:-1]]
    return "".join(done) if symbols == ["START", *joined(["DONE"], done), "END"] else None


def process(state: State) -> Prediction:
    """The probabilities of every decision about a state without any DONE.

    gap: a MASK alone between two letters that cancel; they are taken. slot: one that stands for a replaced letter.
    free: a letter that may start a pair with the one after it, as neither may go with its other neighbour.
    kept: the MASK that a PAIR leaves behind is the gap of the brackets around it.
    """
    padded = pad(state.ids, (REACH, REACH), value=PAD)
    width = state.ids.shape[1]
    ids = {offset: padded[:, REACH + offset : REACH + offset + width] for offset in range(-REACH, REACH + 1)}
    kinds, numbers = ({o: table[i] for o, i in ids.items()} for table in (KIND, NUMBER))

    def at(offset: int, *allowed: int) -> Bool[Tensor, "batch length"]:
        return torch.isin(kinds[offset], torch.tensor(allowed))

    def opens(i: int) -> Bool[Tensor, "batch length"]:
        return at(i, LETTER) & OPENS[numbers[i]]

    def closes(i: int) -> Bool[Tensor, "batch length"]:
        return at(i, LETTER) & CLOSES[numbers[i]]

    def match(i: int, j: int) -> Bool[Tensor, "batch length"]:
        return opens(i) & closes(j) & (numbers[j] == numbers[i] ^ 1)

    masked, letter, pair = at(0, MASKED), at(0, LETTER), at(0, PAIR)
    first, second = masked & at(1, PAIR), masked & at(-1, PAIR)
    lone = masked & ~at(-1, MASKED, PAIR) & ~at(1, MASKED, PAIR)
    gap = lone & match(-1, 1)
    slot = lone & ~gap & (opens(-1) | closes(1))
    delete = masked & ~first & ~second & ~gap & ~slot
    taken = (at(1, MASKED) & match(0, 2)) | (at(-1, MASKED) & match(-2, 0))
    free = (~match(-1, 0) | (at(-2, MASKED) & match(-3, -1))) & ~(at(2, MASKED) & match(1, 3))
    starts = match(0, 1) & ~taken & free
    kept = pair & match(-2, 2) & ~closes(-2)

    around = _in_a_row(match(-1, 1), match(-2, 2), match(-3, 3))
    closing, opening = _in_a_row(match(-2, 1), match(-3, 2)), _in_a_row(match(-1, 2), match(-2, 3))
    left_pair, right_pair = (~closes(i) & ~opens(j) for i, j in ((-1, 0), (0, 1)))
    delete_chance = EACH * (1 + 2 * around)
    close = EACH * (2 + 2 * closing + WRONG_PAIR * left_pair) * opens(-1)
    open_ = EACH * (2 + 2 * opening + WRONG_PAIR * right_pair) * closes(1)
    replace_chance = close.maximum(open_) * ~match(-1, 1)
    deleting = delete_chance * (delete_chance > replace_chance)
    edited = letter & ~taken
    remask = torch.where(edited, delete_chance.maximum(replace_chance), (taken | pair).float())
    insert = torch.where(starts | (pair & ~kept), 1.0, deleting * edited)

    content = torch.full((*state.ids.shape, len(VOCAB)), -SURE)
    content[..., [PAD, MASK]] = -torch.inf
    for where, token in (
        (first, DONE_ID[numbers[1]]),
        (second, DONE_ID[numbers[-1] ^ 1]),
        (gap, PAIR_ID[numbers[-1]]),
        (slot, LETTER_ID[torch.where(close >= open_, numbers[-1], numbers[1]) ^ 1]),
    ):
        content[where] = content[where].scatter(1, token[where][:, None], SURE)
    return Prediction(content, *(bit.logit().clamp(-SURE, SURE) for bit in (remask, insert, delete.float())))


def _in_a_row(*found: Bool[Tensor, "batch length"]) -> Int[Tensor, "batch length"]:
    """How many are true before the first that is not."""
    return torch.stack(found).long().cumprod(0).sum(0)
