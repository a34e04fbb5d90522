"""Broken words edited into valid ones, by a process that looks three positions to either side of what is still open.

The state is START, the letters and END. Neighbours that cancel are matched, all over the word at once, and from then on
hidden, so that what stood around them become neighbours. DONE(c) is a letter c that is matched.

    a A  ->  a M A  ->  a PAIR(a) A  ->  M PAIR(a) M  ->  DONE(a) M DONE(A)  ->  DONE(a) DONE(A)

All of this is certain. What is still open when nothing matches any more has to be edited, and such edits are less
certain than not, the more certain the more letters would match around the place. GreedyOrBestSingle does one at a time:

    x    ->  M  ->                             deleted
    x y  ->  M M y  ->  M PAIR(Y) y  ->  ...   x replaced by the inverse of y

A letter starts only if its left neighbour does not match too, and after a pair that is about to go it waits; so no two
MASKs in a row are ever left over, and they always mean a replacement. It ends when nothing is open.
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

DELETES, REPLACES = (0.02, 0.06, 0.2, 0.4), (0.03, 0.1, 0.4)
"""Chances by the number of pairs around the place that would match, from the inside out."""
CUTOFF = 0.01


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

    gap: a MASK becomes PAIR, unless the letter to its left may be matched to its left as well, or has a neighbour
    that goes with its partner at the same time. free: the same for a letter that starts.
    """
    padded = pad(state.ids, (REACH, REACH), value=PAD)
    width = state.ids.shape[1]
    ids = {offset: padded[:, REACH + offset : REACH + offset + width] for offset in range(-REACH, REACH + 1)}
    kinds, numbers = ({o: table[i] for o, i in ids.items()} for table in (KIND, NUMBER))

    def at(offset: int, *allowed: int) -> Bool[Tensor, "batch length"]:
        return torch.isin(kinds[offset], torch.tensor(allowed))

    def match(i: int, j: int) -> Bool[Tensor, "batch length"]:
        return at(i, LETTER) & at(j, LETTER) & OPENS[numbers[i]] & (numbers[j] == numbers[i] ^ 1)

    masked, letter, closing = at(0, MASKED), at(0, LETTER), {o: at(o, LETTER) & CLOSES[numbers[o]] for o in (1, 2)}
    beside = at(-1, PAIR) | at(1, PAIR)
    first, second = masked & at(1, PAIR) & at(2, MASKED), masked & at(-1, PAIR) & at(-2, MASKED)
    replacing = masked & ~beside & at(-1, MASKED) & closing[1] & ~at(-2, PAIR)
    waiting = masked & ~first & ~second & (beside | (at(1, MASKED) & closing[2]))
    engaged = match(-2, -1) | match(-3, -2) | at(-2, MASKED, PAIR) | at(-3, MASKED, PAIR)
    gap = masked & ~beside & match(-1, 1) & ~engaged
    delete = masked & ~first & ~second & ~replacing & ~waiting & ~gap
    free = at(-1, LETTER, OTHER) & ~match(-1, 0) & ~at(-2, MASKED, PAIR) & ~match(-2, -1)
    starts = letter & match(0, 1) & free & ~at(2, PAIR)
    paired = at(0, PAIR) & at(-1, MASKED) & at(1, MASKED)

    around = _in_a_row(match(-1, 1), match(-2, 2), match(-3, 3))
    beyond = _in_a_row(match(-1, 2), match(-2, 3))
    deletes, replaces = torch.tensor(DELETES)[around], torch.tensor(REPLACES)[beyond] * closing[1]
    replaces = replaces * (replaces > deletes)
    edited = letter & ~beside
    certain = (letter & beside) | paired | waiting
    remask = torch.where(edited, deletes.maximum(replaces), certain.float()).logit().clamp(-SURE, SURE)
    insert = torch.where(starts, 1.0, replaces * edited).logit().clamp(-SURE, SURE)

    content = torch.full((*state.ids.shape, len(VOCAB)), -SURE)
    content[..., [PAD, MASK]] = -torch.inf
    for where, token in (
        (first, DONE_ID[numbers[1]]),
        (second, DONE_ID[numbers[-1] ^ 1]),
        (replacing, PAIR_ID[numbers[1] ^ 1]),
        (gap, PAIR_ID[numbers[-1]]),
    ):
        content[where] = content[where].scatter(1, token[where][:, None], SURE)
    return Prediction(content, remask, insert, (2 * delete.float() - 1) * SURE)


def _in_a_row(*found: Bool[Tensor, "batch length"]) -> Int[Tensor, "batch length"]:
    """How many are true before the first that is not."""
    return torch.stack(found).long().cumprod(0).sum(0)
