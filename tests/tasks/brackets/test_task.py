"""Brackets of Python files."""

from apmdm.tasks.brackets.task import brackets_of, standard_library
from apmdm.tasks.dyck.verify import is_word


def test_brackets_of_code() -> None:
    assert brackets_of("def f(x):  # (\n    return {'a)': [x]}\n") == "(){[]}"
    modules = standard_library(100)
    assert len(modules) > 10
    assert all(is_word(brackets) and len(brackets) <= 100 for brackets in modules)
