"""Plain sequences: corrected in place, or told anew after the wrong one; what cannot be learned from is refused."""

from random import Random

import pytest
import torch

from apmdm.paradigms.form import Form
from apmdm.sequences import Characters, Corpus, plain, prompted
from apmdm.state import Sequence, State
from apmdm.step import transition

CORPUS = Corpus(("abba", "cab", "back"), Characters("abck"))


@pytest.mark.parametrize("form", [plain(CORPUS), prompted(CORPUS)], ids=lambda form: form.name)
def test_examples_are_complete_once_written(form: Form) -> None:
    state, answer = form.examples(40, torch.Generator().manual_seed(0))
    whole = transition(state, answer)
    assert len(whole) == 40
    assert bool(state.masked.any(1).all())
    assert not bool(whole.masked.any())
    assert torch.equal(whole.lengths, state.lengths)
    assert int(whole.ids.max()) < len(form.vocab)


def test_words_in_place_and_told_again() -> None:
    problem = CORPUS.problem("back", 2, Random(0))
    assert problem.endswith("\tback")
    assert problem != "back\tback"
    right = Sequence(torch.tensor(CORPUS.encode("back")))
    assert CORPUS.verdict(problem, right) == (True, True, 1.0)
    assert not CORPUS.verdict(problem, CORPUS.start(problem)).right
    form, before = prompted(CORPUS), problem.partition("\t")[0]
    told = CORPUS.vocab.encode(["BEGIN", *before, "EQUALS", *"back", "END", "END"])
    assert form.verdict(problem, Sequence(torch.tensor(told))).right


@pytest.mark.parametrize(
    ("sequences", "message"),
    [
        (("ab", ""), "at least one character"),
        (("a\tb", "ab"), "no tab, or all of them one"),
        (("a\tb\ta",), "no tab, or all of them one"),
        (("a", "aa"), "two different"),
    ],
)
def test_words_that_cannot_be_learned_are_refused(sequences: tuple[str, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Corpus(sequences, Characters("".join(sorted(set("".join(sequences))))))


@pytest.mark.parametrize("text", ["a@b", "50%", "%40@%25", "@@"])
def test_any_other_character_is_one(text: str) -> None:
    corpus = Corpus((text, "ab"), Characters("".join(sorted(set(text + "ab")))))
    assert len(corpus.encode(text)) == 1 + len(text)
    assert corpus.decode(corpus.encode(text)) == text


def test_a_blank_is_a_mask_unless_it_is_learned() -> None:
    assert CORPUS.decode(CORPUS.encode("a_b")) == "a_b"
    assert bool(State.stack([CORPUS.start("a_b")]).masked.any())
    learned = Corpus(("a_b",), Characters("_ab"))
    assert not bool(State.stack([learned.start("a_b")]).masked.any())
