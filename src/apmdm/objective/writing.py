"""Learning to write sequences from either end: one pass teaches every step of a run."""

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from functools import partial

from apmdm.objective.batch import Batch
from apmdm.objective.self_supervised import Spot, labelled
from apmdm.objective.supervised import LossWeights, supervised_loss
from apmdm.vocab import MASK

writing_loss = partial(supervised_loss, weights=LossWeights(controls=3.0, hints=0.0))
"""Whether a sequence ends counts about as much as which token comes next."""


def with_places(sequence: Iterable[int]) -> list[int]:
    """The sequence with a MASK behind every token, at which the next one is written.

    Where attention is to what is written, each MASK sees what it sees in a run from the left.
    """
    return [one for token in sequence for one in (token, MASK)]


def writing(sequences: Iterable[Seq[int]]) -> Batch:
    """The states of all steps of the runs that write these sequences behind their first tokens, with the edits.

    A MASK that is written inserts the next one, and the last one is deleted.
    """
    rows = []
    for sequence in sequences:
        spots = [Spot(token) for token in with_places(sequence)]
        for place, token in zip(spots[1::2], sequence[1:], strict=False):
            place.content, place.insert = token, True
        spots[-1].delete = True
        rows.append(spots)
    return labelled(rows)
