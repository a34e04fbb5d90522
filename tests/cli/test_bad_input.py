"""Whatever the user gets wrong is told in one line that says what is allowed, with exit code 2, and nothing is lost."""

import io
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch

from apmdm import weights
from apmdm.tasks.sudoku.task import Sudoku
from apmdm.training import checkpoint

EMPTY = "." * 81
PUZZLE = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
TRAIN = ["train", "parity", "--device", "cpu", "--set", "compute.checkpoint_every=2", "--set"]
Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("puzzle", "message"),
    [
        (EMPTY[:80], "a 9x9 puzzle has 81 characters, this one has 80"),
        (EMPTY * 40, "has 3240"),
        (EMPTY[:80] + "A", "written with 1 to 9 and . or 0 for an empty cell, not with 'A'"),
        (EMPTY[:80] + "٣", "not with '٣'"),
        ("11" + EMPTY[2:], "the givens contradict each other: 1 twice in row 1"),
        ("2" + EMPTY[:8] + "2" + EMPTY[10:], "2 twice in column 1"),
        ("3" + EMPTY[:9] + "3" + EMPTY[11:], "3 twice in box 1"),
        (
            "no puzzle",
            "'no puzzle' is neither a puzzle (81 characters, 1 to 9 and . or 0 for an empty cell, or 256 with 1 to 9",
        ),
        ("", "'' is neither a puzzle"),
    ],
)
def test_puzzles(refused: Refused, in_empty_folder: Path, puzzle: str, message: str) -> None:
    assert message in refused("solve", "sudoku", puzzle)


@pytest.mark.parametrize("bits", ["012", "", "no\nbits", "2" * 5000])
def test_bits(refused: Refused, in_empty_folder: Path, bits: str) -> None:
    assert "is neither a string of 0 and 1 nor a file that exists" in refused("solve", "parity", bits)


@pytest.mark.parametrize("command", [["solve", "sudoku"], ["solve", "parity"], ["eval", "sudoku", "--data"]])
@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty; give one problem a line"),
        (b"\n  \n# only a comment\n", "is empty"),
        (b"\x7fELF\x02\x01\x01\x00\xff\xfe", "is not a text file"),
        (b"\x00\x01\x02", "is not a text file"),
        (None, "is a folder; give a text file"),
    ],
)
def test_files(
    refused: Refused, tmp_path: Path, sudoku_weights: Path, command: list[str], content: bytes | None, message: str
) -> None:
    path = tmp_path / "file"
    path.mkdir() if content is None else path.write_bytes(content)
    options = ["--weights", sudoku_weights] if "eval" in command else []
    assert message in refused(*command, path, *options)


def test_a_missing_file(refused: Refused, in_empty_folder: Path, sudoku_weights: Path) -> None:
    assert "nor a file that exists" in refused("solve", "sudoku", "missing.txt")
    said = refused("eval", "sudoku", "--data", "missing.txt", "--weights", sudoku_weights)
    assert "there is no file missing.txt" in said


def test_a_file_without_any_problem_names_its_first_line(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / "puzzles"
    path.write_text(f"# two\n\n{PUZZLE}.\n{PUZZLE[1:]}\n")
    out = tmp_path / "results"
    for command in (["solve", "sudoku", path, "--out", out], ["eval", "sudoku", "--data", path]):
        said = refused(*command)
        assert said.startswith("error: line 3: a 9x9 puzzle has 81 characters, this one has 82")
        assert said.endswith("; none of 2 problems can be read\n")
    assert not out.exists()


@pytest.mark.parametrize("task", ["parity", "sudoku", "dyck-repair"])
def test_closed_standard_input(refused: Refused, monkeypatch: pytest.MonkeyPatch, task: str) -> None:
    monkeypatch.setattr("sys.stdin", None)
    assert "standard input is closed; give a text file" in refused("solve", task, "-")


@pytest.mark.usefixtures("teacher_as_model")
def test_results(refused: Refused, tmp_path: Path) -> None:
    out = tmp_path / "results"
    foreign = "does not hold results of these problems; give the file that --out wrote"
    for content in ("no results\n", "[]\n", '{"index": 7, "puzzle": "", "verified": true}\n'):
        out.write_text(content)
        assert "is there already; --resume goes on with it" in refused("solve", "sudoku", PUZZLE, "--out", out)
        assert foreign in refused("solve", "sudoku", PUZZLE, "--out", out, "--resume")
        assert out.read_text() == content
    record = f'{{"index": 0, "puzzle": "{PUZZLE}", "verified": false}}\n'
    for puzzle, content in (("." + PUZZLE[1:], record), (PUZZLE, 2 * record)):
        out.write_text(content)
        assert foreign in refused("solve", "sudoku", puzzle, "--out", out, "--resume")
    assert "give --out as well" in refused("solve", "sudoku", PUZZLE, "--resume")
    assert "does not go with --json" in refused("solve", "sudoku", PUZZLE, "--out", out, "--json")
    assert "no results to go on with" in refused("solve", "sudoku", PUZZLE, "--out", tmp_path / "none", "--resume")
    assert "cannot write" in refused("solve", "sudoku", PUZZLE, "--out", tmp_path / "none" / "results")


def test_empty_standard_input(refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO()))
    assert "standard input is empty" in refused("solve", "sudoku", "-")


@pytest.mark.parametrize(
    "command", [["info"], ["certify", "parity", "--weights"], ["solve", "parity", "01", "--weights"]]
)
@pytest.mark.parametrize("name", ["missing", ".", ""])
def test_unknown_weights(refused: Refused, in_empty_folder: Path, command: list[str], name: str) -> None:
    said = refused(*command, name)
    assert f"no weights at {name!r}: give a shipped name" in said
    assert "parity" in said


def test_weights_of_another_task(refused: Refused, sudoku_weights: Path, parity_weights: Path) -> None:
    for command in (["solve", "parity", "01"], ["certify", "parity"], ["eval", "parity"]):
        assert "of another task" in refused(*command, "--weights", sudoku_weights)
    for command in (["solve", "sudoku"], ["eval", "sudoku"]):
        assert "of another task" in refused(*command, "--weights", parity_weights)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
@pytest.mark.parametrize("keep", [0, 7, 100])
def test_truncated_weights(refused: Refused, parity_weights: Path, name: str, keep: int) -> None:
    path = parity_weights / name
    path.write_bytes(path.read_bytes()[:keep])
    assert "are damaged: " in refused("solve", "parity", "01", "--weights", parity_weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fly"], "No such command 'fly'"),
        (["solve"], "Missing command. (apmdm solve --help tells more)"),
        (["solve", "chess"], "unknown task 'chess'; allowed are brackets, dyck, "),
        (["solve", "parity"], "Missing argument"),
        (["solve", "sudoku", "--fast"], "No such option: --fast"),
        (["solve", "sudoku", "--limit", "0"], "--limit"),
        (["solve", "sudoku", "--limit", "many"], "--limit"),
        (["solve", "sudoku", "--device", "tpu"], "--device"),
        (["solve", "sudoku", EMPTY, "more"], "unexpected extra argument"),
        (["eval", "chess"], "sudoku, words, a Python file such as my_task.py, module:name, or a file of data"),
        (["eval", "parity", "--seed", "-1"], "--seed"),
        (["eval", "parity", "--num", "5", "--data", "x"], "--num is a number of fresh problems; it does not go with"),
        (["certify", "sudoku"], "sudoku has no certificate: no proof is known for its models"),
        (
            ["generate", "dyck", "--length", "1000000000000000", "--num", "1"],
            "the promise holds for words of up to 274,877,906,944 letters",
        ),
        (
            ["generate", "dyck", "--length", "100000000000000000000", "--num", "1"],
            "the promise holds for words of up to",
        ),
        (
            ["generate", "dyck", "--length", str(2**38 - 2)],
            "274,877,906,942 letters takes about 19,241,453 GB",
        ),
        (["train", "parity", "--seed", "-1"], "--seed"),
        (["train", "parity", "--seed", str(2**32)], "--seed"),
        (
            ["train", "chess"],
            "allowed are brackets, dyck, dyck-repair, graph, inflection, pairs, parity, parity-paper, sudoku, words, "
            "a Python file",
        ),
    ],
)
def test_the_command_line_itself(refused: Refused, in_empty_folder: Path, arguments: list[str], message: str) -> None:
    assert message in refused(*arguments)


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("steps", "path=value, not 'steps'"),
        ("steps=5", "unknown setting 'steps'; allowed are compute, data, seed, shape, training"),
        ("=5", "unknown setting ''"),
        ("training.colour=5", "unknown setting 'training.colour'; allowed are training."),
        ("training=5", "a group of settings"),
        ("training.steps=many", "training.steps takes int, not 'many'"),
        ("training.steps=1.5", "takes int"),
        ("training.matrix_rate=fast", "takes float"),
        ("training.precision=fp8", "no, bf16, auto"),
        ("shape.rotary=maybe", "true, false"),
        ("training.steps=0", "at least 1"),
        ("compute.checkpoint_every=-3", "at least 1"),
        ("shape.heads=7", "must be a positive multiple of heads 7"),
        ("shape.width=40000000000", "no memory for a model of width 40000000000"),
        ("shape.attention=block", "needs a span"),
        ("shape.span=9223372036854775808", "span is 0 to"),
        ("data.batch_size=0", "batch_size is 1 to"),
        ("data.plain=-5", "not negative"),
        ("compute.workers=1000000", "workers is 0 to"),
        ("shape.layers=0", "layers are at least 1, not 0"),
        ("preset=huge", "preset is one of laptop, full, refine, not 'huge'"),
        ("seed=-1", "seed is 0 to 4294967295, not -1"),
        ("seed=99999999999999999999", "seed is 0 to"),
    ],
)
def test_settings(refused: Refused, tmp_path: Path, setting: str, message: str) -> None:
    assert message in refused("train", "sudoku", "--out", tmp_path / "run", "--set", setting)
    assert not (tmp_path / "run/checkpoint.safetensors").exists()


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
@pytest.mark.parametrize(
    "command", [["solve", "parity", "01"], ["solve", "sudoku"], ["eval", "parity"], ["train", "parity"]]
)
def test_no_gpu(refused: Refused, in_empty_folder: Path, command: list[str]) -> None:
    assert "no GPU that PyTorch can use here; --device cpu or auto works" in refused(*command, "--device", "cuda")


@pytest.mark.parametrize("place", ["file", "file/below", "file/far/below"])
def test_an_unwritable_output_folder(refused: Refused, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    said = refused(*TRAIN, "training.steps=2", "--out", tmp_path / place)
    assert f"cannot write in {tmp_path / place}: " in said
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.parametrize("place", ["", "file/trace.json", "missing/trace.json"])
def test_an_unwritable_trace(refused: Refused, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("mine")
    assert "cannot write" in refused("solve", "sudoku", EMPTY, "--trace", tmp_path / place)
    assert (tmp_path / "file").read_text() == "mine"


def test_a_trace_of_several_puzzles(refused: Refused, tmp_path: Path) -> None:
    assert "--trace writes the run of one problem, there are 8" in refused("solve", "sudoku", "--trace", tmp_path / "t")
    assert not (tmp_path / "t").exists()


def test_a_run_is_not_overwritten(refused: Refused, tmp_path: Path) -> None:
    begun = tmp_path / checkpoint.NAME
    begun.write_bytes(b"hours of training")
    assert "holds a run already" in refused(*TRAIN, "training.steps=2", "--out", tmp_path)
    assert begun.read_bytes() == b"hours of training"


def test_weights_are_not_overwritten(refused: Refused, tmp_path: Path) -> None:
    mine = tmp_path / weights.TENSORS
    mine.write_bytes(b"hours of training")
    assert "holds weights already" in refused(*TRAIN, "training.steps=2", "--out", tmp_path)
    assert mine.read_bytes() == b"hours of training"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["training.steps=4", "--seed", "5"], "has seed 0, not 5; give the same"),
        (["training.steps=4", "--set", "training.matrix_rate=1"], "has training.matrix_rate 0.02, not 1.0"),
        (["training.steps=4", "--from", "parity"], "leave out --from"),
        (["training.steps=1"], "has done 2 steps already, more than the 1 asked for"),
    ],
)
def test_a_run_goes_on_as_it_began(
    apmdm: Callable[..., tuple[int, str, str]], refused: Refused, tmp_path: Path, more: list[str], message: str
) -> None:
    assert apmdm(*TRAIN, "training.steps=2", "--out", tmp_path)[0] == 0
    before = weights.read_manifest(tmp_path)
    assert message in refused(*TRAIN, *more, "--out", tmp_path, "--resume")
    assert weights.read_manifest(tmp_path) == before


def test_a_loss_that_is_no_number(apmdm: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    code, _, said = apmdm(*TRAIN, "training.steps=20", "--set", "training.matrix_rate=1e30", "--out", tmp_path)
    assert code == 2
    assert "error: the loss of step 2 is nan; smaller rates may help" in said


def test_nothing_to_resume(refused: Refused, in_empty_folder: Path) -> None:
    assert "nothing to resume in missing" in refused(*TRAIN, "training.steps=2", "--out", "missing", "--resume")


def test_a_damaged_checkpoint(refused: Refused, tmp_path: Path) -> None:
    path = tmp_path / checkpoint.NAME
    path.write_bytes(b"damaged")
    said = refused(*TRAIN, "training.steps=2", "--out", tmp_path, "--resume")
    assert "is damaged or of another model" in said
    assert path.read_bytes() == b"damaged"


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """Writing more fails as on a full disk, for root too."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_spares_the_previous_checkpoint(apmdm: Callable[..., tuple[int, str, str]], tmp_path: Path) -> None:
    assert apmdm(*TRAIN, "training.steps=2", "--out", tmp_path)[0] == 0
    before = (tmp_path / checkpoint.NAME).read_bytes()
    with files_of_at_most(len(before) // 2):
        ended = apmdm(*TRAIN, "training.steps=6", "--out", tmp_path, "--resume")
    assert ended[0] == 2
    assert "error: could not write" in ended[2]
    assert ended[2].endswith("an earlier checkpoint there is untouched\n")
    assert (tmp_path / checkpoint.NAME).read_bytes() == before
    assert not list(tmp_path.glob("*.partial"))
    assert apmdm(*TRAIN, "training.steps=6", "--out", tmp_path, "--resume")[0] == 0


def test_ctrl_c(
    apmdm: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch, sudoku_weights: Path
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sudoku, "solve", interrupted)
    code, _, err = apmdm("solve", "sudoku", PUZZLE, "--weights", sudoku_weights)
    assert (code, err) == (130, "")
