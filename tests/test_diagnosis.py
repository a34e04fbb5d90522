"""`check` finds mistakes that were planted in processes and says what to do; `audit` shows where a model goes wrong."""

from collections.abc import Iterator
from itertools import count
from pathlib import Path
from random import Random

import pytest

import apmdm
from apmdm import MASK, Task
from apmdm.base_task import BaseTask
from apmdm.diagnosis import Check, audit, check
from apmdm.process import Symbols
from apmdm.solution import shares_by_length
from apmdm.trained import load

NUM = 40


def bits(random: Random) -> str:
    return "".join(random.choices("01", k=random.randint(1, 6)))


def digits(random: Random) -> str:
    return "".join(random.choices("0123", k=random.randint(1, 6)))


def swapped(state: Symbols) -> Symbols:
    """Sorts by one swap at a time, which masks two digits and so forgets them."""
    place = next((i for i in range(len(state) - 1) if str(state[i]) > str(state[i + 1])), None)
    return state if place is None else [*state[:place], state[place + 1], state[place], *state[place + 2 :]]


def flipped(state: Symbols) -> Symbols:
    return ["1" if symbol == "0" else "0" for symbol in state]


def one_pass(state: Symbols) -> Iterator[Symbols]:
    """Ends after one removal, though from there it would remove another."""
    yield state
    if len(state) > 1:
        yield [*state[:-1], MASK]
        yield state[:-1]


counter = count()


def counting(state: Symbols) -> Symbols:
    """Depends on how often it was asked."""
    return state if next(counter) % 3 else [*state[:-1], MASK]


def shrinking(state: Symbols) -> Symbols:
    """What is right: the last symbol is masked, a mask at the end is deleted, one symbol stays."""
    if state[-1:] == [MASK]:
        return state[:-1]
    return [*state[:-1], MASK] if len(state) > 1 else state


def found(task: BaseTask, words: str) -> Check:
    """The report, which tells of the mistake by these words and says what to do."""
    report = check(task, num=NUM)
    (finding,) = [finding for finding in report.findings if words in finding.what]
    assert finding.remedy
    assert finding.what in report.text()
    assert finding.remedy in report.text()
    assert report.record()["passed"] == report.passed
    return report


def test_a_process_without_mistakes_passes() -> None:
    report = check(Task.from_process(shrinking, bits), num=NUM)
    assert report.passed
    assert "no mistake was found" in report.text()
    assert report.figures["only input, never written"] == ["<begin>", "<end>", "0", "1"]


def test_equal_states_with_different_edits_are_shown_with_what_led_there() -> None:
    report = found(Task.from_process(swapped, digits), "the same state is met with different edits")
    assert not report.passed
    assert "step 1: " in report.text()
    for remedy in ("keep the input in front", "names the phase", "tuples"):
        assert remedy in report.text()


def test_a_step_that_is_not_legal_is_told_with_what_is_put_between() -> None:
    report = found(Task.from_process(swapped, digits), "take more than one transition")
    assert "__" in report.text()


def test_a_run_that_never_ends() -> None:
    assert not found(Task.from_process(flipped, bits, symbols="01"), "comes back").passed


def test_a_symbol_outside_of_the_vocabulary() -> None:
    def marked(state: Symbols) -> Symbols:
        return ["x" if symbol == MASK else MASK if symbol == "1" else symbol for symbol in state]

    assert not found(Task.from_process(marked, bits, symbols="01"), "'x' is not a symbol").passed


def test_an_end_that_is_no_fixed_point() -> None:
    assert not found(Task.from_process(one_pass, bits), "the process would go on").passed


def test_edits_that_depend_on_hidden_state() -> None:
    assert not found(Task.from_process(counting, bits, symbols="01"), "differs").passed


def test_answers_of_the_teacher_that_are_not_right() -> None:
    task = Task.from_process(shrinking, bits, verify=lambda problem, answer: answer == problem[0] and problem < "1")
    assert not found(task, "not right").passed


@pytest.mark.parametrize("name", ["parity", "parity-paper", "graph"])
def test_built_in_tasks_pass(name: str) -> None:
    assert check(name, num=NUM).passed


def test_an_audit_of_a_right_model() -> None:
    report = audit(load("parity"), num=NUM)
    assert report.figures["right"] == report.figures["strings"] == NUM
    assert report.decisions["step"] == 1.0
    assert report.calibration is not None
    assert report.calibration < 0.01
    assert not report.divergences


def test_an_audit_shows_where_a_model_diverges_first(tmp_path: Path) -> None:
    task = Task.from_process(shrinking, bits)
    model = apmdm.train(task, tmp_path / "weights", settings={"training.steps": 2, "data.problems": 20})
    report = audit(model, num=NUM)
    assert report.decisions["step"] < 1
    first = report.divergences[0]
    assert first.model != first.teacher
    assert first.state in report.text()
    assert f"at step {first.step}" in report.text()


def test_shares_by_length_are_those_of_groups() -> None:
    known = [(1, True), (1, False), (2, True), (3, False), (3, True), (9, True)]
    assert shares_by_length(known, 3) == {"1": 0.5, "2 to 3": 0.6667, "9": 1.0}
    assert shares_by_length([], 3) == {}
