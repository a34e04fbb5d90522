"""What cannot be measured, or takes long to measure, costs no weights and is told."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from apmdm import contest, weights
from apmdm.from_sequences import FromSequences
from apmdm.prediction import Prediction
from apmdm.recipe import Recipe
from apmdm.registry import find
from apmdm.state import State
from apmdm.training import progress
from apmdm.training.progress import share_done
from apmdm.vocab import MASK

Ends = Callable[..., tuple[int, str, str]]
STEPS = ["--device", "cpu", "--set", "training.steps=2"]
SMALL = [*STEPS, "--set", "shape.width=16", "--set", "shape.layers=1"]
OWN = """
from apmdm import Task


def turned(symbols):
    return list("".join(symbols).replace("ba", "ab", 1))


task = Task.from_process(turned, lambda random: random.choice(["ab", "ba"])MORE)
"""


@pytest.fixture
def letters(tmp_path: Path) -> Path:
    """Twenty pairs, no two of which have a character in common."""
    path = tmp_path / "letters.csv"
    path.write_text("source,target\n" + "".join(f"{letter},{letter.upper()}\n" for letter in "abcdefghijklmnopqrst"))
    return path


def trained(apmdm: Ends, path: Path) -> tuple[str, Path]:
    """What the training of a file says, and where the weights are."""
    out = path.with_suffix(".run")
    code, said, _ = apmdm("train", path, "--out", out, *SMALL)
    assert (code, weights.read_manifest(out)["finished"]) == (0, True)
    return said, out


def test_targets_that_cannot_be_written_count_as_wrong(apmdm: Ends, letters: Path, tmp_path: Path) -> None:
    lost = "2 of 2 pairs to measure on have targets with characters that are in none of the 18 learned from"
    said, run = trained(apmdm, letters)
    assert lost in said
    assert "test problems solved: 0.0000" in said
    code, out, _ = apmdm("check", letters, "--num", 5)
    assert (code, lost in out) == (0, True)
    for verb, *more in (["eval", letters], ["eval", "pairs", "--data", letters], ["audit", letters]):
        code, out, _ = apmdm(verb, *more, "--weights", run, "--json")
        figures = json.loads(out)
        assert (code, figures.get("figures", figures)["targets with characters not learned"]) == (0, 2)
    strangers = "".join(map(chr, range(0x3B1, 0x3BB)))
    strange = tmp_path / "strange.csv"
    strange.write_text(f"source,target\na,A\n{strangers},x\n")
    code, out, _ = apmdm("eval", "pairs", "--data", strange, "--weights", run, "--json")
    assert (code, json.loads(out)["problems"], json.loads(out)["right"]) == (0, 2, 0)


def test_inflected_forms_that_cannot_be_written_count_as_wrong(apmdm: Ends, tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "german-train-medium").write_text("Haus\tHäuser\tN;PL\n" * 3)
    (folder / "german-dev").write_text("Straße\tStraßen\tN;PL\nFuß\tFüße\tN;PL\n")
    code, out, _ = apmdm("train", "inflection", "--data", folder, "--out", tmp_path / "run", *SMALL)
    assert (code, "2 of 2 pairs to measure on" in out) == (0, True)


@pytest.mark.parametrize("number", [1, 9])
def test_too_few_pairs_to_measure_on_are_told_before_the_first_step(apmdm: Ends, number: int, tmp_path: Path) -> None:
    path = tmp_path / "few.tsv"
    path.write_text("source\ttarget\n" + "".join(f"{'a' * n}\t{'b' * n}\n" for n in range(1, number + 1)))
    note = "nothing will be measured: of fewer than 10 pairs none is held out"
    said, run = trained(apmdm, path)
    assert said.startswith(note)
    assert note in apmdm("check", path, "--num", 5)[1]
    code, _, err = apmdm("eval", path, "--weights", run)
    assert (code, "--data" in err) == (2, True)
    assert apmdm("eval", "pairs", "--data", path, "--weights", run)[0] == 0


def test_an_evaluation_that_fails_costs_no_weights(apmdm: Ends, letters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> Any:
        assert (letters.with_suffix(".run") / weights.TENSORS).is_file()
        raise RuntimeError("no luck")

    monkeypatch.setattr("apmdm.from_pairs.FromPairs.validate", fails)
    monkeypatch.setattr("apmdm.from_pairs.FromPairs.fitted", fails)
    out = letters.with_suffix(".run")
    code, said, progress = apmdm("train", letters, "--out", out, *SMALL)
    assert (code, weights.read_manifest(out)["finished"]) == (0, True)
    for told in (said, progress):
        assert "not measured, since this failed: RuntimeError: no luck" in told
    assert apmdm("run", out, "a")[0] == 0


def test_every_paradigm_is_measured_on_pairs(letters: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apmdm.paradigms.comparison.CHUNK", 64)
    compared = contest.usual(find(str(letters)), 300, seed=0)
    (pairs,) = compared.problems.values()
    assert len(pairs) == 2
    for entrant in compared.entrants:
        assert isinstance(entrant.source, Recipe)
        start = entrant.start(pairs[0])
        assert not entrant.verdict(pairs[0], start).right
        if entrant.name.startswith("AP-MDM"):
            said = entrant.model(entrant.source.new_model())(State.stack([start]))
            assert isinstance(said, Prediction)
            assert said.remask[0, start.ids == MASK][1:].isinf().all(), "all MASKs but the first one wait"


def test_a_test_problem_that_fails_is_told_before_the_first_step(refused: Callable[..., str], tmp_path: Path) -> None:
    path = tmp_path / "own.py"
    draws = ", symbols='ab', test_problem=lambda random: random.choice(['ab', 'ba', 'bax'])"
    path.write_text(OWN.replace("MORE", draws))
    assert "'x' is not a symbol of this task" in refused("train", path, "--out", tmp_path / "run", *SMALL)
    assert not (tmp_path / "run").exists()


def test_runs_on_sequences_are_cut_off_in_proportion_to_their_length() -> None:
    task = FromSequences(given=("ab", "ba", "aab", "bba"))
    assert task.most_steps(["ab" * 100]) < 1000
    assert task.most_steps(["ab", "aabb\taabb"]) == task.most_steps(["aabb"]) < 60


def test_long_measuring_is_never_silent(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "SILENCE", 0.05)
    with share_done("eval words") as done:
        done(0.25)
        time.sleep(0.2)
    assert "eval words: 25% done after 0 seconds" in capsys.readouterr().err
    shown = progress.TrainingProgress(2, 0, shown=True)
    with shown, shown.measuring(2):
        time.sleep(0.2)
    assert "step 2: measuring for 0 seconds" in capsys.readouterr().err
