"""AP-MDM from plain sequences, without traces: what corruption did is what the model learns to undo.

Every sequence begins with a token that nothing changes, so that something may be missing in front of all others. Half
of a batch are sequences with errors, to be found: wrong and superfluous tokens are remasked, and a MASK is inserted
where one is missing. The other half have MASKs, to be resolved: superfluous ones are deleted, the others written.
"""

from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.objective.masked import masked_loss
from apmdm.objective.supervised import Loss, supervised_loss
from apmdm.prediction import Prediction
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, PAD

MOST = 3
"""Errors, or superfluous MASKs, of a training sequence: 0 to so many, equally often."""


@dataclass
class Spot:
    """A token of a corrupted sequence and what is to be done: content is what belongs there, PAD if nothing does."""

    token: int
    content: int = PAD
    remask: bool = False
    insert: bool = False
    delete: bool = False


def corrupted(sequences: Seq[Seq[int]], alphabet: Seq[int], random: Random) -> tuple[State, Edits]:
    """One batch: sequences at even places get errors, the others MASKs. alphabet: the tokens that errors write."""
    rows = [
        with_masks(sequence, random.randint(0, MOST), random)
        if place % 2
        else with_errors(sequence, random.randint(0, MOST), alphabet, random)
        for place, sequence in enumerate(sequences)
    ]
    state = State.stack([Sequence(torch.tensor([spot.token for spot in row])) for row in rows])
    width = state.ids.shape[1]
    fields = (
        torch.tensor([[getattr(spot, name) for spot in row] + [0] * (width - len(row)) for row in rows])
        for name in ("content", "remask", "insert", "delete")
    )
    return state, Edits(next(fields), *(bits.bool() for bits in fields))


def with_errors(sequence: Seq[int], num: int, alphabet: Seq[int], random: Random) -> list[Spot]:
    """So many tokens replaced, removed or added, each kind equally often; no spot is hit twice."""
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


def with_masks(sequence: Seq[int], superfluous: int, random: Random) -> list[Spot]:
    """A share of the tokens, uniform over the possible ones, masked, and so many MASKs more, the last of their runs."""
    hidden = set(random.sample(range(1, len(sequence)), random.randint(1, len(sequence) - 1)))
    spots = [Spot(MASK if i in hidden else token, token if i else PAD) for i, token in enumerate(sequence)]
    for _ in range(superfluous):
        i = random.randrange(len(spots)) + 1
        while i < len(spots) and spots[i].token == MASK:
            i += 1
        spots.insert(i, Spot(MASK, delete=True))
    return spots


def self_supervised_loss(prediction: Prediction, state: State, edits: Edits) -> Loss:
    """The supervised loss of the control bits; for content the loss of masked diffusion, with its weight 1/t."""
    return replace(supervised_loss(prediction, state, edits), content=masked_loss(prediction, state, edits).content)
