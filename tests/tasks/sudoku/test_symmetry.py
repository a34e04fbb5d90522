"""Symmetries and the search for leaks, against an exact canonical form."""

from itertools import permutations, product

import numpy as np
import torch

from apmdm.tasks.sudoku.data import answers_of, change_clues, generated, training_puzzles
from apmdm.tasks.sudoku.puzzles import count_solutions
from apmdm.tasks.sudoku.symmetry import fingerprint, leaks, random_symmetries
from apmdm.tasks.sudoku.verify import is_solution

COLUMN_ORDERS = np.array(
    [
        [3 * stack + column for stack, inner in zip(stacks, columns, strict=True) for column in inner]
        for stacks in permutations(range(3))
        for columns in product(permutations(range(3)), repeat=3)
    ]
)
PLACES = 10 ** np.arange(9)[::-1]


def canonical(puzzle: list[int]) -> tuple[int, ...]:
    """The least of all symmetric copies, row by row, with values named in order of appearance.

    Two puzzles are copies of each other exactly if theirs are equal. Every arrangement of the columns of the
    grid and of its transpose is kept as long as the rows put on top so far are the least possible.
    """
    grid = np.array(puzzle).reshape(9, 9)
    sides = [np.unique(side[:, COLUMN_ORDERS].swapaxes(0, 1), axis=0) for side in (grid, grid.T)]
    grids = np.concatenate(sides)
    used, band = np.zeros((len(grids), 9), bool), np.zeros(len(grids), int)
    names = np.zeros((len(grids), 10), int)
    least = []
    for number in range(9):
        allowed = ~used
        if number % 3:
            allowed &= np.arange(9) // 3 == band[:, None]
        image, row = allowed.nonzero()
        line = grids[image, row]
        known = np.take_along_axis(names[image], line, 1)
        new = (line > 0) & (known == 0)
        named = np.where(new, names[image].max(1, keepdims=True) + new.cumsum(1), known)
        keys = named @ PLACES
        least.append(int(keys.min()))
        best = keys == keys.min()
        image, row, line, named = image[best], row[best], line[best], named[best]
        grids, used, names, band = grids[image], used[image], names[image], row // 3
        used[np.arange(len(row)), row] = True
        np.put_along_axis(names, line, named, 1)
    return tuple(least)


def copies(puzzles: torch.Tensor, seed: int) -> torch.Tensor:
    """One random copy of each."""
    return random_symmetries(len(puzzles), torch.Generator().manual_seed(seed))(puzzles)


def test_copies_are_puzzles_with_the_copied_answer() -> None:
    puzzles = training_puzzles()[:30]
    copy = random_symmetries(30, torch.Generator().manual_seed(0))
    for puzzle, answer in zip(copy(puzzles).tolist(), copy(answers_of(puzzles)).tolist(), strict=True):
        assert count_solutions(puzzle) == 1
        assert is_solution(puzzle, answer)


def test_every_kind_of_symmetry_is_drawn() -> None:
    many = random_symmetries(4000, torch.Generator().manual_seed(1))
    assert (many.source.sort(1).values == torch.arange(81)).all()
    assert (many.relabel[:, 0] == 0).all()
    assert len(many.relabel.unique(dim=0)) > 3900
    transposed = (many.source[:, 1] // 9) != (many.source[:, 0] // 9)
    assert 0.45 < transposed.float().mean() < 0.55
    assert torch.bincount(many.source[:, 0], minlength=81).min() > 10, "any cell can come first"


def test_canonical_forms_are_equal_exactly_for_copies() -> None:
    puzzles = training_puzzles()[::10]
    forms = [canonical(puzzle) for puzzle in puzzles.tolist()]
    assert len(set(forms)) == len(forms)
    assert [canonical(puzzle) for puzzle in copies(puzzles, 2).tolist()] == forms


def test_training_puzzles_are_no_copies_of_each_other() -> None:
    answers = answers_of(training_puzzles())
    assert len({fingerprint(answer) for answer in answers.tolist()}) == len(answers)


def test_leaks_finds_every_copy_and_nothing_else() -> None:
    known = training_puzzles()
    answers = answers_of(known)
    fresh = generated(10, seed=8)
    mixed = torch.cat((copies(known[:20], 3), fresh, copies(known[80:], 4)))
    expected = [*range(20), *range(30, 50)]
    assert leaks(answers.tolist(), answers_of(mixed).tolist()) == expected
    forms = {canonical(puzzle) for puzzle in known[10:25].tolist()}
    assert [i for i in range(10, 30) if canonical(mixed[i].tolist()) in forms] == [*range(10, 20)]


def test_leaks_finds_copies_with_more_clues() -> None:
    answers = answers_of(training_puzzles())
    more = change_clues(training_puzzles(), answers, torch.Generator().manual_seed(5))
    unique = torch.tensor([count_solutions(puzzle) == 1 for puzzle in more.tolist()])
    assert (more[unique] != training_puzzles()[unique]).any(1).sum() > 30
    found = leaks(answers.tolist(), answers_of(copies(more[unique], 6)).tolist())
    assert found == list(range(int(unique.sum())))
