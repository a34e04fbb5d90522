"""What a generator of Dyck words can write, and how probably: short runs enumerated, and a run for every word.

A generator is any model of `tasks.dyck`'s tokens: the policy in arrays, its compiled weights, the process, a trained
network. It is decoded as that task decodes it: what is less probable than CUTOFF never happens, and what it leaves
shares the rest. Nothing here samples.
"""

from collections import defaultdict
from itertools import product

import torch

from apmdm.edits import Edits
from apmdm.policy import Greedy
from apmdm.prediction import Prediction
from apmdm.sampler import Predictor
from apmdm.state import Sequence, State, same_rows
from apmdm.step import transition
from apmdm.tasks.dyck.process import (
    ALPHABETS,
    CUTOFF,
    FUEL,
    HOP,
    HOP_ID,
    KIND,
    LANGUAGES,
    LETTERS,
    MASKED,
    PAIR,
    PAIR_ID,
    decode,
    encode,
)
from apmdm.tasks.dyck.verify import cancel, is_word
from apmdm.vocab import MASK

Tokens = tuple[int, ...]
Chain = dict[Tokens, dict[Tokens, float]]
"""For each state the probability of each next one."""
UNENDED = 1e-9
"""Runs whose probability together is less than this are not followed to their end."""


def words(language: str, length: int) -> list[str]:
    """All words of a language of this length."""
    alphabet = [LETTERS[number] for number in ALPHABETS[LANGUAGES.index(language)]]
    return [word for word in map("".join, product(alphabet, repeat=length)) if is_word(word)]


@torch.no_grad()
def chain(model: Predictor, language: str, length: int) -> Chain:
    """Every state that can be reached from the start of a word of this length, with all that can come next.

    The probabilities of what can come next sum to 1.
    """
    found: Chain = {}
    new = {tuple(encode(language, length).ids.tolist())}
    while new:
        rows = sorted(new)
        state = State.stack([Sequence(torch.tensor(row)) for row in rows])
        prediction = _predicted(model, state)
        found |= {row: _next_states(prediction, state, number) for number, row in enumerate(rows)}
        new = {after for row in rows for after in found[row]} - found.keys()
    return found


def _predicted(model: Predictor, state: State) -> Prediction:
    """What `Stochastic(cutoff=CUTOFF)` draws from: what is ruled out has the probability 0, what is forced has 1."""
    said = model(state)
    if not isinstance(said, Prediction):
        raise ValueError("what decides has no probabilities")
    content = said.content.double().softmax(-1)
    content = content.masked_fill(content < CUTOFF, 0.0)
    bits = [bit.double().sigmoid() for bit in (said.remask, said.insert, said.delete)]
    bits = [bit.masked_fill(bit < CUTOFF, 0.0).masked_fill(bit > 1 - CUTOFF, 1.0).logit() for bit in bits]
    return Prediction((content / content.sum(-1, keepdim=True)).log(), *bits)


def _next_states(prediction: Prediction, state: State, row: int) -> dict[Tokens, float]:
    """All combinations of what the positions of a row may do."""
    after: dict[Tokens, float] = {(): 1.0}
    bits = torch.stack((prediction.remask[row], prediction.insert[row], prediction.delete[row])).sigmoid().T.tolist()
    contents = prediction.content[row].softmax(-1).tolist()
    for column in range(int(state.lengths[row])):
        becomes: dict[Tokens, float] = defaultdict(float)
        token, (remask, insert, delete) = int(state.ids[row, column]), bits[column]
        masked = token == MASK
        kept = 1 - masked * delete
        becomes[()] += 1 - kept
        for written, chance in enumerate(contents[column]) if masked else [(token, 1.0)]:
            becomes[(written,)] += kept * (1 - remask) * (1 - insert) * chance
            becomes[(written, MASK)] += kept * (1 - remask) * insert * chance
        becomes[(MASK,)] += kept * remask * (1 - insert)
        becomes[(MASK, MASK)] += kept * remask * insert
        possible = [(tokens, chance) for tokens, chance in becomes.items() if chance > 0]
        after = {before + tokens: share * chance for before, share in after.items() for tokens, chance in possible}
    return after


def word_chances(found: Chain, language: str, length: int) -> dict[str, float]:
    """How probably each word is what a run ends in, from a chain: its states' shares, step by step, until all rest."""
    shares, ended = {tuple(encode(language, length).ids.tolist()): 1.0}, defaultdict[str, float](float)
    while sum(shares.values()) > UNENDED:
        following: dict[Tokens, float] = defaultdict(float)
        for state, share in shares.items():
            if set(found[state]) == {state}:
                ended[str(decode(Sequence(torch.tensor(state))))] += share
                continue
            for after, chance in found[state].items():
                following[after] += share * chance
        shares = following
    return dict(ended)


@torch.no_grad()
def log_chances(model: Predictor, language: str, wanted: list[str]) -> list[float]:
    """For each of these words, all of one length, the log-probability of one run of the model that writes it.

    The run takes pairs in the order in which they cancel, backwards: fuel to the right of all other fuel hops to the
    place and becomes the pair, while the rest waits. -inf if the model does something else than that, or if the cut-off
    rules a step out.
    """
    plans = [_insertions(word) for word in wanted]
    state = State.stack([encode(language, len(wanted[0]))] * len(wanted))
    total = torch.zeros(len(state), dtype=torch.float64)
    for _ in range(8 * (len(wanted[0]) + 2) ** 2):
        prediction = _predicted(model, state)
        edits = _planned(prediction, state, plans, language)
        total += prediction.log_probability(state, edits)
        following = transition(state, edits)
        if bool(same_rows(state, following).all()):
            break
        state = following
    ends = [decode(state.sequence(row)) for row in range(len(state))]
    return [float(sure) if end == word else -torch.inf for sure, end, word in zip(total, ends, wanted, strict=True)]


def _insertions(word: str) -> list[int]:
    """What fuel chooses, one after the other: HOP over a letter, or the PAIR of a letter; last choice first."""
    if not word:
        return []
    place = next((i for i in range(len(word) - 1) if cancel(word[i], word[i + 1])), None)
    if place is None:
        raise ValueError(f"no pair of neighbours cancels in {word}")
    pair = int(PAIR_ID[LETTERS.index(word[place])])
    return [pair, *[-1] * place, *_insertions(word[:place] + word[place + 2 :])]


def _planned(prediction: Prediction, state: State, plans: list[list[int]], language: str) -> Edits:
    """What the model is sure of, its choices as planned, and fuel that starts only if nothing is under way."""
    edits, kinds = Greedy()(prediction, state), KIND[state.ids]
    chooses = edits.unmasked(state) & (prediction.content.isfinite().sum(-1) > 1)
    content = edits.content.clone()
    for row, column in chooses.nonzero().tolist():
        choice = plans[row].pop()
        content[row, column] = HOP_ID[LANGUAGES.index(language)] if choice < 0 else choice
    fuel = kinds == FUEL
    idle = ~((kinds == MASKED) | (kinds == HOP) | (kinds == PAIR)).any(1, keepdim=True)
    last = fuel & (fuel.long().cumsum(1) == fuel.sum(1, keepdim=True))
    return Edits(content, edits.remask, edits.insert | (last & idle), edits.delete)
