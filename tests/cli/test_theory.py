"""`apmdm theory`: every form of a small program, a user's own one, the table, and what is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest

from apmdm import weights
from apmdm.sampler import rollouts
from apmdm.theory import tqbf
from apmdm.theory.policies import POLICIES
from apmdm.theory.programs import ENTRIES
from apmdm.trace import Trace
from support import unchecked

Ends = Callable[..., tuple[int, str, str]]
DOUBLE = "    LD r1 r0\n    ADD r1 r1 r1\n    ST r0 r1\n    HALT\n"


def test_the_list_names_every_program(apmdm: Ends) -> None:
    code, out, _ = apmdm("theory", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == [*ENTRIES, *POLICIES]


@pytest.mark.parametrize("form", ["pram", "mdm", "ap-mdm", "sparse", "arm"])
def test_every_form_agrees_with_the_interpreter(form: str, apmdm: Ends) -> None:
    with unchecked():
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


@pytest.mark.slow
def test_the_mascot_is_answered_alike_by_all(apmdm: Ends) -> None:
    with unchecked():
        code, out, _ = apmdm("theory", "mascot", "--n", "2", "--json")
    rows = json.loads(out)
    assert code == 0
    assert len({row["connected"] for row in rows}) == 1
    assert {row["what"]: row["time"] for row in rows}["theorem 1: the same as write-once MDM"] == rows[0]["time"]
