"""The mode of files that are written by libraries which would hide them from other users."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def usual_mode(path: Path) -> Iterator[None]:
    """A file that is written inside has the mode of any new file, which the umask decides."""
    path.touch()
    mode = path.stat().st_mode
    yield
    path.chmod(mode)
