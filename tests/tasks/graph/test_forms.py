"""Minimum cuts told as text: prompts read back, answers that are minimum cuts, and what verdicts say of others."""

from random import Random

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from apmdm.paradigms.form import Form
from apmdm.state import Sequence
from apmdm.tasks.graph.data import training_problem
from apmdm.tasks.graph.forms import VOCAB, answer, augmented, forms, named, parse, to_text
from apmdm.tasks.graph.problem import CutProblem
from apmdm.tasks.graph.verify import minimum_cut_size

every_form = pytest.mark.parametrize("form", forms(), ids=lambda form: form.name)


def drawn(seed: int) -> CutProblem:
    random = Random(seed)
    return named(training_problem(random), random)


def told(form: Form, problem: CutProblem, symbols: list[str]) -> tuple[bool, bool, float]:
    return form.verdict(to_text(problem), Sequence(torch.tensor(VOCAB.encode(to_text(problem).split() + symbols))))


@given(st.integers(0, 2**32 - 1))
def test_prompts_are_read_back(seed: int) -> None:
    problem = drawn(seed)
    assert parse(to_text(problem)) == problem


@given(st.integers(0, 2**32 - 1))
def test_answers_are_minimum_cuts_after_as_many_paths(seed: int) -> None:
    problem = drawn(seed)
    *paths, _ = augmented(problem)
    assert len(paths) == minimum_cut_size(problem)
    for form, thought in zip(forms(), (False, True), strict=True):
        assert told(form, problem, answer(problem, thought)) == (True, True, 1.0)


def test_other_answers_are_told_apart() -> None:
    form, problem = forms()[0], CutProblem(64, [(1, 2), (2, 3), (1, 4), (4, 3)], 1, 3, directed=True)
    assert told(form, problem, ["1", "2", "4", "3", "END"]) == (True, True, 0.5)
    assert told(form, problem, ["1", "2", "END"]) == (False, True, 0.5)
    assert told(form, problem, ["1", "2", "2", "3", "END"]) == (False, True, 0.5)
    assert told(form, problem, ["1", "3", "1", "2", "END"]) == (False, False, 0.5)
    assert told(form, problem, ["1", "2", "1", "4"]) == (False, False, 1.0)
    assert told(form, problem, ["1", "2", "1", "END"])[:2] == (False, False)


@every_form
def test_examples_are_a_function_of_the_random_numbers(form: Form) -> None:
    first, again = (form.examples(8, torch.Generator().manual_seed(1)) for _ in range(2))
    assert torch.equal(first[0].ids, again[0].ids)
    assert torch.equal(first[1].content, again[1].content)
    assert len(form.start(to_text(drawn(3)))) > len(to_text(drawn(3)).split())
