"""Training states for pairs: states of the oracle's runs, some of them with random errors put in."""

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from random import Random

import torch
from jaxtyping import Bool
from torch import Tensor

from apmdm.edits import Edits
from apmdm.objective.batch import Batch, Batches
from apmdm.pairs.oracle import oracle
from apmdm.pairs.sequence import GO_ID, Code
from apmdm.pairs.table import Pair
from apmdm.state import Sequence, State, same_rows
from apmdm.step import transition
from apmdm.training.chunked import Chunked, seed_of
from apmdm.vocab import PAD

PER_CHUNK = 64
SHORTEST_STEM = 3


@dataclass(frozen=True)
class Drawing:
    """How training runs are drawn.

    runs: how many are drawn at once. steps: the most steps of a run.
    share_spoilt: the share of runs in which each decision is changed with probability `spoil`.
    share_partial: the share of runs in which a step writes only some of the MASKs that the oracle writes. The model
    then learns the others given these.
    share_varied: the share of runs whose stem is replaced by random characters (Anastasopoulos and Neubig 2019).
    """

    runs: int = 200
    steps: int = 8
    share_spoilt: float = 0.6
    spoil: float = 0.08
    share_partial: float = 0.5
    share_varied: float = 0.5

    def __post_init__(self) -> None:
        if min(self.runs, self.steps) < 1:
            raise ValueError(f"runs and steps are at least 1, got {self.runs} and {self.steps}")
        if not all(0 <= share <= 1 for share in (self.share_spoilt, self.spoil, self.share_partial, self.share_varied)):
            raise ValueError(f"share_spoilt, spoil, share_partial and share_varied are in [0, 1], got {self}")


USUAL = Drawing()


def batches(code: Code, pairs: Seq[Pair], seed: int, batch_size: int, drawing: Drawing = USUAL) -> Batches:
    """Training batches as a function of their number: states of similar length, labelled by the oracle."""

    def cut(number: int) -> tuple[list[tuple[Sequence, list[int]]], list[int]]:
        states: list[tuple[Sequence, list[int]]] = []
        random, size = Random(seed_of(seed, number)), PER_CHUNK * batch_size
        while len(states) < size:
            states += zip(*chunk(code, pairs, random.randrange(2**62), drawing), strict=True)
        chosen = random.sample(states, size)
        return sorted(chosen, key=lambda one: len(one[0])), random.sample(range(0, size, batch_size), PER_CHUNK)

    chunks = Chunked(cut, PER_CHUNK)

    def batch(number: int) -> Batch:
        (states, starts), place = chunks(number)
        sequences, targets = zip(*states[starts[place] : starts[place] + batch_size], strict=True)
        state = State.stack(sequences)
        return Batch(state, oracle(state, targets))

    return batch


def chunk(code: Code, pairs: Seq[Pair], seed: int, drawing: Drawing = USUAL) -> tuple[list[Sequence], list[list[int]]]:
    """All states of `drawing.runs` runs, the last ones included, and the target of each state."""
    random, chance = Random(seed), torch.Generator().manual_seed(seed)
    drawn = random.choices(pairs, k=drawing.runs)
    drawn = [varied(code, pair, random) if random.random() < drawing.share_varied else pair for pair in drawn]
    state = State.stack([code.encode(pair.source, pair.features) for pair in drawn])
    goals = [code.target(pair) for pair in drawn]
    spoilt, partial = (
        (torch.rand(len(state), 1, generator=chance) < share) for share in (drawing.share_spoilt, drawing.share_partial)
    )
    sequences, targets = [], []
    new = torch.ones(len(state), dtype=torch.bool)
    for _ in range(drawing.steps + 1):
        for row in new.nonzero()[:, 0].tolist():
            sequences.append(state.sequence(row))
            targets.append(goals[row])
        edits = _partly(oracle(state, goals), state, partial, chance)
        next_state = transition(state, _with_slips(edits, state, spoilt * drawing.spoil, code, chance))
        new, state = ~same_rows(state, next_state), next_state
    return sequences, targets


def varied(code: Code, pair: Pair, random: Random) -> Pair:
    """The pair with random characters, some unknown, inside the longest text that source and target share."""
    i, j, length = _stem(pair.source, pair.target)
    if length < SHORTEST_STEM:
        return pair
    inner = "".join(random.choices([*code.characters, *code.strangers], k=length - 2))
    source = pair.source[: i + 1] + inner + pair.source[i + length - 1 :]
    return Pair(source, pair.target[: j + 1] + inner + pair.target[j + length - 1 :], pair.features)


@lru_cache(maxsize=2**17)
def _stem(source: str, target: str) -> tuple[int, int, int]:
    found = SequenceMatcher(None, source, target, autojunk=False).find_longest_match()
    return found.a, found.b, found.size


def _partly(edits: Edits, state: State, rows: Bool[Tensor, "batch 1"], chance: torch.Generator) -> Edits:
    """In these rows a random share of the MASKs that would be written waits."""
    share = torch.rand(len(state), 1, generator=chance)
    waits = edits.unmasked(state) & rows & (torch.rand(state.ids.shape, generator=chance) < share)
    return Edits(edits.content, edits.remask | waits, edits.insert, edits.delete)


def _with_slips(edits: Edits, state: State, spoil: Tensor, code: Code, chance: torch.Generator) -> Edits:
    """Every decision about the copy is changed with this probability; at GO only the insertion."""
    go = (state.ids == GO_ID).cumsum(1) > 0
    copy = go & (state.ids != GO_ID) & state.valid
    wrong, remask, insert, delete = torch.rand(4, *state.ids.shape, generator=chance) < spoil
    known = code.character_ids
    random = torch.randint(known.start, known.stop, state.ids.shape, generator=chance)
    content = torch.where(copy & state.masked, torch.where(wrong, random, edits.content), PAD)
    return Edits(content, edits.remask ^ (remask & copy), edits.insert ^ (insert & go), edits.delete ^ (delete & copy))
