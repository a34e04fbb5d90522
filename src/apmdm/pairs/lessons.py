"""What a model of pairs learns from: the edits that write a target from left to right.

The leftmost MASK of the copy is written, which may insert another MASK after it, or it is deleted. All others wait.
"""

from collections.abc import Callable
from collections.abc import Sequence as Seq
from difflib import SequenceMatcher
from functools import lru_cache
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.objective.batch import Batch, Batches
from apmdm.pairs.alignment import Column, columns
from apmdm.pairs.sequence import MIRRORED_ID, STRANGE_ID, Code
from apmdm.pairs.table import Pair
from apmdm.state import Sequence, State
from apmdm.training.chunked import Chunked, seed_of
from apmdm.vocab import MASK, PAD

PER_CHUNK = 16
SHORTEST_STEM, SHARE_FOREIGN, SHARE_STRANGE = 3, 0.1, 0.02
"""Stems at least this long are varied. The shares of these stems, and of the characters of the other ones, that become
unknown characters, and of features that are made unknown."""
Lesson = tuple[Sequence, list[Column | None]]
"""A state, and for each of its positions the column that is to be decided there, if any."""


def lesson(code: Code, pair: Pair, *, mirrored: bool = False, random: Random | None = None) -> Lesson:
    """All steps of a run at once: in front of every token of the copy stands the MASK that it is written at.

    Where attention is to what is written, a MASK sees there what it sees in the run. random: makes some features
    unknown.
    """
    pair, conditions = (pair.mirrored() if mirrored else pair), code.conditions(pair.features, mirrored)
    if random is not None:
        conditions = [
            STRANGE_ID if token != MIRRORED_ID and random.random() < SHARE_STRANGE else token for token in conditions
        ]
    decided: list[tuple[int, Column | None, int]] = []
    for column in _columns(code, pair):
        decided.append((MASK, column, column.place))
        if column.token is not None:
            decided.append((column.token, None, column.place))
    tokens, wanted, places = zip(*decided, strict=True)
    return _told(code, pair, conditions, tokens, places, wanted)


Teaching = Callable[..., Lesson]
"""Makes a lesson of a code and a pair, mirrored or not, with a random generator."""


def batches(
    code: Code,
    pairs: Seq[Pair],
    seed: int,
    batch_size: int,
    *,
    share_varied: float,
    lesson: Teaching = lesson,
    share_mirrored: float = 0.5,
) -> Batches:
    """Training batches as a function of their number: one lesson a pair, and those of a batch similar in length.

    In a share of the pairs the stem is replaced by random characters (Anastasopoulos and Neubig 2019).
    """

    def drawn(random: Random) -> Lesson:
        pair = random.choice(pairs)
        pair = varied(code, pair, random) if random.random() < share_varied else pair
        return lesson(code, pair, mirrored=random.random() < share_mirrored, random=random)

    def chunk(number: int) -> tuple[list[Lesson], list[int]]:
        random, size = Random(seed_of(seed, number)), PER_CHUNK * batch_size
        lessons = sorted((drawn(random) for _ in range(size)), key=lambda one: len(one[0]))
        return lessons, random.sample(range(0, size, batch_size), PER_CHUNK)

    def batch(chunk: tuple[list[Lesson], list[int]], number: int) -> Batch:
        lessons, starts = chunk
        first = starts[number % PER_CHUNK]
        return labelled(lessons[first : first + batch_size])

    return Chunked(chunk, batch, PER_CHUNK)


def run(code: Code, pair: Pair, *, mirrored: bool = False) -> list[Lesson]:
    """The states of a run, the last one included, each with the column that is decided next."""
    pair, conditions = (pair.mirrored() if mirrored else pair), code.conditions(pair.features, mirrored)
    whole, states = _columns(code, pair), []
    there = [before is None or not before.more for before in (None, *whole[:-1])]
    for number in range(len(whole) + 1):
        written = [(column.token, column.place, None) for column in whole[:number] if column.token is not None]
        open_now = [
            (MASK, column.place, column if place == number else None)
            for place, column in enumerate(whole)
            if place >= number and (place == number or there[place])
        ]
        tokens, places, wanted = zip(*written, *open_now, strict=True) if written or open_now else ((), (), ())
        states.append(_told(code, pair, conditions, tokens, places, wanted))
    return states


def labelled(lessons: Seq[Lesson]) -> Batch:
    """States with the edits that decide their columns. MASKs without a column wait."""
    state = State.stack([sequence for sequence, _ in lessons])
    width = state.ids.shape[1]
    wanted = [[*columns, *[None] * (width - len(columns))] for _, columns in lessons]

    def told(value: Callable[[Column | None], int]) -> torch.Tensor:
        return torch.tensor([[value(column) for column in row] for row in wanted]).view(len(lessons), width)

    content = told(lambda column: PAD if column is None or column.token is None else column.token)
    delete = told(lambda column: column is not None and column.token is None)
    insert = told(lambda column: column is not None and column.more)
    return Batch(state, Edits(content, state.masked & (content == PAD) & ~delete, insert, delete))


def varied(code: Code, pair: Pair, random: Random) -> Pair:
    """The pair with random characters, some unknown, inside the longest text that source and target share.

    Now and then this text has unknown characters only.
    """
    i, j, length = _stem(pair.source, pair.target)
    if length < SHORTEST_STEM:
        return pair
    strange, kept = (1.0, 0) if random.random() < SHARE_FOREIGN else (SHARE_FOREIGN, 1)
    stem = "".join(
        random.choice(code.strangers if random.random() < strange else code.characters)
        for _ in range(length - 2 * kept)
    )
    source, target = (
        text[: at + kept] + stem + text[at + length - kept :] for text, at in ((pair.source, i), (pair.target, j))
    )
    return Pair(source, target, pair.features)


@lru_cache(maxsize=2**17)
def _stem(source: str, target: str) -> tuple[int, int, int]:
    found = SequenceMatcher(None, source, target, autojunk=False).find_longest_match()
    return found.a, found.b, found.size


def _columns(code: Code, pair: Pair) -> list[Column]:
    return columns(code.tokens(pair.source), code.target(pair))


def _told(
    code: Code, pair: Pair, conditions: Seq[int], tokens: Seq[int], places: Seq[int], wanted: Seq[Column | None]
) -> Lesson:
    sequence = code.copied(pair.source, conditions, tokens, places)
    return sequence, [*[None] * (len(sequence) - len(tokens)), *wanted]
