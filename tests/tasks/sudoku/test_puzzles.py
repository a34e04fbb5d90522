"""The exact solver against plain search, and the promises of the generator."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.tasks.sudoku.data import training_puzzles
from apmdm.tasks.sudoku.grid import BOARDS, FOUR, NINE, SIXTEEN, Board, to_text
from apmdm.tasks.sudoku.puzzles import (
    FEWEST_CLUES,
    count_solutions,
    count_within,
    full_grid,
    generated_puzzle,
    solutions,
)
from apmdm.tasks.sudoku.symmetry import fingerprint, random_symmetries
from apmdm.tasks.sudoku.verify import is_solution


def slow_solutions(puzzle: list[int]) -> list[list[int]]:
    """All of them, cell by cell in reading order."""
    if 0 not in puzzle:
        return [puzzle]
    cell = puzzle.index(0)
    row, column = divmod(cell, 9)
    peers = [9 * row + i for i in range(9)] + [9 * i + column for i in range(9)]
    peers += [9 * (row // 3 * 3 + i // 3) + column // 3 * 3 + i % 3 for i in range(9)]
    free = set(range(1, 10)) - {puzzle[peer] for peer in peers}
    return [found for value in sorted(free) for found in slow_solutions([*puzzle[:cell], value, *puzzle[cell + 1 :]])]


@settings(max_examples=40)
@given(st.integers(0, 2**32 - 1), st.integers(0, 36), st.booleans())
def test_finds_all_solutions(seed: int, num_removed: int, spoil: bool) -> None:
    rng = np.random.default_rng(seed)
    puzzle = full_grid(rng)
    cells = rng.permutation(81)[: num_removed + spoil].tolist()
    for cell in cells:
        puzzle[cell] = 0
    if spoil:  # one more clue, any value that its row does not hold yet
        row = puzzle[cells[0] // 9 * 9 :][:9]
        puzzle[cells[0]] = int(rng.choice([v for v in range(1, 10) if v not in row]))
        if any(puzzle[cells[0]] == puzzle[i] for i in range(cells[0] % 9, 81, 9) if i != cells[0]):
            assert solutions(puzzle) == []
            return
        if is_in_box_twice(puzzle, cells[0]):
            assert solutions(puzzle) == []
            return
    expected = slow_solutions(puzzle)
    assert sorted(solutions(puzzle, limit=1000)) == expected[:1000]
    assert count_solutions(puzzle) == min(2, len(expected))


def is_in_box_twice(puzzle: list[int], cell: int) -> bool:
    corner = cell // 27 * 27 + cell % 9 // 3 * 3
    box = [puzzle[corner + 9 * i + j] for i in range(3) for j in range(3)]
    return box.count(puzzle[cell]) > 1


def test_counting_stops_at_the_limit() -> None:
    assert count_solutions([0] * 81, limit=5) == 5
    assert count_solutions([5, 5] + [0] * 79) == 0


def test_every_clue_of_a_generated_puzzle_is_needed() -> None:
    rng = np.random.default_rng(11)
    for _ in range(10):
        puzzle = generated_puzzle(rng)
        assert count_solutions(puzzle) == 1
        for cell in filter(puzzle.__getitem__, range(81)):
            assert count_solutions([*puzzle[:cell], 0, *puzzle[cell + 1 :]]) == 2


def test_a_seed_is_a_puzzle() -> None:
    assert generated_puzzle(np.random.default_rng(4)) == generated_puzzle(np.random.default_rng(4))
    assert generated_puzzle(np.random.default_rng(4)) != generated_puzzle(np.random.default_rng(5))


@pytest.mark.parametrize(("cell", "value"), [(0, 0), (0, 10), (3, 1), (80, 4)])
def test_verify_refuses_what_is_no_solution(cell: int, value: int) -> None:
    grid = [(3 * row + row // 3 + column) % 9 + 1 for row in range(9) for column in range(9)]
    clues = [grid[i] if i % 5 == 1 else 0 for i in range(81)]
    assert is_solution(clues, grid)
    assert is_solution([0] * 81, grid)
    assert grid[cell] != value
    assert not is_solution(clues, [*grid[:cell], value, *grid[cell + 1 :]])
    moved = [value % 9 + 1 for value in grid]
    assert is_solution([0] * 81, moved)
    assert not is_solution(clues, moved), "valid, but not the clues'"


@pytest.mark.parametrize("board", [FOUR, SIXTEEN])
def test_other_boards_are_generated_copied_and_written(board: Board) -> None:
    puzzle = generated_puzzle(np.random.default_rng(2), board)
    assert count_solutions(puzzle) == 1
    assert board is FOUR or puzzle.count(0) == board.cells - FEWEST_CLUES[board]
    answer = solutions(puzzle)[0]
    assert is_solution(puzzle, answer)
    assert board.parse(to_text(puzzle)) == puzzle
    turned = random_symmetries(1, torch.Generator().manual_seed(0), board)
    copy, copied = (turned(torch.tensor([values]))[0].tolist() for values in (puzzle, answer))
    assert is_solution(copy, copied)
    assert fingerprint(answer) == fingerprint(copied)
    with pytest.raises(ValueError, match=f"{board.cells} characters"):
        board.parse("." * NINE.cells)
    with pytest.raises(ValueError, match="not with 'Z'"):
        board.parse("Z" * board.cells)


@pytest.mark.parametrize("name", ["4x4", "16x16"])
def test_training_puzzles_of_other_boards_have_one_solution(name: str) -> None:
    board = BOARDS[name]
    for puzzle in training_puzzles(board)[-10:].tolist():
        assert count_solutions(puzzle) == 1


def test_counting_is_given_up_after_so_many_branches() -> None:
    assert count_within(100, [0] * 81) == 2
    assert count_within(1, [0] * 81) is None
    assert count_within(100, [5, 5] + [0] * 79) == 0
