"""Repair of brackets of programs in any language."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.text_repair.brackets_automaton import is_balanced
from apmdm.text_repair.repair import repair


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("f(a, [1, 2)", "f(a, [1, 2])"),
        ("int f() {\n  if (x) {\n    g();\n}\nint h() {\n}\n", "int f() {\n  if (x) {\n    g();}\n}\nint h() {\n}\n"),
        ("a = (1\nb = (2)\n", "a = (1)\nb = (2)\n"),
        ("f(1))\n", "f(1)\n"),
        ('print("(", f(1)\n', 'print("(", f(1))\n'),
        ("f(); // (\n", "f(); // (\n"),
        ("  // (\nf(a) // (\n", "  // (\nf(a) // (\n"),
        ("x = f(a // b)\n", "x = f(a // b)\n"),
        ("x = f(a // b\n", "x = f(a // b)\n"),
    ],
)
def test_small_mistakes(broken: str, right: str) -> None:
    assert repair(broken, language="brackets", min_probability=0.0).text == right


@settings(max_examples=50, deadline=None)
@given(st.text("()[]{}a\n \"'", max_size=40))
def test_whatever_comes_back_is_balanced(text: str) -> None:
    found = repair(text, language="brackets", min_probability=0.0)
    assert all(each.text is None or is_balanced(each.text) for each in (found, *found.alternatives))
