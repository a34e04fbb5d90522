"""Whether a filled grid solves a puzzle, asked of the rules alone."""

from apmdm.tasks.sudoku.puzzles import Rules


def is_solution(puzzle: list[int], answer: list[int]) -> bool:
    """True if every given is kept and every row, column and box holds each value once."""
    kept = all(given in (0, value) for given, value in zip(puzzle, answer, strict=True))
    rules = Rules.of(len(puzzle))
    everything = set(range(1, rules.board.side + 1))
    return kept and all({answer[cell] for cell in unit} == everything for unit in rules.units)
