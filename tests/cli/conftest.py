"""The command line in this process: what it prints and the code it ends with."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from apmdm import weights
from apmdm.cli import main
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.state import State
from apmdm.tasks.parity import process as parity
from apmdm.tasks.sudoku import grid
from apmdm.tasks.sudoku.process import teacher
from apmdm.vocab import Vocab


class Ended(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def apmdm(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ended]:
    def run(*arguments: object) -> Ended:
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit:
            main([str(argument) for argument in arguments])
        code = exit.value.code or 0
        assert isinstance(code, int)
        return Ended(code, *capsys.readouterr())

    return run


@pytest.fixture
def refused(apmdm: Callable[..., Ended]) -> Callable[..., str]:
    """The one line that a command says about bad input."""

    def run(*arguments: object) -> str:
        ended = apmdm(*arguments)
        assert ended.code == 2, ended
        assert ended.err.startswith("error: ")
        assert ended.err.count("\n") == 1
        assert ended.err.endswith("\n")
        return ended.err

    return run


class Teacher(Encoder):
    """A flawless Sudoku model."""

    def __init__(self) -> None:
        super().__init__(grid.NINE.vocab, Shape(width=8, layers=1, heads=1))

    def forward(self, state: State) -> Edits:  # pyrefly: ignore[bad-override]
        return teacher(state)


@pytest.fixture
def teacher_as_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "load_encoder", lambda name, *vocabs: Teacher())


def saved(folder: Path, vocab: Vocab, absolute: int) -> Path:
    """A model that knows nothing: it writes the same token everywhere and stops."""
    torch.manual_seed(0)
    model = Encoder(vocab, Shape(width=8, layers=1, heads=1, absolute=absolute))
    with torch.no_grad():
        model.controls.weight.zero_()
        model.controls.bias.fill_(-9)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def sudoku_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("sudoku"), grid.NINE.vocab, grid.NINE.length)


@pytest.fixture
def parity_weights(tmp_path: Path) -> Path:
    return saved(tmp_path / "weights", parity.VOCAB, 8)


@pytest.fixture
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    yield folder
    assert not list(folder.iterdir()), "a refused command left something behind"
