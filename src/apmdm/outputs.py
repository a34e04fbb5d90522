"""Files and folders that results go to, checked before the work, so that nothing is lost after it."""

import os
import tempfile
from pathlib import Path

from apmdm import weights
from apmdm.training import checkpoint

RUNS = Path("runs")
"""Where `train` and `compare` put their folders if no other is given."""


def writable(path: Path) -> Path:
    """The path, if a file can be written there."""
    parent = path.parent
    if path.is_dir() or not parent.is_dir() or not os.access(path if path.exists() else parent, os.W_OK):
        raise ValueError(
            f"cannot write {path}: its folder must exist and be writable, and it must not be a folder or read-only"
        )
    return path


def writable_folder(path: Path) -> Path:
    """The path of a folder, made if there is none, in which files can be written."""
    try:
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError as error:
        raise ValueError(
            f"cannot write in {path}: {error.strerror}; give a folder that is there or can be made"
        ) from None


def unused_folder(path: Path) -> Path:
    """The path of a folder, made if there is none, in which files can be written and no run would be lost."""
    if (path / checkpoint.NAME).is_file():
        raise ValueError(f"{path} holds a run already: go on with it by --resume or choose another folder by --out")
    if (path / weights.TENSORS).is_file():
        raise ValueError(f"{path} holds weights already; choose another folder")
    return writable_folder(path)
