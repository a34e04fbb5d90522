"""The teacher against a slow one written from the rules on symbols, on its own paths and far off them."""

import math
from collections import Counter
from functools import cache, cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apmdm.edits import edits_between
from apmdm.state import same_rows
from apmdm.step import transition
from apmdm.tasks.sudoku.data import MIXED, answers_of, drawn_states, generated, teacher_run, training_puzzles
from apmdm.tasks.sudoku.grid import (
    DIGITS,
    FAIL,
    FOUR,
    NINE,
    R1,
    R2,
    RUN,
    SIXTEEN,
    Board,
    as_state,
    board_of,
    decode,
    encode,
)
from apmdm.tasks.sudoku.hints import detailed_hints, hints, num_hints
from apmdm.tasks.sudoku.process import next_ids, teacher
from apmdm.tasks.sudoku.puzzles import full_grid, solutions
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.vocab import MASK

SHARED = Path(__file__).parents[3].parent / "shared/data/sudoku"
DEEPEST = 23
EMPTY = "<mask>"
MOVES = {"conflict", "fill", "guess", "lift", "fail", "retry", "exhausted", "halt", "too deep"}


@cache
def units(side: int) -> list[list[int]]:
    box, lines = math.isqrt(side), range(side)
    corners = list(product(range(0, side, box), repeat=2))
    return [
        *([side * line + place for place in lines] for line in lines),
        *([side * place + line for place in lines] for line in lines),
        *([side * (top + i) + left + j for i, j in product(range(box), repeat=2)] for top, left in corners),
    ]


@cache
def units_with(cell: int, side: int) -> list[list[int]]:
    return [unit for unit in units(side) if cell in unit]


def value_of(symbol: str) -> int:
    return 0 if symbol == EMPTY else 1 + DIGITS.index(symbol[0])


class Seen:
    """Values and candidates of the cells of a state."""

    def __init__(self, symbols: list[str]) -> None:
        *cells, _, _ = symbols
        self.side = math.isqrt(len(cells))
        self.all = range(1, self.side + 1)
        self.value = list(map(value_of, cells))
        self.level = [int(cell.split("@L")[1].split("@")[0]) if cell != EMPTY else 0 for cell in cells]
        around = [{self.value[j] for unit in self.units(i) for j in unit} for i in range(len(cells))]
        empty = [i for i, value in enumerate(self.value) if not value]
        self.open_cells = {i: [v for v in self.all if v not in around[i]] for i in empty}

    def units(self, cell: int) -> list[list[int]]:
        return units_with(cell, self.side)

    def broken(self, unit: list[int]) -> bool:
        held = [self.value[cell] for cell in unit if self.value[cell]]
        possible = {v for cell in unit for v in self.open_cells.get(cell, ())}
        return len(set(held)) < len(held) or len({*held, *possible}) < self.side

    def in_conflict(self) -> bool:
        return any(map(self.broken, units(self.side))) or not all(self.open_cells.values())

    def single(self, cell: int) -> int:
        """The value to fill in, 0 if there is none; the smallest of several hidden ones."""
        if len(self.open_cells[cell]) == 1:
            return self.open_cells[cell][0]
        return next((v for v in self.open_cells[cell] if self.only_place(cell, v)), 0)

    @cached_property
    def has_single(self) -> bool:
        return any(map(self.single, self.open_cells))

    def only_place(self, cell: int, v: int) -> bool:
        def elsewhere(unit: list[int]) -> bool:
            return any(v in self.open_cells.get(i, ()) for i in unit if i != cell)

        return v in self.open_cells.get(cell, ()) and not all(map(elsewhere, self.units(cell)))

    def guess_cell(self) -> int:
        return min(self.open_cells, key=lambda i: (len(self.open_cells[i]), i))


def slow_step(symbols: list[str]) -> tuple[str, list[str]]:
    """The name of the rule that applies and the symbols that follow."""
    *cells, mode, held = symbols
    seen = Seen(symbols)
    level = seen.level
    deepest = max(level)
    own = [i for i, cell in enumerate(cells) if deepest and cell != EMPTY and level[i] == deepest]
    guesses = [i for i in own if cells[i].endswith("guess")]
    without_fills = [EMPTY if i in own and i not in guesses else cell for i, cell in enumerate(cells)]

    if mode == "RUN":
        if seen.in_conflict():
            return "conflict", [*without_fills, EMPTY, EMPTY]
        filled = {i: v for i in seen.open_cells if (v := seen.single(i))}
        if filled:
            new = [f"{DIGITS[filled[i] - 1]}@L{deepest}" if i in filled else cell for i, cell in enumerate(cells)]
            return "fill", [*new, mode, held]
        if not seen.open_cells:
            return "halt", symbols
        return opened(symbols, seen, 0, deepest, "guess")
    if mode != EMPTY:
        return "halt", symbols
    if held == EMPTY:
        if not guesses:
            return "fail", [*cells, "FAIL", EMPTY]
        lifted = DIGITS[max(seen.value[i] for i in guesses) - 1]
        return "lift", [*(EMPTY if i in guesses else cell for i, cell in enumerate(cells)), EMPTY, lifted]
    untried = [v for v in seen.open_cells[seen.guess_cell()] if v > value_of(held)] if seen.open_cells else []
    if not untried:
        return "exhausted", [*without_fills, EMPTY, EMPTY]
    return opened(symbols, seen, value_of(held), deepest, "retry")


def opened(symbols: list[str], seen: Seen, above: int, deepest: int, rule: str) -> tuple[str, list[str]]:
    if deepest == DEEPEST:
        return "too deep", symbols
    *cells, _, held = symbols
    cell = seen.guess_cell()
    value = min(v for v in seen.open_cells[cell] if v > above)
    cells[cell] = f"{DIGITS[value - 1]}@L{deepest + 1}@guess"
    return rule, [*cells, "RUN", held]


def assert_as_slow(ids: torch.Tensor) -> Counter[str]:
    """Compares every row and counts the rules that applied."""
    rules: Counter[str] = Counter()
    vocab = board_of(ids).vocab
    for before, after in zip(ids.tolist(), next_ids(ids).tolist(), strict=True):
        rule, expected = slow_step(vocab.decode(before))
        assert vocab.decode(after) == expected, rule
        rules[rule] += 1
    return rules


def test_without_hidden_singles_only_naked_ones_are_filled() -> None:
    ids = odd_states(3, 200)
    filled = (next_ids(ids, hidden=False) != ids) & (ids == MASK)
    for before, cells in zip(ids.tolist(), filled[:, : NINE.cells], strict=True):
        symbols = NINE.vocab.decode(before)
        rule, _ = slow_step(symbols)
        if rule == "fill":
            naked = [i for i, candidates in Seen(symbols).open_cells.items() if len(candidates) == 1]
            guessed = not naked and int(cells.sum()) == 1
            assert guessed or cells.nonzero()[:, 0].tolist() == naked


@cache
def training_answers() -> torch.Tensor:
    return answers_of(training_puzzles())


@cache
def full_grids(board: Board) -> torch.Tensor:
    rng = np.random.default_rng(0)
    return torch.tensor([full_grid(rng, board) for _ in range(20)])


def odd_states(seed: int, num: int = 8, board: Board = NINE) -> torch.Tensor:
    """From nearly empty to nearly full, with some wrong values, any levels, any guesses and any registers."""
    random, shape, values = torch.Generator().manual_seed(seed), (num, board.cells), board.side

    def chance(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random)

    def integers(low: int, high: int, *shape: int) -> torch.Tensor:
        return torch.randint(low, high + 1, shape, generator=random)

    value = full_grids(board)[integers(0, 19, num)]
    value = torch.where(chance(*shape) < 0.1 * chance(num, 1) ** 3, integers(1, values, *shape), value)
    deepest = integers(0, DEEPEST, num, 1)
    level = (chance(*shape) * (deepest + 1)).long()
    is_guess = (chance(*shape) < chance(num, 1) * 0.3) & (level > 0)
    cells = torch.where(is_guess, board.guess_id[value, level], board.fill_id[value, level])
    cells = cells.masked_fill(chance(*shape) < chance(num, 1), MASK)
    r1 = torch.tensor([RUN, RUN, MASK, MASK, MASK, FAIL])[integers(0, 5, num, 1)]
    r2 = torch.where(chance(num, 1) < 0.5, MASK, board.digit_id[integers(1, values, num, 1)])
    return torch.cat((cells, r1, r2), 1)


@pytest.mark.parametrize("board", [FOUR, SIXTEEN])
def test_agrees_with_the_slow_teacher_on_other_boards(board: Board) -> None:
    puzzles, random = training_puzzles(board)[-10:], torch.Generator().manual_seed(5)
    states = drawn_states(60, random, puzzles, answers_of(puzzles), {"path": 0.5, "changed": 0.5})
    assert {"fill", "conflict", "fail"} <= set(assert_as_slow(torch.cat((states, odd_states(0, 60, board)))))


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_agrees_with_the_slow_teacher_off_its_path(seed: int) -> None:
    assert_as_slow(odd_states(seed))


def test_agrees_with_the_slow_teacher_on_training_states_and_meets_every_rule() -> None:
    puzzles = training_puzzles()
    states = drawn_states(1200, torch.Generator().manual_seed(5), puzzles, training_answers(), MIXED)
    assert set(assert_as_slow(torch.cat((states, odd_states(0, 200))))) == MOVES


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
@example(0)
def test_hints_and_conclusions_are_those_of_the_slow_teacher(seed: int) -> None:
    board = NINE if seed % 4 else SIXTEEN
    ids = odd_states(seed, 2, board)
    state = as_state(ids)
    detailed = detailed_hints(state)
    assert torch.equal(hints(state), detailed[..., : num_hints(board)])
    for symbols, bits in zip(map(board.vocab.decode, ids.tolist()), detailed.tolist(), strict=True):
        seen, tried = Seen(symbols), value_of(symbols[-1])
        for cell in range(board.length):
            looked_up = slow_hints(seen, cell) + slow_look(seen, cell, tried)
            assert bits[cell] == looked_up + slow_conclusions(seen, cell, tried)


def slow_hints(seen: Seen, cell: int) -> list[bool]:
    candidates, own_units = seen.open_cells.get(cell, []), seen.units(cell) or [[]] * 3
    rows = [[v in candidates for v in seen.all]]
    for unit in own_units:
        others = {v for j in unit if j != cell for v in seen.open_cells.get(j, ())}
        rows.append([v in candidates and v not in others for v in seen.all])
    dead_end = cell in seen.open_cells and not candidates
    return [bit for row in rows for bit in row] + [dead_end, *(unit != [] and seen.broken(unit) for unit in own_units)]


def slow_look(seen: Seen, cell: int, tried: int) -> list[bool]:
    own_units = seen.units(cell) or [[]] * 3
    places = [sum(v in seen.open_cells.get(j, ()) for j in unit) for unit in own_units for v in seen.all]
    held = [any(seen.value[j] == v for j in unit) for unit in own_units for v in seen.all]
    possible = [one or count > 0 for one, count in zip(held, places, strict=True)]
    own, fewest = seen.open_cells.get(cell, []), min(map(len, seen.open_cells.values()), default=0)
    more = [*(count > 1 for count in places), *(count > 2 for count in places)]
    return [
        *held,
        *possible,
        *more,
        *(v in own and v > tried for v in seen.all),
        cell in seen.open_cells and len(own) == fewest,
    ]


def slow_conclusions(seen: Seen, cell: int, tried: int) -> list[bool]:
    deepest = max(seen.level)
    own = seen.open_cells.get(cell, [])
    guessed = cell == (seen.guess_cell() if seen.open_cells else 0)
    fewest = min(map(len, seen.open_cells.values()), default=seen.side + 1)
    return [
        *(v in own and (own == [v] or seen.only_place(cell, v)) for v in seen.all),
        guessed,
        guessed and any(v > tried for v in own),
        cell < len(seen.level) and seen.level[cell] == deepest > 0,
        seen.in_conflict(),
        seen.has_single,
        *(fewest >= least for least in (2, 3, 4, 5)),
        *(deepest >= level for level in range(1, DEEPEST + 1)),
    ]


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_steps_are_legal_without_insert_and_delete(seed: int) -> None:
    ids = odd_states(seed, 64)
    state, following = as_state(ids), as_state(next_ids(ids))
    edits = edits_between(state, following)
    assert same_rows(transition(state, edits), following).all()
    assert not (edits.insert | edits.delete).any()
    assert torch.equal(teacher(state).content, edits.content)


def test_rows_do_not_depend_on_their_batch() -> None:
    ids = odd_states(1, 32)
    assert torch.equal(next_ids(ids), torch.cat([next_ids(row[None]) for row in ids]))
    assert next_ids(ids[:0]).shape == (0, NINE.length)


def test_every_level_in_use_leaves_no_room_for_a_guess() -> None:
    ids = encode(torch.zeros(1, NINE.cells, dtype=torch.long)).ids
    ids[0, 0] = NINE.fill_id[1, DEEPEST]
    assert torch.equal(next_ids(ids), ids)


def test_solves_fresh_puzzles_as_the_solver_does() -> None:
    puzzles = generated(12, seed=3)
    assert answers_of(puzzles).tolist() == [solutions(puzzle)[0] for puzzle in puzzles.tolist()]


@pytest.mark.parametrize(
    "givens",
    [
        {0: 1, 1: 2, 2: 3, 3: 4, 4: 5, 5: 6, 6: 7, 7: 8, 17: 9},  # no value for the last cell of row 1
        {0: 9, 2: 8, 12: 1, 24: 1, 55: 1},  # no place for 1 in the first box
    ],
)
def test_ends_in_fail_where_a_cell_or_a_unit_is_stuck(givens: dict[int, int]) -> None:
    puzzle = [givens.get(cell, 0) for cell in range(NINE.cells)]
    final, steps = teacher_run(torch.tensor([puzzle]))
    assert (int(final[0, R1]), int(final[0, R2]), int(steps[0])) == (FAIL, MASK, 2)
    assert decode(final)[0].tolist() == puzzle
    assert not solutions(puzzle)


def test_ends_in_fail_after_a_search() -> None:
    """Wrong clues, among them some that propagation alone does not refute."""
    puzzle, answer = training_puzzles()[0], training_answers()[0]
    empty = (puzzle == 0).nonzero()
    wrong = puzzle.expand(len(empty), -1).scatter(1, empty, answer[empty] % 9 + 1)
    final, steps = teacher_run(wrong)
    assert (final[:, R1] == FAIL).all()
    assert int(steps.max()) > 20


@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared puzzle collections are not here")
@pytest.mark.parametrize("path", sorted(SHARED.glob("*.txt")), ids=lambda path: path.stem)
def test_solves_puzzles_of_public_collections(path: Path) -> None:
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    puzzles = [NINE.parse(line) for line in lines[:3]]
    for puzzle, answer in zip(puzzles, answers_of(torch.tensor(puzzles)).tolist(), strict=True):
        assert is_solution(puzzle, answer)
