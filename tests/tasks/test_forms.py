"""Every form of every task: its own answers are right, others are not, and what is trained is what is asked."""

import pytest
import torch

from apmdm.paradigms.form import Form
from apmdm.registry import find
from apmdm.state import Sequence
from apmdm.step import transition
from apmdm.tasks.dyck import forms as dyck
from apmdm.tasks.parity import forms as parity
from apmdm.tasks.sudoku import forms as sudoku
from apmdm.tasks.sudoku.data import training_puzzles
from apmdm.tasks.sudoku.grid import to_text
from apmdm.vocab import MASK

FORMS = [find("parity").form(), *parity.forms(), *dyck.forms(), sudoku.grid_form(), *sudoku.texts()]


def random() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_examples_are_complete_once_written(form: Form) -> None:
    state, answer = form.examples(40, random())
    whole = transition(state, answer)
    assert len(whole) == 40
    assert bool(state.masked.any(1).all())
    assert not bool(whole.masked.any())
    assert torch.equal(whole.lengths, state.lengths)
    assert int(whole.ids.max()) < len(form.vocab)


@pytest.mark.parametrize("form", parity.forms(), ids=lambda form: form.name)
def test_parity_by_hand(form: Form) -> None:
    told = {"direct": ["0"], "scratch": ["0", "1", "0"]}[form.name]
    final = Sequence(torch.tensor(form.vocab.encode([*"011=", *told, "END"])))
    assert len(form.start("011")) == len(final)
    assert form.verdict("011", final) == (True, True, 1.0)
    assert not form.verdict("010", final).right


@pytest.mark.parametrize("form", dyck.forms(), ids=lambda form: form.name)
def test_dyck_by_hand(form: Form) -> None:
    told = {"direct": "aBbA", "scratch": ["a", "OPEN@a", "B", "OPEN@B", "b", "OPEN@a", "A", "OPEN@_"]}[form.name]
    final = Sequence(torch.tensor(form.vocab.encode([*"xx=", *told, "END"])))
    assert len(form.start("4")) == len(final)
    assert form.verdict("4", final) == (True, True, 1.0)
    for tokens in ([*"xx=", *told], [*"xx=", *told[:-1], told[0], "END"], [*"xx=", "END"]):
        assert not form.verdict("4", Sequence(torch.tensor(form.vocab.encode(tokens)))).right


@pytest.mark.parametrize("form", [sudoku.grid_form(), *sudoku.texts()], ids=lambda form: form.name)
def test_the_answer_of_every_sudoku_form_solves_the_puzzle(form: Form) -> None:
    state, answer = form.examples(5, random())
    whole = transition(state, answer)
    values = sudoku.values_of if form.name == "grid" else sudoku.values_told
    for row in range(5):
        prompt = Sequence(torch.where(state.masked[row], MASK, state.ids[row])[: int(state.lengths[row])])
        puzzle = [max(value, 0) for value in values(prompt)]
        assert form.verdict(to_text(puzzle), whole.sequence(row)) == (True, True, 1.0)
        unanswered = form.verdict(to_text(puzzle), form.start(to_text(puzzle)))
        assert unanswered == (False, False, 0.0)


def test_a_trace_tells_guesses_that_are_taken_back() -> None:
    told = sudoku.traces(training_puzzles()[:8], training_puzzles()[:8])
    assert any(sudoku.UNDO in tokens for tokens in told)
    assert all(tokens.count(sudoku.GUESS) >= tokens.count(sudoku.UNDO) for tokens in told)
