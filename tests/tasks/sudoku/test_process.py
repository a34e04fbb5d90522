"""The teacher against a slow one written from the rules on symbols, on its own paths and far off them."""

from collections import Counter
from functools import cache
from itertools import product
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.edits import edits_between
from apmdm.state import same_rows
from apmdm.tasks.sudoku.data import MIXED, answers_of, drawn_states, generated, teacher_run, training_puzzles
from apmdm.tasks.sudoku.grid import FAIL, NINE, R1, R2, RUN, as_state, decode, encode
from apmdm.tasks.sudoku.process import hints, next_ids, teacher
from apmdm.tasks.sudoku.puzzles import solutions
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.transition import transition
from apmdm.vocab import MASK

SHARED = Path(__file__).parents[3].parent / "shared/data/sudoku"
DEEPEST = 23
EMPTY = "<mask>"
UNITS = [
    *([9 * line + place for place in range(9)] for line in range(9)),
    *([9 * place + line for place in range(9)] for line in range(9)),
    *([9 * (top + i) + left + j for i, j in product(range(3), repeat=2)] for top, left in product((0, 3, 6), repeat=2)),
]
UNITS_WITH = [[unit for unit in UNITS if cell in unit] for cell in range(81)]
MOVES = {"conflict", "fill", "guess", "lift", "fail", "retry", "exhausted", "halt", "too deep"}


def slow_step(symbols: list[str]) -> tuple[str, list[str]]:
    """The name of the rule that applies and the symbols that follow."""
    cells, mode, held = symbols[:81], symbols[81], symbols[82]
    value = [int(cell[0]) if cell != EMPTY else 0 for cell in cells]
    level = [int(cell.split("@L")[1].split("@")[0]) if cell != EMPTY else 0 for cell in cells]
    deepest = max(level)
    own = [i for i in range(81) if deepest and cells[i] != EMPTY and level[i] == deepest]
    guesses = [i for i in own if cells[i].endswith("guess")]
    seen = [{value[j] for unit in UNITS_WITH[i] for j in unit} for i in range(81)]
    open_cells = {i: [v for v in range(1, 10) if v not in seen[i]] for i in range(81) if not value[i]}
    without_fills = [EMPTY if i in own and i not in guesses else cells[i] for i in range(81)]

    if mode == "RUN":
        if in_conflict(value, open_cells):
            return "conflict", [*without_fills, EMPTY, EMPTY]
        filled = {i: v for i in open_cells if (v := single(i, open_cells))}
        if filled:
            return "fill", [
                *(f"{filled[i]}@L{deepest}" if i in filled else cells[i] for i in range(81)),
                mode,
                held,
            ]
        if not open_cells:
            return "halt", symbols
        return opened(symbols, open_cells, 0, deepest, "guess", held)
    if mode != EMPTY:
        return "halt", symbols
    if held == EMPTY:
        if not guesses:
            return "fail", [*cells, "FAIL", EMPTY]
        lifted = str(max(value[i] for i in guesses))
        return "lift", [*(EMPTY if i in guesses else cells[i] for i in range(81)), EMPTY, lifted]
    untried = [v for v in open_cells[guess_cell(open_cells)] if v > int(held)] if open_cells else []
    if not untried:
        return "exhausted", [*without_fills, EMPTY, EMPTY]
    return opened(symbols, open_cells, int(held), deepest, "retry", held)


def opened(
    symbols: list[str], open_cells: dict[int, list[int]], above: int, deepest: int, rule: str, held: str
) -> tuple[str, list[str]]:
    if deepest == DEEPEST:
        return "too deep", symbols
    cell = guess_cell(open_cells)
    value = min(v for v in open_cells[cell] if v > above)
    cells = symbols[:81]
    cells[cell] = f"{value}@L{deepest + 1}@guess"
    return rule, [*cells, "RUN", held]


def guess_cell(open_cells: dict[int, list[int]]) -> int:
    return min(open_cells, key=lambda i: (len(open_cells[i]), i))


def in_conflict(value: list[int], open_cells: dict[int, list[int]]) -> bool:
    for unit, v in product(UNITS, range(1, 10)):
        placed = sum(value[i] == v for i in unit)
        if placed > 1 or not (placed or any(v in open_cells.get(i, ()) for i in unit)):
            return True
    return not all(open_cells.values())


def single(cell: int, open_cells: dict[int, list[int]]) -> int:
    """The value to fill in, 0 if there is none; the smallest of several hidden ones."""
    if len(open_cells[cell]) == 1:
        return open_cells[cell][0]
    for v in open_cells[cell]:
        for unit in UNITS_WITH[cell]:
            if [i for i in unit if v in open_cells.get(i, ())] == [cell]:
                return v
    return 0


def assert_as_slow(ids: torch.Tensor) -> Counter[str]:
    """Compares every row and counts the rules that applied."""
    rules: Counter[str] = Counter()
    for before, after in zip(ids.tolist(), next_ids(ids).tolist(), strict=True):
        symbols = NINE.vocab.decode(before)
        rule, expected = slow_step(symbols)
        assert NINE.vocab.decode(after) == expected, rule
        rules[rule] += 1
    return rules


def test_without_hidden_singles_only_naked_ones_are_filled() -> None:
    ids = odd_states(3, 200)
    filled = (next_ids(ids, hidden=False) != ids) & (ids == MASK)
    for before, cells in zip(ids.tolist(), filled[:, : NINE.cells], strict=True):
        rule, _ = slow_step(NINE.vocab.decode(before))
        if rule == "fill":
            value = decode(torch.tensor([before]))[0].tolist()
            seen = [{value[j] for unit in UNITS_WITH[i] for j in unit if value[j]} for i in range(81)]
            naked = [i for i in range(81) if not value[i] and len(seen[i]) == 8]
            guessed = not naked and int(cells.sum()) == 1
            assert guessed or cells.nonzero()[:, 0].tolist() == naked


@cache
def training_answers() -> torch.Tensor:
    return answers_of(training_puzzles())


def odd_states(seed: int, num: int = 8) -> torch.Tensor:
    """From nearly empty to nearly full, with some wrong values, any levels, any guesses and any registers."""
    random = torch.Generator().manual_seed(seed)

    def chance(*shape: int) -> torch.Tensor:
        return torch.rand(*shape, generator=random)

    def integers(low: int, high: int, *shape: int) -> torch.Tensor:
        return torch.randint(low, high + 1, shape, generator=random)

    value = training_answers()[integers(0, 99, num)]
    value = torch.where(chance(num, NINE.cells) < 0.1 * chance(num, 1) ** 3, integers(1, 9, num, NINE.cells), value)
    deepest = integers(0, DEEPEST, num, 1)
    level = (chance(num, NINE.cells) * (deepest + 1)).long()
    is_guess = (chance(num, NINE.cells) < chance(num, 1) * 0.3) & (level > 0)
    cells = torch.where(is_guess, NINE.guess_id[value, level], NINE.fill_id[value, level])
    cells = cells.masked_fill(chance(num, NINE.cells) < chance(num, 1), MASK)
    r1 = torch.tensor([RUN, RUN, MASK, MASK, MASK, FAIL])[integers(0, 5, num, 1)]
    r2 = torch.where(chance(num, 1) < 0.5, MASK, NINE.digit_id[integers(1, 9, num, 1)])
    return torch.cat((cells, r1, r2), 1)


@settings(max_examples=50)
@given(st.integers(0, 2**32 - 1))
def test_agrees_with_the_slow_teacher_off_its_path(seed: int) -> None:
    assert_as_slow(odd_states(seed))


def test_agrees_with_the_slow_teacher_on_training_states_and_meets_every_rule() -> None:
    puzzles = training_puzzles()
    states = drawn_states(1200, torch.Generator().manual_seed(5), puzzles, training_answers(), MIXED)
    assert set(assert_as_slow(torch.cat((states, odd_states(0, 200))))) == MOVES


def broken(unit: list[int], value: list[int], open_cells: dict[int, list[int]]) -> bool:
    held = [value[cell] for cell in unit if value[cell]]
    possible = {v for cell in unit for v in open_cells.get(cell, ())}
    return len(set(held)) < len(held) or len({*held, *possible}) < 9


@settings(max_examples=20)
@given(st.integers(0, 2**32 - 1))
def test_hints_are_candidates_those_with_no_other_place_and_conflicts(seed: int) -> None:
    ids = odd_states(seed, num=2)
    for symbols, bits in zip(map(NINE.vocab.decode, ids.tolist()), hints(as_state(ids)).tolist(), strict=True):
        value = [int(cell[0]) if cell != EMPTY else 0 for cell in symbols[:81]]
        seen = [{value[j] for unit in UNITS_WITH[i] for j in unit} for i in range(81)]
        open_cells = {i: [v for v in range(1, 10) if v not in seen[i]] for i in range(81) if not value[i]}
        for cell in range(83):
            candidates = open_cells.get(cell, [])
            rows = [[v in candidates for v in range(1, 10)]]
            for unit in UNITS_WITH[cell] if candidates else [[]] * 3:
                lonely = [v for v in candidates if not any(v in open_cells.get(j, ()) for j in unit if j != cell)]
                rows.append([v in lonely for v in range(1, 10)])
            dead_end = cell in open_cells and not candidates
            units_broken = [broken(unit, value, open_cells) for unit in UNITS_WITH[cell]] if cell < 81 else [False] * 3
            rows.append([dead_end, *units_broken])
            assert bits[cell] == [bit for row in rows for bit in row]


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
