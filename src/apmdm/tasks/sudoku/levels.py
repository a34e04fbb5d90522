"""What follows when a run has used up all levels: most of what it guessed counts as given, and it goes on from there.

A wrong guess among these can no longer be taken back. So a puzzle with many solutions is nearly always solved, and one
with a single solution perhaps not. Nothing but the model fills a cell.
"""

from dataclasses import replace
from itertools import pairwise

import torch

from apmdm.edits import edits_between
from apmdm.sampler import Run
from apmdm.state import Sequence
from apmdm.tasks.sudoku.grid import FAIL, NUM_LEVELS, R1, Board, as_state
from apmdm.trace import Step
from apmdm.vocab import MASK

FREED = 8
"""Levels whose cells are emptied, the highest ones: what was guessed last is most often what is wrong."""


def kept(run: Run, board: Board, clues: list[int]) -> list[int] | None:
    """The clues to go on from; None if the run ended otherwise, or these are no more than it began with."""
    ids = run.final.ids
    if run.stop != "fixed point" or len(ids) != board.length or int(ids[R1]) == FAIL:
        return None
    level = board.level[ids[:R1]]
    if int(level.amax()) < NUM_LEVELS - 1:
        return None
    found = board.value[ids[:R1]].masked_fill(level >= NUM_LEVELS - FREED, 0).tolist()
    return found if found.count(0) < clues.count(0) else None


def joined(first: Run, second: Run) -> Run:
    """One run of two, with the two steps between them, which are not the model's, if steps were recorded.

    The state of the first run remains if the second one found a contradiction: what was kept was wrong.
    """
    length = len(first.final)
    if FAIL in second.final.ids.tolist():
        final, steps = first.final, first.steps
    else:
        between = _steps(first.final, second.steps[0].tokens) if first.steps and second.steps else ()
        final, steps = second.final, (*first.steps, *between, *second.steps)
    return replace(
        first,
        final=final,
        time=first.time + 2 + second.time,
        work=first.work + 2 * length + second.work,
        computed=first.computed + second.computed,
        stop=second.stop,
        log_probability=first.log_probability + second.log_probability,
        steps=steps,
    )


def _steps(before: Sequence, after: tuple[int, ...]) -> tuple[Step, ...]:
    """Everything that differs is remasked, and then written."""
    old, new = before.ids[None], torch.tensor([after])
    blank = torch.where(old == new, old, MASK)
    states = [as_state(ids) for ids in (old, blank, new)]
    return tuple(Step.of(state, edits_between(state, following), 0) for state, following in pairwise(states))
