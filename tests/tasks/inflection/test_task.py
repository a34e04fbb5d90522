"""What a user may write as a problem of inflection, and what is learned from a folder."""

from collections import Counter
from pathlib import Path

import pytest
import torch

from apmdm.fit import Fitting
from apmdm.model.encoder import Encoder
from apmdm.pairs.table import Pair
from apmdm.tasks.inflection.task import Inflection
from apmdm.training.trainer import Settings

GIVEN = (
    Pair("Haus", "Häuser", "german;N;NOM;PL"),
    Pair("ev", "evler", "turkish;N;NOM;PL"),
    Pair("hus", "hus", "norwegian-bokmaal;N"),
)
TASK = Inflection(given=GIVEN)


@pytest.mark.parametrize(
    ("text", "pair"),
    [
        ("German: Haus N;DAT;PL", Pair("Haus", "", "german;N;DAT;PL")),
        ("german:Haus N;PL", Pair("Haus", "", "german;N;PL")),
        ("Norwegian Bokmaal: hus N", Pair("hus", "", "norwegian-bokmaal;N")),
        ("German: sagen vorher V;IND", Pair("sagen vorher", "", "german;V;IND")),
        ("German: sagen vorher\tV;IND", Pair("sagen vorher", "", "german;V;IND")),
        ("German: Haus\tHäuser\tN;PL", Pair("Haus", "Häuser", "german;N;PL")),
        ("German: αβγ N;PL", Pair("αβγ", "", "german;N;PL")),
    ],
)
def test_problems(text: str, pair: Pair) -> None:
    assert TASK.parse(text) == pair


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Klingon: Haus N;PL", "unknown language 'Klingon'; known are german, turkish, norwegian-bokmaal$"),
        ("Germann: Haus N;PL", r"unknown language 'Germann'; known are german and others \(3 in all\)"),
        ("Haus N;PL", r"names no language \(--language gives one\)"),
        (": Haus N;PL", "names no language"),
        ("German: N;PL", "a problem is a language, a colon, a lemma and its features, .*, not 'German: N;PL'"),
        ("German:", "not 'German:'"),
        ("German: \t\tN;PL", "a problem is"),
        ("German: a\tb\tc\td", "a problem is"),
        ("German: αβγδεζηθι N", "9 different characters that were not learned from"),
    ],
)
def test_what_is_no_problem(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TASK.parse(text)


def test_a_language_may_be_given_for_all_problems(tmp_path: Path) -> None:
    german = Inflection(given=GIVEN, language="German")
    assert german.parse("Haus N;PL") == german.parse("German: Haus N;PL")
    (tmp_path / "test").write_text("Haus\tHäuser\tN;PL\n")
    pairs, (note,) = german.table(tmp_path / "test")
    assert pairs == [Pair("Haus", "Häuser", "german;N;PL")]
    assert "is taken as a pair; the columns are source, target, features" in note
    with pytest.raises(ValueError, match="give the language by --language"):
        TASK.table(tmp_path / "test")
    klingon = Inflection(given=GIVEN, language="Klingon")
    with pytest.raises(ValueError, match="unknown language 'Klingon'"):
        klingon.parse("Haus N;PL")
    with pytest.raises(ValueError, match="unknown language 'klingon'"):
        list(klingon.cautions(klingon.table(tmp_path / "test")[0][0]))


def test_a_problem_that_names_another_language_is_refused(tmp_path: Path) -> None:
    turkish = Inflection(given=GIVEN, language="Turkish")
    for text in ("German: Haus N;PL", "German: Haus\tHäuser\tN;PL"):
        with pytest.raises(ValueError, match="names another language than --language Turkish; give one of them"):
            turkish.parse(text)
    assert turkish.parse("turkish: ev N;PL") == turkish.parse("ev N;PL")
    (tmp_path / "test").write_text("German: Haus\tHäuser\tN;PL\n")
    with pytest.raises(ValueError, match="the lemma 'German: Haus' names a language"):
        list(turkish.cautions(turkish.table(tmp_path / "test")[0][0]))


@pytest.mark.parametrize(
    ("text", "language", "message"),
    [
        (
            "Haus",
            "German",
            "a problem is a lemma and its features, such as `Haus N;DAT;PL`, not 'Haus', .* no features$",
        ),
        ("N;DAT;PL", "German", "which has no lemma$"),
        ("German: Haus", None, "a problem is a language, a colon, .*, not 'German: Haus', which has no features$"),
    ],
)
def test_what_is_missing_is_told_in_the_form_that_is_asked_for(text: str, language: str | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Inflection(given=GIVEN, language=language).parse(text)


def test_an_unknown_feature_is_told() -> None:
    assert list(TASK.cautions(TASK.parse("German: Haus N;XXX"))) == ["the feature 'XXX' was not learned from"]
    assert list(TASK.cautions(TASK.parse("German: Haus N;PL"))) == []
    (told,) = TASK.cautions(TASK.parse("German: Hausboot N;PL"))
    assert told == "it is longer than the sources learned from, which have up to 4 characters"


def test_of_a_language_with_more_pairs_all_are_learned_from(tmp_path: Path) -> None:
    (tmp_path / "german-train-medium").write_text("Haus\tHäuser\tN;PL\n")
    (tmp_path / "german-train-high").write_text("Haus\tHäuser\tN;PL\nMaus\tMäuse\tN;PL\n")
    (tmp_path / "zulu-train-medium").write_text("ibhola\tamabhola\tN;PL\n")
    assert [pair.source for pair in Inflection(data=tmp_path).texts] == ["Haus", "Maus", "ibhola"]


def test_a_language_is_drawn_as_often_as_the_square_root_of_its_pairs(tmp_path: Path) -> None:
    (tmp_path / "german-train-high").write_text("".join(f"Haus{n}\tHäuser{n}\tN;PL\n" for n in range(900)))
    (tmp_path / "zulu-train-medium").write_text("".join(f"ibhola{n}\tamabhola{n}\tN;PL\n" for n in range(100)))
    task = Inflection(data=tmp_path)
    drawn = Counter(task.drawn_from(list(task.texts)))
    assert {(pair.features[:4], often) for pair, often in drawn.items()} == {("germ", 1), ("zulu", 3)}
    twice = Counter(task.drawn_from([*task.texts, *task.texts]))
    assert all(twice[pair] == 2 * often for pair, often in drawn.items())


def test_a_folder_is_learned_from(tmp_path: Path) -> None:
    (tmp_path / "german-train-medium").write_text("Haus\tHäuser\tN;PL\n")
    (tmp_path / "german-dev").write_text("Maus\tMäuse\tN;PL\n" * 30)
    (tmp_path / "zulu-train-medium").write_text("ibhola\tamabhola\tN;PL\n")
    task = Inflection(data=tmp_path)
    assert task.spoken == ("german", "zulu")
    assert task.texts == (Pair("Haus", "Häuser", "german;N;PL"), Pair("ibhola", "amabhola", "zulu;N;PL"))
    assert len(task.measured) == 20
    assert task.told(task.texts[1]) == {"language": "zulu", "lemma": "ibhola", "features": "N;PL"}
    with pytest.raises(ValueError, match="has no files such as german-train-medium"):
        _ = Inflection(data=tmp_path / "german-dev").texts


def test_languages_are_kept_beside_the_weights() -> None:
    again = Inflection().restored(TASK.vocab, TASK.saved())
    assert isinstance(again, Inflection)
    assert again.spoken == TASK.spoken
    assert again.parse("Turkish: ev N;PL") == Pair("ev", "", "turkish;N;PL")


def test_a_mirrored_copy_is_drawn_from_left_to_right() -> None:
    conditions = TASK.code.conditions("german;N;PL", mirrored=True)
    copy = TASK.code.tokens("esuaM"[::-1])[::-1]
    state = TASK.code.copied("esuaM", conditions, copy, range(1, 6))
    drawing = TASK.draw(state)
    assert drawing["symbols"] == TASK.vocab.decode(copy[::-1])
    assert list(drawing["positions"]) == list(range(len(state) - 1, len(state) - 1 - len(copy), -1))


def test_a_run_starts_from_weights_without_the_matrices_of_each_language(tmp_path: Path) -> None:
    recipe = Inflection(given=GIVEN, training=Settings(steps=2, matrix_rate=0.0, other_rate=0.0)).recipe()
    before = Encoder(recipe.source.vocab, recipe.shape)
    before.save_pretrained(tmp_path / "before")
    after = Fitting(recipe, tmp_path / "run", start=str(tmp_path / "before"), validated=False).begin().model
    assert after.conditions == recipe.source.conditions
    assert all(torch.allclose(after.get_parameter(name), value) for name, value in before.named_parameters())
