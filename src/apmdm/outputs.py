"""Files and folders that results go to, checked before the work, so that nothing is lost after it."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from apmdm import weights
from apmdm.training import checkpoint

try:
    import fcntl
except ImportError:  # Windows, where nothing is locked
    fcntl = None

RUNS = Path("runs")
"""Where `train` and `compare` put their folders if no other is given."""
LOCK = ".lock"


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
        str(path).encode()
        path.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except UnicodeEncodeError:
        raise ValueError(f"cannot write weights in {path}: give a folder whose name is UTF-8") from None
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


@contextmanager
def locked(path: Path, shown: Path | None = None) -> Iterator[None]:
    """Keep other runs away from a file, made if there is none, while this one uses it.

    shown: what a message names instead of the file. The lock ends with the process, however that ends. Raises
    ValueError if another run holds it. File systems without locks let every run pass.
    """
    with path.open("ab") as file:
        if fcntl is not None:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise ValueError(
                    f"another run is at work on {shown or path}: wait for its end, or give something else by --out"
                ) from None
            except OSError:
                pass
        yield


@contextmanager
def locked_folder(path: Path) -> Iterator[None]:
    """Keep other runs away from a folder, made if there is none."""
    with locked(writable_folder(path) / LOCK, path):
        yield
