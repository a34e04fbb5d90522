"""Training data: where it comes from, that it is a function of its seed, and what states are in it."""

import pytest
import torch

from apmdm.tasks.sudoku.data import (
    HARD,
    LARGE,
    MIXED,
    NUM_TRAINING,
    PATH_STEPS,
    PLAIN,
    POOL_SEED,
    ROUGH,
    add_wrong_clue,
    answers_of,
    change_clues,
    choices,
    chosen_for_training,
    conflicts,
    drawn_states,
    fewer_clues,
    generated,
    path,
    relabel_levels,
    teacher_run,
    teacher_steps,
    training_puzzles,
    wide_guesses,
)
from apmdm.tasks.sudoku.grid import FAIL, NINE, NUM_LEVELS, R1, RUN, decode, encode
from apmdm.tasks.sudoku.process import analyse, next_ids
from apmdm.tasks.sudoku.puzzles import count_solutions
from apmdm.tasks.sudoku.verify import is_solution
from apmdm.vocab import MASK

HALF = NUM_TRAINING // 2


def random(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope="module")
def puzzles() -> torch.Tensor:
    return training_puzzles()


@pytest.fixture(scope="module")
def answers(puzzles: torch.Tensor) -> torch.Tensor:
    return answers_of(puzzles)


@pytest.fixture(scope="module")
def states(puzzles: torch.Tensor, answers: torch.Tensor) -> torch.Tensor:
    return drawn_states(8192, random(0), puzzles, answers, MIXED)


def test_the_file_is_what_the_generator_chose(puzzles: torch.Tensor) -> None:
    """The second half begins as the pool does, without the puzzles that are in the first."""
    assert puzzles.shape == (NUM_TRAINING, NINE.cells)
    assert len(puzzles.unique(dim=0)) == NUM_TRAINING
    hardest = puzzles[:HALF].tolist()
    first = [puzzle for puzzle in generated(20, POOL_SEED).tolist() if puzzle not in hardest]
    assert len(first) > 10
    assert puzzles[HALF:].tolist()[: len(first)] == first
    steps = teacher_steps(puzzles)
    assert steps[:HALF].tolist() == sorted(steps[:HALF].tolist(), reverse=True)
    assert steps[:HALF].min() >= steps[HALF:].max()


def test_choosing_keeps_the_hardest_and_the_first_others(puzzles: torch.Tensor) -> None:
    pool = torch.cat((puzzles[HALF:], generated(10, seed=1), puzzles[:HALF]))
    assert chosen_for_training(pool)[:HALF].tolist() == puzzles[:HALF].tolist()
    assert chosen_for_training(pool)[HALF:].tolist() == puzzles[HALF:].tolist()


def test_training_puzzles_have_one_solution_and_no_clue_too_many(puzzles: torch.Tensor, answers: torch.Tensor) -> None:
    assert all(is_solution(*pair) for pair in zip(puzzles.tolist(), answers.tolist(), strict=True))
    assert all(count_solutions(puzzle) == 1 for puzzle in puzzles.tolist())
    for puzzle in puzzles[::10].tolist():
        clues = [cell for cell in range(NINE.cells) if puzzle[cell]]
        assert all(count_solutions([*puzzle[:cell], 0, *puzzle[cell + 1 :]]) > 1 for cell in clues)


def test_states_are_a_function_of_the_random_numbers(puzzles: torch.Tensor, answers: torch.Tensor) -> None:
    for shares in (PLAIN, MIXED, HARD, ROUGH, LARGE):
        first, again, other = (drawn_states(50, random(seed), puzzles, answers, shares) for seed in (0, 0, 1))
        assert first.shape == (50, NINE.length)
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


def test_plain_states_are_on_paths_of_the_puzzles(puzzles: torch.Tensor, answers: torch.Tensor) -> None:
    """No level-0 cell of a path is ever remasked, so none has fewer than the sparsest puzzle has clues."""
    states = drawn_states(2000, random(0), puzzles, answers, PLAIN)
    assert len(states.unique(dim=0)) > 0.98 * len(states)
    clues, of_puzzles = (NINE.level[states[:, : NINE.cells]] == 0).sum(1), (puzzles > 0).sum(1)
    assert clues.min() >= of_puzzles.min()
    assert set(states[:, R1].tolist()) == {RUN, MASK}
    assert int((states != next_ids(states)).any(1).sum()) > 0.9 * len(states)
    assert len(conflicts(states)) > 0.1 * len(states)


def test_all_kinds_of_states_are_in_a_chunk(states: torch.Tensor) -> None:
    cells, halted = states[:, : NINE.cells], (next_ids(states) == states).all(1)
    complete = (NINE.value[cells] > 0).all(1)
    assert (halted & complete).float().mean() > 0.005
    assert (halted & (states[:, R1] == FAIL)).float().mean() > 0.001
    assert NINE.level[cells].unique().tolist() == [-1, *range(NUM_LEVELS)]
    assert NINE.level[cells[NINE.is_guess[cells]]].unique().tolist() == list(range(1, NUM_LEVELS))
    givens = (NINE.level[cells] == 0).sum(1)
    assert givens.min() < 19
    assert givens.max() > 40
    assert len(states.unique(dim=0)) > 0.98 * len(states)


def test_paths_start_at_the_puzzles_and_end_at_fixed_points(puzzles: torch.Tensor) -> None:
    some = puzzles[HALF : HALF + 10]
    final, steps = teacher_run(some)
    assert int(steps.max()) < PATH_STEPS
    states = path(some, random(0))
    assert len(states) == int((steps + 1).sum())
    assert torch.equal(states[:10], encode(some).ids)
    halted = states[(next_ids(states) == states).all(1)]
    assert sorted(halted.tolist()) == sorted(final.tolist())


def test_long_paths_are_cut(puzzles: torch.Tensor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apmdm.tasks.sudoku.data.PATH_STEPS", 5)
    assert len(path(puzzles[:3], random(0))) == 15


def test_strayed_paths_guess_elsewhere_but_halt_all_the_same(puzzles: torch.Tensor) -> None:
    known = {tuple(row) for row in path(puzzles[:3], random(1)).tolist()}
    strayed = path(puzzles[:3], random(1), stray=1.0)
    assert sum(tuple(row) not in known for row in strayed.tolist()) > 0.5 * len(strayed)
    assert set(strayed[:, R1].tolist()) <= {RUN, FAIL, 1}
    assert NINE.level[strayed[:, : NINE.cells]].max() > 2


def test_conflicts_are_taken_back(puzzles: torch.Tensor) -> None:
    states = path(puzzles[:3], random(1), stray=1.0)
    found = conflicts(states)
    assert 0 < len(found) < len(states)
    assert set(next_ids(found)[:, R1].tolist()) == {MASK}
    others = [row for row in states.tolist() if row not in found.tolist() and row[R1] == RUN]
    assert (next_ids(torch.tensor(others))[:, R1] == RUN).all()


def test_clues_come_from_the_answer(puzzles: torch.Tensor, answers: torch.Tensor) -> None:
    changed = change_clues(puzzles, answers, random(2))
    assert ((changed == 0) | (changed == answers)).all()
    difference = (changed > 0).sum(1) - (puzzles > 0).sum(1)
    assert (int(difference.min()), int(difference.max())) == (-7, 12)


def test_a_wrong_clue_is_a_candidate(puzzles: torch.Tensor, answers: torch.Tensor) -> None:
    wrong = add_wrong_clue(puzzles, random(3))
    assert ((wrong != puzzles).sum(1) == 1).all()
    assert (puzzles[wrong != puzzles] == 0).all()
    assert ((wrong > 0) & (wrong != answers)).any(1).float().mean() > 0.4


def test_wide_guesses_have_three_candidates_or_more(puzzles: torch.Tensor) -> None:
    sparse = fewer_clues(puzzles, random(6))
    assert ((sparse == 0) | (sparse == puzzles)).all()
    assert {0, 16} <= set(((puzzles > 0).sum(1) - (sparse > 0).sum(1)).tolist()) <= set(range(17))
    found = wide_guesses(path(sparse, random(6)), random(6))
    num_candidates = analyse(found[:, : NINE.cells]).candidates.sum(2)
    assert num_candidates[found[:, : NINE.cells] == MASK].min() == 3
    following = next_ids(found)
    opened = (following[:, R1] == RUN) & NINE.is_guess[following[:, : NINE.cells]].any(1)
    assert opened[found[:, R1] == RUN].all()
    assert 0.2 < (found[:, R1] == MASK).float().mean() < 0.8


def test_choices_open_a_level_or_give_one_up(states: torch.Tensor) -> None:
    chosen = choices(states)
    chosen = chosen[NINE.level[chosen[:, : NINE.cells]].amax(1) < NUM_LEVELS - 1]
    cells, following = chosen[:, : NINE.cells], next_ids(chosen)[:, : NINE.cells]
    opened = ((cells == MASK) & NINE.is_guess[following]).sum(1)
    given_up = (chosen[:, R1] == MASK) & (opened == 0)
    assert (opened == (~given_up).long()).all()
    assert 0.1 < given_up.float().mean() < 0.5


def test_renaming_levels_changes_no_step(states: torch.Tensor) -> None:
    renamed = relabel_levels(states, random(4))
    deepest = NINE.level[renamed[:, : NINE.cells]].amax(1)
    same = (deepest < NUM_LEVELS - 1) & (NINE.level[states[:, : NINE.cells]].amax(1) < NUM_LEVELS - 1)
    before, after = next_ids(states[same]), next_ids(renamed[same])
    assert same.float().mean() > 0.5
    assert torch.equal(decode(before), decode(after))
    assert torch.equal(before[:, NINE.cells :], after[:, NINE.cells :])
    assert torch.equal(NINE.is_guess[before], NINE.is_guess[after])
    assert (renamed != states).any(1).float().mean() > 0.3
