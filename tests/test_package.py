"""`import apmdm`: nothing heavy, every name there is, and each what it is said to be whatever else is imported."""

import subprocess
import sys
from types import ModuleType

import pytest

import apmdm


def run(program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)


def test_importing_takes_no_torch_and_a_name_takes_what_it_needs() -> None:
    done = run(
        "import sys, apmdm\n"
        "heavy = {'torch', 'numpy', 'typer', 'rich', 'networkx', 'matplotlib', 'accelerate', 'transformers'}\n"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)\n"
        "assert apmdm.MASK == '<mask>' and dir(apmdm) == sorted(apmdm.__all__)\n"
        "assert not heavy & set(sys.modules)\n"
        "apmdm.State\n"
        "assert 'torch' in sys.modules and 'typer' not in sys.modules\n"
        "import apmdm.trained\n"
        "assert 'transformers' not in sys.modules\n"
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("name", apmdm.__all__)
def test_every_name_is_there(name: str) -> None:
    found = getattr(apmdm, name)
    assert not isinstance(found, ModuleType)
    assert name == "MASK" or (callable(found) and found.__name__ == name)
    assert found.__doc__


def test_names_stay_what_they_are_when_modules_are_imported() -> None:
    """A module sets its own name in the package when it is imported."""
    done = run(
        "import apmdm, importlib, pkgutil\n"
        "from types import ModuleType\n"
        "for module in pkgutil.walk_packages(apmdm.__path__, 'apmdm.'):\n"
        "    importlib.import_module(module.name)\n"
        "wrong = [name for name in apmdm.__all__ if isinstance(getattr(apmdm, name), ModuleType)]\n"
        "assert not wrong, wrong\n"
    )
    assert done.returncode == 0, done.stderr


def test_another_name_is_refused_with_those_there_are() -> None:
    with pytest.raises(AttributeError, match=r"apmdm has no 'solve'; it has Edits, .*, transition"):
        apmdm.solve  # noqa: B018
