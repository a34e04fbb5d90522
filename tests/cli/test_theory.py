"""`apmdm theory`: every form of a small program, a user's own one, the table, and what is refused."""

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from apmdm import weights
from apmdm.sampler import rollouts
from apmdm.tasks.dyck.process import CUTOFF
from apmdm.theory import tqbf
from apmdm.theory.policies import POLICIES
from apmdm.theory.programs import ENTRIES
from apmdm.trace import Trace

Ends = Callable[..., tuple[int, str, str]]
DOUBLE = "    LD r1 r0\n    ADD r1 r1 r1\n    ST r0 r1\n    HALT\n"


def test_the_list_names_every_program(apmdm: Ends) -> None:
    code, out, _ = apmdm("theory", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [*ENTRIES, *POLICIES]


@pytest.mark.parametrize("form", ["pram", "mdm", "ap-mdm", "sparse", "arm"])
def test_every_form_agrees_with_the_interpreter(form: str, apmdm: Ends) -> None:
    code, out, _ = apmdm("theory", "run", "parity", "--n", "2", "--as", form, "--json")
    found = json.loads(out)
    assert (code, found["verified"], found["as"]) == (0, True, form)
    if form in ("pram", "mdm", "ap-mdm"):
        assert found["steps"] == found["T"]


def test_a_program_of_ones_own_runs_on_a_memory_of_ones_own(apmdm: Ends, tmp_path: Path) -> None:
    program, memory, trace = tmp_path / "double.asm", tmp_path / "words.txt", tmp_path / "trace.json"
    program.write_text(DOUBLE)
    memory.write_text("3 1\n2\n")
    arguments = ["theory", "run", program, "--memory", memory, "--processors", "3"]
    code, out, _ = apmdm(*arguments, "--trace", trace)
    assert code == 0
    assert "memory: 6 2 4" in out
    assert len(Trace.from_json(trace.read_text()).states()) > 1


SUM = """
    LI r5 1
    LI r1 4
    LI r2 1
again:
    LD r4 r2
    ADD r3 r3 r4
    ADD r2 r2 r5
    SUB r1 r1 r5
    JZ r1 done
    JMP again
done:
    LI r2 0
    ST r2 r3
    HALT
"""


@pytest.fixture
def summing(tmp_path: Path) -> list[object]:
    """Arguments that sum 9 9 9 9 into word 0."""
    (tmp_path / "sum.asm").write_text(SUM)
    (tmp_path / "words.txt").write_text("0 9 9 9 9")
    return ["theory", "run", tmp_path / "sum.asm", "--memory", tmp_path / "words.txt"]


def test_a_sum_that_does_not_fit_is_refused_and_fits_wider_words(
    summing: list[object], apmdm: Ends, refused: Callable[..., str]
) -> None:
    for form in ("pram", "ap-mdm"):
        message = refused(*summing, "--as", form)
        assert "step 10: ADD of 9 and 9 on processor 0 does not fit into a word of 4 bits" in message
    code, out, _ = apmdm(*summing, "--bits", "6")
    assert code == 0
    assert "memory: 36 9 9 9 9" in out


def test_a_difference_below_0_is_told(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "minus.asm").write_text("LI r1 1\nSUB r2 r0 r1\nST r0 r2\nHALT\n")
    (tmp_path / "words.txt").write_text("0")
    code, out, err = apmdm("theory", "run", tmp_path / "minus.asm", "--memory", tmp_path / "words.txt")
    assert code == 0
    assert "memory: 7" in out
    assert "step 1: SUB of 0 and 1 on processor 0 is below 0, so it was taken modulo 2^3" in err.replace("\n", " ")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes in the file system")
def test_memory_is_read_from_a_pipe(summing: list[object], apmdm: Ends, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writing = threading.Thread(target=(tmp_path / "pipe").write_text, args=("0 1 2 3 4",))
    writing.start()
    code, out, _ = apmdm(*summing[:-1], tmp_path / "pipe", "--bits", "6")
    writing.join()
    assert code == 0
    assert "memory: 10 1 2 3 4" in out


def test_the_interpreter_may_take_more_steps(summing: list[object], apmdm: Ends, refused: Callable[..., str]) -> None:
    options = [*summing, "--bits", "6", "--max-steps"]
    assert "not halted after 20 steps" in refused(*options, "20")
    assert apmdm(*options, "40")[0] == 0


def test_runs_that_take_too_long_are_refused_after_an_estimate(
    summing: list[object], refused: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apmdm.theory.estimate.SECONDS", 0.0)
    message = refused(*summing, "--bits", "6", "--as", "arm", "--minutes", "0")
    assert message.startswith("error: a run of 308 steps, the most it can take: ")
    assert "more than the limit of 0 seconds" in message
    assert "raise the limit by --minutes" in message
    message = refused("theory", "run", "prefix_sum", "--n", "1024", "--as", "arm")
    assert "a run of 1,198,197 steps, the most it can take: at least 20 minutes at 0.001 s a step" in message


def test_nothing_is_silent_for_long_before_its_time_is_known(
    apmdm: Ends, summing: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apmdm.theory.estimate.QUIET", 0.0)
    said = "still at work: the time of a run can be told after its first steps\n"
    for options in (["--as", "pram"], ["--compiled"]):
        assert apmdm(*summing, "--bits", "6", *options)[::2] == (0, said)


def test_formulas_are_read_from_qdimacs(apmdm: Ends, tmp_path: Path) -> None:
    (tmp_path / "formula").write_text("c for all 1 exists 2: they differ\np cnf 2 2\na 1 0\ne 2 0\n1 2 0\n-1 -2 0\n")
    for form, compiled in (("ap-mdm", True), ("mdm", False)):
        options = ["--as", form, "--json", *(["--compiled"] if compiled else [])]
        code, out, _ = apmdm("theory", "run", "tqbf", "--formula", tmp_path / "formula", *options)
        assert (code, json.loads(out)["answer"], json.loads(out)["verified"]) == (0, True, True)


def test_one_checkpoint_serves_inputs_of_several_sizes(
    apmdm: Ends, refused: Callable[..., str], tmp_path: Path
) -> None:
    folder, sizes = tmp_path / "weights", ["theory", "run", "parity", "--n"]
    assert apmdm(*sizes, "3", "--compiled", "--save", folder)[0] == 0
    for n in ("3", "1", "2"):
        code, out, _ = apmdm(*sizes, n, "--weights", folder, "--seed", "5", "--json")
        found = json.loads(out)
        assert (code, found["verified"], found["compiled"], found["P"]) == (0, True, True, int(n))
    assert "--weights" in (folder / "README.md").read_text()
    assert "positions, and" in refused(*sizes, "4", "--weights", folder)
    assert "as ap-mdm" in refused(*sizes, "2", "--as", "sparse", "--weights", folder)
    assert "task theory/parity" in refused("theory", "run", "list_ranking", "--n", "2", "--weights", folder)


def test_saved_weights_of_a_generator_are_decoded_as_they_should_be(apmdm: Ends, tmp_path: Path) -> None:
    folder = tmp_path / "weights"
    assert apmdm("theory", "run", "dyck", "--n", "8", "--compiled", "--save", folder)[0] == 0
    assert weights.read_manifest(folder)["decoding"]["cutoff"] == CUTOFF
    code, out, _ = apmdm("generate", "dyck", "--weights", folder, "--length", "8", "--num", "3", "--json")
    assert code == 0
    assert all(json.loads(line)["verified"] for line in out.splitlines())


def test_the_table_fits_exponents(apmdm: Ends, tmp_path: Path) -> None:
    code, out, _ = apmdm("theory", "table", "parity", "--largest", "4", "--plot", tmp_path / "table.png")
    assert code == 0
    assert out.count("\n") == 1 + 2 * 3 + 3
    assert "ap-mdm: steps grow as O(log n): 8.0 more for each doubling, context as n^" in out
    assert (tmp_path / "table.png").stat().st_size > 1000


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "sorting"], "unknown program 'sorting'"),
        (["run", "parity", "--n", "0"], "takes n from 1 to"),
        (["run", "parity", "--memory", "x"], "--memory is for a program of your own"),
        (["run", "parity", "--processors", "7"], "--processors is for a program of your own"),
        (["run", "none.asm", "--memory", "x"], "there is no file"),
        (["run", "none.asm", "--memory", "x", "--n", "4"], "--n is for a program of the library"),
        (["run", "none.asm"], "needs --memory"),
        (["run", "parity", "--as", "pram", "--compiled"], "no weights and no trace"),
        (["run", "tqbf", "--as", "arm"], "runs as ap-mdm or mdm, not as arm"),
        (["run", "tqbf", "--n", "99"], "takes n from 1 to 16"),
        (["run", "dyck", "--n", "3"], "even length"),
        (["run", "dyck", "--memory", "x"], "--memory is for a program of your own"),
        (["run", "parity", "--formula", "x"], "--formula is for tqbf"),
        (["run", "tqbf", "--formula", "x", "--n", "3"], "leave it out with --formula"),
        (["run", "tqbf", "--formula", "x"], "there is no file x"),
        (["run", "dyck", "--bits", "3"], "--bits is for machine programs"),
        (["run", "tqbf", "--weights", "x"], "--weights is for machine programs"),
        (["run", "parity", "--weights", "x", "--compiled"], "give one of --weights and --compiled"),
        (["run", "parity", "--weights", "x"], "no weights at"),
        (["run", "tqbf", "--save", "x"], "--save is for the weights of --compiled"),
        (["mascot", "--n", "9"], "a graph of 2 to 8 vertices"),
        (["table", "dyck"], "unknown program"),
        (["table", "tqbf", "--largest", "3"], "goes to some n"),
        (["table", "sorting"], "unknown program"),
        (["table", "parity", "--largest", "2"], "goes to some n"),
        (["table", "parity", "--plot", "table.xyz"], "ends in .png, .svg or .pdf"),
    ],
    ids=str,
)
def test_what_is_refused(arguments: list[str], message: str, refused: Callable[..., str]) -> None:
    assert message in refused("theory", *arguments)


@pytest.mark.parametrize(
    ("program", "words", "message"),
    [
        ("FLY r1\n", "1", "FLY"),
        (DOUBLE, "one", "no number"),
        ("    JMP nowhere\n", "1", "nowhere"),
        ("; nothing\n", "1", "no instruction"),
        ("    LI r1 99999999\n", "1", "at most 18 bits"),
    ],
)
def test_what_is_wrong_in_files_is_told(
    program: str, words: str, message: str, refused: Callable[..., str], tmp_path: Path
) -> None:
    (tmp_path / "own.asm").write_text(program)
    (tmp_path / "words.txt").write_text(words)
    assert message in refused("theory", "run", tmp_path / "own.asm", "--memory", tmp_path / "words.txt")


@pytest.mark.parametrize(
    ("name", "form", "compiled"),
    [
        ("tqbf", "mdm", False),
        ("tqbf", "ap-mdm", True),
        ("dyck", "ap-mdm", False),
        ("parity_by_editing", "ap-mdm", True),
    ],
)
def test_policies_that_are_no_machine_programs(name: str, form: str, compiled: bool, apmdm: Ends) -> None:
    options = ["--compiled"] if compiled else []
    code, out, _ = apmdm("theory", "run", name, "--n", "4", "--as", form, "--json", *options)
    found = json.loads(out)
    assert (code, found["verified"], found["as"], found["compiled"]) == (0, True, form, compiled)


def test_compiled_weights_are_saved_as_any_others(apmdm: Ends, tmp_path: Path) -> None:
    """Loaded, they decide another formula than the one that they were saved after."""
    code, _, _ = apmdm("theory", "run", "tqbf", "--n", "4", "--compiled", "--save", tmp_path / "weights")
    assert code == 0
    assert weights.read_manifest(tmp_path / "weights")["task"] == "theory/tqbf"
    formula = tqbf.random_formula(Random(5), 4, 8)
    model = weights.load_encoder(str(tmp_path / "weights"), tqbf.vocabulary(3))
    run = next(rollouts(model, [tqbf.encode(formula, 3)]))
    assert (tqbf.decode(run.final, 3), run.time) == tqbf.search(formula)
    code, _, err = apmdm("theory", "run", "tqbf", "--n", "4", "--compiled", "--save", tmp_path / "weights")
    assert code == 2
    assert "holds weights already; choose another folder" in err.replace("\n", " ")


def test_a_table_of_formulas(apmdm: Ends, tmp_path: Path) -> None:
    code, out, _ = apmdm("theory", "table", "tqbf", "--largest", "4", "--plot", tmp_path / "table.png")
    assert code == 0
    assert "ap-mdm: steps grow as 2^(1.00 n)" in out
    assert (tmp_path / "table.png").stat().st_size > 1000


def test_the_mascot_is_not_silent_until_all_have_answered(apmdm: Ends, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **options: object) -> None:
        raise ValueError("not now")

    monkeypatch.setattr("apmdm.theory.mascot.simulate", refuse)
    code, out, _ = apmdm("theory", "mascot", "--n", "2")
    assert (code, out.splitlines()[0]) == (2, "2 vertices, edges 0-1: is 0 connected to 1?")


@pytest.mark.slow
def test_the_mascot_is_answered_alike_by_all(apmdm: Ends) -> None:
    code, out, _ = apmdm("theory", "mascot", "--n", "2", "--json")
    rows = json.loads(out)
    assert code == 0
    assert len({row["connected"] for row in rows}) == 1
    assert {row["what"]: row["time"] for row in rows}["theorem 1: the same as write-once MDM"] == rows[0]["time"]
