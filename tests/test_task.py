"""Tasks made of a process, of pairs and of sequences: trained for a few steps, asked, measured, kept and loaded."""

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch

import apmdm
from apmdm import base_task
from apmdm.base_task import BaseTask
from apmdm.from_pairs import FromPairs
from apmdm.from_sequences import FromSequences
from apmdm.lines import visible
from apmdm.pairs.table import Pair
from apmdm.process import Symbols
from apmdm.solution import Solution
from apmdm.trained import Model
from support import unchecked

SMALL = {"training.steps": 3, "training.warmup": 1, "training.evaluate_every": 3, "shape.width": 16, "shape.layers": 1}
LITTLE = {**SMALL, "data.problems": 20}


def sort(symbols: Symbols) -> Symbols:
    """The first pair that stands the wrong way round, turned round."""
    return list("".join(map(str, symbols)).replace("ba", "ab", 1))


def problem(random: Random) -> str:
    return "".join(random.choices("ab", k=random.randint(0, 4)))


SORTING = apmdm.Task.from_process(sort, problem)
PAIRS = [("ab" * n + end, "ab" * n + end + "s") for n in range(1, 8) for end in ("", "a", "b")]
CONSONANTS, VOWELS = "bcd", "aei"
WORDS = [a + b + c + d for a in CONSONANTS for b in VOWELS for c in CONSONANTS for d in VOWELS]


@pytest.fixture(autouse=True)
def short_validation(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has hardly been trained seldom ends."""
    monkeypatch.setattr(base_task, "VALIDATION", 4)
    for kind in (BaseTask, FromPairs, FromSequences):
        monkeypatch.setattr(kind, "max_steps", 20)


def trained(task: BaseTask, out: Path, settings: dict[str, Any]) -> apmdm.Model:
    model = apmdm.train(task, out, settings=settings)
    assert (out / "task.json").is_file()
    return model


def assert_same(model: apmdm.Model, again: apmdm.Model, problems: list[Any]) -> None:
    """The same weights, and the same answers in the same steps."""
    own, other = (one.encoder.state_dict() for one in (model, again))
    assert own.keys() == other.keys()
    assert all(torch.equal(own[name], other[name]) for name in own)
    told = [
        [(solution.answer, solution.status, solution.run.time) for solution in apmdm.generate(one, problems)]
        for one in (model, again)
    ]
    assert told[0] == told[1]


def test_a_process_and_its_problems_are_a_task(tmp_path: Path) -> None:
    assert SORTING.name == "sort"
    model = trained(SORTING, tmp_path / "run", LITTLE)
    solutions = apmdm.generate(model, ["ba", "", "abba"], max_steps=20)
    assert [solution.problem for solution in solutions] == ["ba", "", "abba"]
    assert {solution.status for solution in solutions} <= {"solved", "unsolved"}
    figures = apmdm.evaluate(model, num=10)
    assert figures["problems"] == 10
    assert figures["right"] == round(10 * figures["accuracy"])
    assert apmdm.evaluate(model, ["ba", "ab"])["problems"] == 2
    assert_same(model, apmdm.load(tmp_path / "run", SORTING), ["ba", "abab"])


def test_a_process_is_its_own_teacher() -> None:
    solutions = list(SORTING.taught(["ba", "bbaa", ""]))
    assert [SORTING.decode(run.final) for run in solutions] == ["ab", "aabb", ""]
    assert SORTING.verify("bbaa", "aabb")
    assert not SORTING.verify("bbaa", "abab")
    assert SORTING.parse("abba") == "abba"
    with pytest.raises(ValueError, match="'x' is not a symbol of this task; its symbols are 'a', 'b'"):
        SORTING.parse("ax")


def test_every_step_can_be_watched_and_stopped(tmp_path: Path) -> None:
    model = trained(SORTING, tmp_path / "run", LITTLE)
    seen = []

    def watch(observation: Any) -> bool:
        seen.append(observation.state)
        return True

    (solution,) = apmdm.generate(model, ["abba"], on_step=watch)
    assert len(seen) == 1
    assert solution.run.stop != "fixed point" or solution.run.time <= 1


def test_start_answer_and_verify_may_be_said() -> None:
    """A sum in unary: the problem is a pair of numbers, a symbol may be a tuple, and so may the answer be anything."""

    def add(symbols: Symbols) -> Iterator[Symbols]:
        symbols = [symbol for symbol in symbols if symbol != "+"]
        yield symbols
        yield [("sum", symbol) for symbol in symbols]

    def start(terms: tuple[int, int]) -> Symbols:
        first: Symbols = [1]
        return first * terms[0] + ["+"] + first * terms[1]

    task = apmdm.Task.from_process(
        add,
        lambda random: (random.randint(0, 3), random.randint(0, 3)),
        name="unary",
        start=start,
        answer=len,
        verify=lambda terms, answer: answer == sum(terms),
        test_problem=lambda random: (random.randint(4, 6), 1),
    )
    assert (task.name, set(task.vocab.symbols[4:])) == ("unary", {"+", "1", "sum@1:1"})
    for run in task.taught([(2, 1), (0, 0)], record=True):
        assert task.decode(run.final) == (3, 0)[run.index]
        assert [len(step.tokens) for step in run.steps][:1] == [(6, 3)[run.index]]
    assert task.verify((2, 1), 3)
    assert not task.verify((2, 1), 4)
    assert task.parse("(2, 1)") == (2, 1)
    with pytest.raises(ValueError, match="a problem is written as Python would, such as "):
        task.parse("two and one")
    assert {terms[0] for terms in task.sample(3, seed=0)} <= {4, 5, 6}


def test_a_process_that_looks_near_gets_a_model_that_looks_near() -> None:
    def forget(symbols: Symbols) -> Symbols:
        return [symbol for symbol in symbols if symbol != "a"]

    def count(symbols: Symbols) -> Symbols:
        return list("ab"[symbols.count("b") % 2])

    def long(random: Random) -> str:
        return "".join(random.choices("ab", k=random.randint(0, 12)))

    near = apmdm.Task.from_process(forget, long).recipe().shape
    assert (near.attention, near.span) == ("window", 1)
    assert apmdm.Task.from_process(count, long).recipe().shape.attention == "full"
    own = apmdm.Shape(width=8, layers=3)
    assert apmdm.Task.from_process(forget, long, shape=own).recipe().shape == own


def test_a_process_may_be_given_on_batches() -> None:
    """MASK is written as `b`; every row starts with <begin> and ends with <end>."""

    def write(state: apmdm.State) -> apmdm.Edits:
        never = torch.zeros_like(state.masked)
        (token,) = task.vocab.encode(["b"])
        return apmdm.Edits(torch.full_like(state.ids, token), never, never, never)

    task = apmdm.Task.from_process(
        write, lambda random: ["a", apmdm.MASK], symbols=["a", "b"], batched=True, answer=lambda symbols: symbols
    )
    (run,) = task.taught([["a", apmdm.MASK, apmdm.MASK]])
    assert task.decode(run.final) == ["a", "b", "b"]


def test_pairs_are_a_task(tmp_path: Path) -> None:
    task = apmdm.Task.from_pairs(PAIRS, dev=[("bab", "babs"), ("aba", "abas")])
    model = trained(task, tmp_path / "run", SMALL)
    (solution,) = apmdm.generate(model, [Pair("abab", "")], max_steps=10)
    assert solution.status in ("unverified", "unsolved")
    assert_tells_answers(model, solution, "abab")
    assert apmdm.evaluate(model, num=2)["problems"] == 2
    assert apmdm.evaluate(model, [Pair("ab", "abs")])["problems"] == 1
    assert_same(model, apmdm.load(tmp_path / "run"), [Pair("ab", "abs"), Pair("axb", "")])


@pytest.mark.parametrize("kind", ["pairs", "sequences"])
def test_what_a_search_has_found_can_be_watched_and_stopped(tmp_path: Path, kind: str) -> None:
    found = apmdm.Task.from_pairs(PAIRS) if kind == "pairs" else apmdm.Task.from_sequences(WORDS)
    model, problems, seen = trained(found, tmp_path / "run", SMALL), ["ab", "bacb", "b"], list[int]()
    alone = apmdm.generate(model, problems)
    watched = apmdm.generate(model, problems, on_step=lambda shown: seen.extend(shown.index.tolist()))
    assert [(one.answer, one.run.time, one.alternatives) for one in watched] == [
        (one.answer, one.run.time, one.alternatives) for one in alone
    ]
    assert [seen.count(number) for number in range(3)] == [1 + one.run.time for one in alone]
    stopped = apmdm.generate(model, problems, on_step=lambda shown: True)
    assert [one.run.stop for one in stopped if one.run.time == 0] == ["stopped"] * 3


def assert_tells_answers(model: Model, solution: Solution, question: str) -> None:
    chances = [chance for _, chance in solution.alternatives]
    assert chances == sorted(chances, reverse=True)
    assert sum(chances) < 1 + 1e-6
    asked = model.task.with_options({"num": 2})
    assert asked.row(solution, 0.0).startswith(f"{question}  {visible(solution.answer)} {chances[0]:.3f}")
    assert model.task.row(solution, 0.0).endswith(f"probability {chances[0]:.3f}")
    assert len(asked.record(solution)["answers"]) == min(2, len(chances))


def test_pairs_come_from_a_file_and_have_features(tmp_path: Path) -> None:
    (tmp_path / "pairs.tsv").write_text("".join(f"{a}\t{b}\tN;PL\n{a}\t{a}\tN;SG\n" for a, b in PAIRS))
    task = apmdm.Task.from_pairs(tmp_path / "pairs.tsv", name="plurals")
    model = trained(task, tmp_path / "run", SMALL)
    assert task.parse("ab\tN;PL") == Pair("ab", "", "N;PL")
    (tmp_path / "pairs.tsv").unlink()
    again = apmdm.load(tmp_path / "run")
    assert again.task.parse("ab\tN;SG") == Pair("ab", "", "N;SG")
    assert_same(model, again, [Pair("ab", "abs", "N;PL"), Pair("ba", "", "N;SG")])


def test_sequences_are_a_task(tmp_path: Path) -> None:
    task = apmdm.Task.from_sequences(WORDS)
    model = trained(task, tmp_path / "run", SMALL)
    solutions = apmdm.generate(model, ["bacd", "b_ca", "bbca\tbaca"], max_steps=10)
    assert [solution.status == "unverified" for solution in solutions[:2]] == [
        solution.answer is not None for solution in solutions[:2]
    ]
    assert solutions[2].status in ("solved", "unsolved")
    for solution, question in zip(apmdm.generate(model, ["bacd", "b_ca\tbaca"]), ["bacd", "b_ca"], strict=True):
        assert_tells_answers(model, solution, question)
    figures = apmdm.evaluate(model, num=5)
    assert figures["problems"] == 5
    assert figures["right among 5"] >= figures["accuracy"]
    again = apmdm.load(tmp_path / "run")
    assert_same(model, again, ["bacd", "b_ca"])
    with pytest.raises(ValueError, match="'x' is in none of the sequences that were learned"):
        again.task.parse("bax")


def test_sequences_are_learned_by_written_attention_alone(tmp_path: Path) -> None:
    task = apmdm.Task.from_sequences(WORDS)
    with pytest.raises(ValueError, match=r"learned with shape\.attention=written, not full"):
        apmdm.train(task, tmp_path / "run", settings=SMALL | {"shape.attention": "full"})


def test_a_blank_that_is_a_character_of_the_sequences_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert not apmdm.Task.from_sequences(WORDS).notes()
    task = apmdm.Task.from_sequences([*WORDS, "a_b"])
    (note,) = task.notes()
    assert note == f"_ is in 1 of {len(task.texts)} sequences, so it is learned as a character and marks no gap"
    assert [finding.what for finding in task.examined([])[0]] == [note]
    apmdm.train(task, tmp_path / "run", settings=SMALL)
    assert capsys.readouterr().out.count(note) == 1
    learned = apmdm.load(tmp_path / "run").task
    assert list(learned.cautions("b_ca")) == ["_ is a character of the sequences learned from, so it marks no gap"]
    assert not learned.cautions("bbca\tb_ca")


def test_a_run_goes_on_where_it_was(tmp_path: Path) -> None:
    task = apmdm.Task.from_sequences(WORDS)
    whole = apmdm.train(task, tmp_path / "whole", settings=SMALL | {"training.steps": 4}, seed=5)
    apmdm.train(task, tmp_path / "run", settings=SMALL | {"training.steps": 2}, seed=5)
    with pytest.raises(ValueError, match="holds a run already"):
        apmdm.train(task, tmp_path / "run", settings=SMALL, seed=5)
    again = apmdm.train(task, tmp_path / "run", settings=SMALL | {"training.steps": 4}, resume=True, seed=5)
    assert_same(whole, again, ["bacd"])


def test_weights_of_another_vocabulary_are_refused(tmp_path: Path) -> None:
    trained(SORTING, tmp_path / "run", LITTLE)
    other = apmdm.Task.from_process(sort, lambda random: "abc")
    with pytest.raises(ValueError, match="do not fit: they are of another task"):
        apmdm.load(tmp_path / "run", other)
    for task in ("words", "pairs", "parity", "sudoku"):
        with pytest.raises(ValueError, match="do not fit"):
            apmdm.load(tmp_path / "run", task)
    with pytest.raises(ValueError, match="are for 'sort': give that task as well"):
        apmdm.load(tmp_path / "run")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"training.colour": 3}, "unknown setting 'training.colour'"),
        ({"training.steps": 0}, "at least 1"),
        ({"data.problems": 0}, "at least 1"),
        ({"seed": -1}, "seed is 0 to"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        apmdm.train(SORTING, tmp_path / "run", settings=settings)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("task", "message"),
    [
        (lambda: apmdm.Task.from_sequences(["ab", "ba"]), "at least 4 different sequences are needed"),
        (lambda: apmdm.Task.from_sequences([]), "sequences has no sequences to learn from"),
        (lambda: apmdm.Task.from_pairs([]), "pairs has no pairs to learn from"),
        (lambda: apmdm.Task.from_process(lambda symbols: [*symbols, "a"], problem, name="endless"), "has not ended"),
        (lambda: apmdm.Task.from_process(lambda symbols: symbols[5], problem, name="failing"), "fails after"),
    ],
)
def test_what_cannot_be_learned_is_refused(tmp_path: Path, task: Any, message: str) -> None:
    """Checks of types read all properties, and do not expect any to fail."""
    with unchecked(), pytest.raises(ValueError, match=message):
        apmdm.train(task(), tmp_path / "run", settings=SMALL)


@pytest.mark.parametrize(
    ("name", "problem"), [("dyck", 8), ("sudoku", [1, 2, 3]), ("parity", 110), ("graph", ("a", "b"))]
)
def test_what_is_no_problem_of_a_task_is_told_so(name: str, problem: object) -> None:
    with pytest.raises(ValueError, match=f"is no problem of {name}, which is a"):
        apmdm.generate(apmdm.load(name), [problem])


def test_a_word_is_asked_for_by_language_and_length() -> None:
    (solution,) = apmdm.generate(apmdm.load("dyck"), [("k2", 8)])
    assert (solution.problem.language, solution.problem.length) == ("k2", 8)
