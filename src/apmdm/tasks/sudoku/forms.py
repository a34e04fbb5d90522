"""Sudoku as prompt and answer: as a grid, and as text whose tokens say value and cell.

As text the givens come first, then `=`, then the other cells in some order, or what the teacher does: what it fills,
`guess` before a guess, `undo` for a guess that is taken back with all that followed from it; then END.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise

import torch
from jaxtyping import Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.paradigms.form import END, Form, Verdict, asked
from apmdm.state import Sequence, State
from apmdm.tasks.sudoku.data import answers_of, training_puzzles
from apmdm.tasks.sudoku.grid import NINE, R1, encode
from apmdm.tasks.sudoku.process import next_ids
from apmdm.tasks.sudoku.puzzles import solutions
from apmdm.tasks.sudoku.symmetry import random_symmetries
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.vocab import MASK, PAD, Vocab, joined

CELLS, PLACES = NINE.cells, NINE.coordinates[: NINE.cells]
GRID = Vocab.of(list(NINE.digits))
"""Value v has the id v + MASK."""
_units = torch.arange(3) * NINE.side
_places = [f"r{r}@c{c}@b{b}" for r, c, b in (NINE.units_of - _units).tolist()]
TEXT = Vocab.of("=", "guess", "undo", END, joined(_places, NINE.digits))
EQUALS, GUESS, UNDO, FINISH, FIRST = TEXT.encode(["=", "guess", "undo", END, joined(_places, NINE.digits)[0]])
LONGEST = 192
"""Tokens of a prompt and its trace; training puzzles whose traces are longer are left out."""


def grid_form() -> Form:
    """81 cells with their coordinates: the answer is written into the puzzle."""
    return Form("grid", GRID, _grid_examples, _grid_start, lambda puzzle, final: verdict(puzzle, values_of(final)))


def texts() -> tuple[Form, Form, Form, Form]:
    """The answer in reading order, in the order in which the teacher finds it, the teacher's trace, and the same on a
    canvas of LONGEST tokens, with END on what it leaves.
    """

    def form(name: str, tell: Callable[[Tensor, Tensor], list[list[int]]], canvas: int = 0) -> Form:
        examples, start = partial(_text_examples, tell, canvas), partial(_text_start, canvas=canvas)
        return Form(name, TEXT, examples, start, lambda p, final: verdict(p, values_told(final)))

    return (
        form("row order", in_row_order),
        form("teacher's order", in_teachers_order),
        form("trace", traces),
        form("trace on a canvas", traces, LONGEST),
    )


def verdict(puzzle: str, values: list[int]) -> Verdict:
    """values: 81, 0 where a cell has none. Valid is an answer that is complete and keeps the givens."""
    givens = NINE.parse(puzzle)
    (solution,) = _solution(puzzle)
    asked_for = [cell for cell in range(CELLS) if not givens[cell]]
    kept = all(given in (0, value) for given, value in zip(givens, values, strict=True))
    share = sum(values[cell] == solution[cell] for cell in asked_for) / len(asked_for)
    return Verdict(is_solution(givens, values), kept and all(values), share)


@lru_cache(maxsize=10_000)
def _solution(puzzle: str) -> list[list[int]]:
    return solutions(NINE.parse(puzzle))


@lru_cache(maxsize=1)
def _training() -> tuple[Tensor, Tensor]:
    return training_puzzles(), answers_of(training_puzzles())


def copies(num: int, random: torch.Generator) -> tuple[Int[Tensor, "num cells"], Int[Tensor, "num cells"]]:
    """Symmetry copies of the training puzzles, and their answers."""
    chosen = torch.randint(len(_training()[0]), (num,), generator=random)
    turned = random_symmetries(num, random)
    puzzles, answers = (turned(grids[chosen]) for grids in _training())
    return puzzles, answers


def _grid_examples(num: int, random: torch.Generator) -> tuple[State, Edits]:
    puzzles, answers = copies(num, random)
    state = State(puzzles + MASK, torch.full((num,), CELLS), PLACES.expand(num, -1, -1))
    never = torch.zeros_like(state.masked)
    return state, Edits(torch.where(state.masked, answers + MASK, PAD), never, never, never)


def _grid_start(puzzle: str) -> Sequence:
    return Sequence(torch.tensor(NINE.parse(puzzle)) + MASK, PLACES)


def values_of(final: Sequence) -> list[int]:
    return (final.ids - MASK).tolist()


def _text_examples(
    tell: Callable[[Tensor, Tensor], list[list[int]]], canvas: int, num: int, random: torch.Generator
) -> tuple[State, Edits]:
    prompts, answers = [], []
    while len(prompts) < num:
        puzzles, solved = copies(num - len(prompts), random)
        for puzzle, answer in zip(puzzles, tell(puzzles, solved), strict=True):
            prompt = _prompt(puzzle)
            if len(prompt) + len(answer) <= LONGEST:
                prompts.append(prompt)
                answers.append(answer + [FINISH] * (canvas - len(prompt) - len(answer)))
    return asked(prompts, answers)


def _text_start(puzzle: str, canvas: int) -> Sequence:
    prompt = _prompt(torch.tensor(NINE.parse(puzzle)))
    length = canvas or CELLS + 2
    return Sequence(torch.tensor(prompt + [MASK] * (length - len(prompt))))


def _prompt(puzzle: Int[Tensor, "cells"]) -> list[int]:
    return [*_told(puzzle, puzzle.nonzero()[:, 0]), EQUALS]


def _told(values: Int[Tensor, "cells"], cells: Int[Tensor, "told"]) -> list[int]:
    return (FIRST + cells * NINE.side + values[cells] - 1).tolist()


def in_row_order(puzzles: Int[Tensor, "N cells"], answers: Int[Tensor, "N cells"]) -> list[list[int]]:
    pairs = zip(puzzles, answers, strict=True)
    return [[*_told(answer, (puzzle == 0).nonzero()[:, 0]), FINISH] for puzzle, answer in pairs]


def in_teachers_order(puzzles: Int[Tensor, "N cells"], answers: Int[Tensor, "N cells"]) -> list[list[int]]:
    """By the step in which the teacher writes a cell for the last time."""
    path = _path(puzzles)
    written = path[1:] != path[:-1]
    last = torch.where(written, torch.arange(1, len(path))[:, None, None], 0).amax(0)
    order = last.argsort(dim=1, stable=True)
    return [[*_told(answers[n], order[n][puzzles[n][order[n]] == 0]), FINISH] for n in range(len(puzzles))]


def traces(puzzles: Int[Tensor, "N cells"], answers: Int[Tensor, "N cells"]) -> list[list[int]]:
    path = _path(puzzles)
    told: list[list[int]] = [[] for _ in puzzles]
    for before, after in pairwise(path):
        changed = before != after
        for n in changed.any(1).nonzero()[:, 0].tolist():
            cells = changed[n].nonzero()[:, 0]
            if bool(NINE.is_guess[before[n, cells]].any()):
                told[n].append(UNDO)
            if bool(NINE.is_guess[after[n, cells]].any()):
                told[n].append(GUESS)
            told[n] += _told(NINE.value[after[n]], cells[after[n, cells] != MASK])
    return [[*tokens, FINISH] for tokens in told]


def _path(puzzles: Int[Tensor, "N cells"]) -> Int[Tensor, "steps N cells"]:
    """The cells of the teacher's states, the last repeated until every puzzle is done or none can be told any more."""
    ids = encode(puzzles).ids
    states = [ids[:, :R1]]
    while len(states) <= LONGEST:
        following = next_ids(ids)
        if torch.equal(following, ids):
            break
        ids = following
        states.append(ids[:, :R1])
    return torch.stack(states)


def values_told(final: Sequence) -> list[int]:
    """The 81 values that a text leaves, 0 where there is none; a cell told twice has the value told last."""
    levels: list[dict[int, int]] = [{}]
    for token in final.ids.tolist():
        if token == FINISH:
            break
        if token == GUESS:
            levels.append({})
        elif token == UNDO:
            levels = levels[:-1] or [{}]
        elif token >= FIRST:
            cell, value = divmod(token - FIRST, NINE.side)
            levels[-1][cell] = value + 1
    values = {cell: value for level in levels for cell, value in level.items()}
    return [values.get(cell, 0) for cell in range(CELLS)]
