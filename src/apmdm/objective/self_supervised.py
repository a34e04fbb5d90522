"""AP-MDM learned from plain sequences, without traces: a model learns to undo random corruptions.

Every sequence begins with a token that nothing changes, so that something may be missing in front of all others. Half
of a batch are sequences with errors: the model learns to remask wrong and superfluous tokens, and to insert a MASK
where a token is missing. The others have MASKs. In half of these any share of the tokens is hidden, which teaches most
of what sequences look like. The other half have few MASKs, some of them superfluous, as runs have: the model learns to
delete these and to write the rest.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.objective.batch import Batch
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, PAD

MAX_ERRORS = 3
"""The most errors, or MASKs where these are few, of a training sequence."""
ERRORS = 25, 40, 25, 10
"""How many of a hundred sequences with errors have 0 to MAX_ERRORS of them."""


@dataclass
class Spot:
    """A token of a corrupted sequence and the edits it needs. content is the right token, PAD if there is none."""

    token: int
    content: int = PAD
    remask: bool = False
    insert: bool = False
    delete: bool = False


def corrupted(sequences: Seq[Seq[int]], alphabet: Seq[int], random: Random, end: Seq[int] = ()) -> Batch:
    """A batch in which sequences at even places get errors, from tokens of the alphabet, and the others MASKs.

    end: tokens that follow every sequence and stay as they are.
    """
    rows = []
    for place, sequence in enumerate(sequences):
        if place % 2 == 0:
            (num,) = random.choices(range(MAX_ERRORS + 1), ERRORS)
            rows.append(with_errors(sequence, num, alphabet, random))
        elif place % 4 == 1:
            rows.append(with_masks(sequence, random.randint(1, len(sequence) - 1), 0, random))
        else:
            hidden = random.randint(0, min(MAX_ERRORS, len(sequence) - 1))
            rows.append(with_masks(sequence, hidden, random.randint(int(hidden == 0), MAX_ERRORS - hidden), random))
    return labelled([[*row, *map(Spot, end)] for row in rows])


def labelled(rows: Seq[Seq[Spot]]) -> Batch:
    """The states of these rows, with their edits."""
    state = State.stack([Sequence(torch.tensor([spot.token for spot in row])) for row in rows])
    width = state.ids.shape[1]
    fields = (
        torch.tensor([[getattr(spot, name) for spot in row] + [0] * (width - len(row)) for row in rows])
        for name in ("content", "remask", "insert", "delete")
    )
    return Batch(state, Edits(next(fields), *(bits.bool() for bits in fields)))


def with_errors(sequence: Seq[int], num: int, alphabet: Seq[int], random: Random) -> list[Spot]:
    """The sequence with `num` tokens replaced, removed or added, each equally often. No spot is hit twice."""
    spots = [Spot(token) for token in sequence]
    for _ in range(num):
        kind = random.choice(("replace", "remove", "add"))
        intact = [i for i, spot in enumerate(spots) if i and not (spot.remask or spot.insert)]
        if kind == "add" or not intact:
            spots.insert(random.randrange(len(spots)) + 1, Spot(random.choice(alphabet), remask=True))
            continue
        i = random.choice(intact)
        if kind == "replace":
            spots[i] = Spot(random.choice([token for token in alphabet if token != spots[i].token]), remask=True)
        else:
            spots[i - 1].insert = True
            del spots[i]
    return spots


def with_masks(sequence: Seq[int], num: int, superfluous: int, random: Random) -> list[Spot]:
    """The sequence with `num` of its tokens but the first masked, and superfluous MASKs after some runs of MASKs."""
    hidden = set(random.sample(range(1, len(sequence)), num))
    spots = [Spot(MASK if i in hidden else token, token if i else PAD) for i, token in enumerate(sequence)]
    for _ in range(superfluous):
        i = random.randrange(len(spots)) + 1
        while i < len(spots) and spots[i].token == MASK:
            i += 1
        spots.insert(i, Spot(MASK, delete=True))
    return spots
