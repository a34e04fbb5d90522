"""Python files of the user, imported as modules; worker processes import them before they meet what is from them."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

PREFIX = "apmdm_user_"


def imported(path: str) -> ModuleType:
    """The module that a file is, run anew. It may import what lies beside it."""
    name = PREFIX + Path(path).stem
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    folder = str(Path(path).parent.resolve())
    sys.path.insert(0, folder)
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(folder)
    return module


class Imported:
    """The files that were imported here. Whoever receives this from another process imports them too."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _import_all, ([str(module.__file__) for name, module in sys.modules.items() if name.startswith(PREFIX)],)


def _import_all(paths: list[str]) -> Imported:
    for path in paths:
        imported(path)
    return Imported()
