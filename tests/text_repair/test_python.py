"""Repair of broken Python: brackets, quotes, colons and indentation."""

import ast
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apmdm.text_repair.python_damages import DAMAGES, damaged
from apmdm.text_repair.python_tokens import statements, tokens_of, tree_of
from apmdm.text_repair.repair import repair

PROGRAM = '''"""A module.

With a text of several lines.
"""

import os
from . import (
    a as b,
    c,
)

TABLE = {"one": 1, 'two': [2, 3], **OTHERS}


@decorated(1, key=lambda x, *y: x[0])
class Thing(Base, metaclass=Meta):
    count: int = 0

    async def ask(self, question: str, *, often: bool = False) -> list[str]:
        """Ask, and don't wait."""
        async with self.lock, open(f"{question!r}.txt") as file:
            for number, line in enumerate(file, 1):
                if not line or line[0] in "#;":
                    continue
                elif often and number % 2 == 0:
                    yield line.strip() if line else "it's" "empty"
                else:
                    raise ValueError("no") from None
            try:
                return [each for each in line if each is not None]
            except (OSError, KeyError) as error:
                print(*error.args, end="", sep=':')
            finally:
                name, = self.names[1:, ::2]
        while (line := self.next()): pass


def total(values):
    return sum(
        value ** 2
        for value in values
    )
'''


PARTS = ["def f(", "):", "x", "\n", "\n    ", "[", "]", '"', "'''", ",", "if ", "=", "#", "\\", "\t", "é"]


@pytest.mark.parametrize(
    ("broken", "right"),
    [
        ("print('a'", "print('a')"),
        ("x = [1, 2\ny = 3\n", "x = [1, 2]\ny = 3\n"),
        ("if f(1:\n    pass\n", "if f(1):\n    pass\n"),
        ("def f(a, b)\n    return a\n", "def f(a, b):\n    return a\n"),
        ("def f(a, b:\n    return a\n", "def f(a, b):\n    return a\n"),
        ("x = f(1))\n", "x = f(1)\n"),
        ("x = {1: [2, 3)}\n", "x = {1: [2, 3]}\n"),
        ('print("a)\n', 'print("a")\n'),
        ("f('a', 'b)\n", "f('a', 'b')\n"),
        ('print(a", 1)\n', 'print("a", 1)\n'),
        ("if x:\nreturn\n", "if x:\n    return\n"),
        ("def f():\n    x = 1\n      y = 2\n    return x\n", "def f():\n    x = 1\n    y = 2\n    return x\n"),
        ("if x:\n    a = 1\nelse\n    a = 2\n", "if x:\n    a = 1\nelse:\n    a = 2\n"),
        ('def f():\n    """Says nothing.\n    return 1\n', 'def f():\n    """Says nothing."""\n    return 1\n'),
        (
            "def f():\n    if a:\n        b = 1\n  elif c:\n        b = 2\n",
            "def f():\n    if a:\n        b = 1\n    elif c:\n        b = 2\n",
        ),
        ("def __len__self):\n    return len(self)\n", "def __len__(self):\n    return len(self)\n"),
        ("for x in y:\n    print x\n", "for x in y:\n    print(x)\n"),
        ('print "%s" % f(\n    x)  # (\n', 'print("%s" % f(\n    x))  # (\n'),
        ("if x: print x; exec 'y'\n", "if x: print(x); exec('y')\n"),
        ("print x,\n", 'print(x, end=" ")\n'),
        ("exec x,\n", "exec(x,)\n"),
    ],
)
def test_small_mistakes(broken: str, right: str) -> None:
    assert repair(broken, language="python", min_probability=0.0).text == right


@pytest.mark.parametrize("kind", DAMAGES)
def test_one_damage_of_each_kind_is_among_the_repairs(kind: str) -> None:
    right, random = 0, Random(0)
    for _ in range(4):
        problem = damaged(PROGRAM, 1, random, (kind,))
        assert problem is not None
        found = repair(problem[0], language="python", num=20, min_probability=0.0)
        trees = [tree_of(each.text or "") for each in (found, *found.alternatives)]
        assert trees[0] is not None
        right += any(tree is not None and ast.dump(tree) == ast.dump(ast.parse(PROGRAM)) for tree in trees)
    assert right >= 2


def test_valid_python_costs_nothing_without_folding(monkeypatch: pytest.MonkeyPatch) -> None:
    from apmdm.text_repair import python_tokens
    from apmdm.text_repair.python_automaton import Python
    from apmdm.text_repair.search import cheapest

    monkeypatch.setattr(python_tokens, "statements", lambda source: iter(()))
    assert cheapest(Python(tokens_of(PROGRAM)), num=1)[0].cost == 0


def test_statements_that_parse_are_folded() -> None:
    broken = PROGRAM.replace("return sum(", "return sum")
    spans = [broken[start:end] for start, end, _ in statements(broken)]
    assert any(span.startswith("@decorated") for span in spans)
    assert not any("def total" in span for span in spans)


def test_lines_within_a_table_are_no_statements() -> None:
    broken = "TABLE = (\n1, 2,\n3, 4))\n"
    assert repair(broken, language="python", min_probability=0.0).text == "TABLE = (\n1, 2,\n3, 4)\n"


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.sampled_from(
            ["def f(", "):", "x", "\n", "\n    ", "[", "]", '"', "'''", ",", "if ", "=", "#", "\\", "\t", "é"]
        )
    )
)
def test_whatever_comes_back_parses(parts: list[str]) -> None:
    found = repair("".join(parts), language="python", min_probability=0.0)
    for each in (found, *found.alternatives):
        assert each.text is None or tree_of(each.text.removeprefix("\ufeff")) is not None


def test_an_unknown_language() -> None:
    with pytest.raises(ValueError, match="known are json, python, brackets"):
        repair("", language="cobol")
