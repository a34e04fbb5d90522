"""Quantified formulas: every small one against a plain evaluator, clauses of any length, and files in QDIMACS."""

import time
from itertools import combinations_with_replacement, product
from random import Random

import pytest

from apmdm.sampler import rollouts
from apmdm.theory import qdimacs, tqbf
from apmdm.theory.compile import compile_policy
from apmdm.theory.policies import formula_in_place, formula_write_once
from apmdm.theory.tqbf import Formula

BITS = 3


def truth(formula: Formula, values: tuple[bool, ...] = ()) -> bool:
    """By trying all assignments."""
    if len(values) == len(formula.prefix):
        return all(any(values[abs(x) - 1] == (x > 0) for x in clause) for clause in formula.clauses)
    both = [truth(formula, (*values, value)) for value in (False, True)]
    return any(both) if formula.prefix[len(values)] == "E" else all(both)


def leaves(formula: Formula, values: tuple[bool, ...] = ()) -> int:
    """That a search visits which takes False first and stops when the quantifier is decided."""
    if len(values) == len(formula.prefix):
        return 1
    first = truth(formula, (*values, False))
    both = first != (formula.prefix[len(values)] == "E")
    return leaves(formula, (*values, False)) + (leaves(formula, (*values, True)) if both else 0)


def decided(formulas: list[Formula]) -> None:
    """Both forms say what is true, in as many steps as the search has leaves."""
    for formula in formulas:
        assert tqbf.search(formula) == (truth(formula), leaves(formula))
    size = max(map(tqbf.cell_size, formulas))
    assert {tqbf.cell_size(formula) for formula in formulas} == {size}
    begun = [tqbf.encode(formula, BITS) for formula in formulas]
    for run in rollouts(tqbf.policy(BITS, max(map(len, begun)), size), begun, batch_size=512):
        formula = formulas[run.index]
        assert (tqbf.decode(run.final, BITS), run.time) == (truth(formula), leaves(formula)), formula
    begun = [tqbf.encode_write_once(formula, BITS, leaves(formula)) for formula in formulas]
    for run in rollouts(tqbf.write_once_policy(BITS, max(map(len, begun)), size), begun, batch_size=512):
        formula = formulas[run.index]
        assert (tqbf.decode(run.final, BITS), run.time) == (truth(formula), leaves(formula)), formula


def test_all_small_formulas_with_clauses_of_any_length() -> None:
    """Empty prefixes and clauses, clauses of one or two literals, repeated literals, tautologies."""
    formulas = []
    for n in range(3):
        literals = [sign * variable for variable in range(1, n + 1) for sign in (1, -1)]
        clauses = [clause for length in range(3) for clause in combinations_with_replacement(literals, length)]
        chosen = [some for count in range(3) for some in combinations_with_replacement(clauses, count)]
        formulas += [Formula("".join(prefix), some) for prefix in product("EA", repeat=n) for some in chosen]
    assert len(formulas) > 500
    decided(formulas)


def test_long_clauses() -> None:
    random = Random(0)
    formulas = []
    for _ in range(60):
        n = random.randint(1, 4)
        lengths = [6, *(random.randint(0, 6) for _ in range(random.randint(0, 5)))]
        clauses = [tuple(random.choice((1, -1)) * random.randint(1, n) for _ in range(length)) for length in lengths]
        formulas.append(Formula("".join(random.choice("EA") for _ in range(n)), tuple(clauses)))
    decided(formulas)


def test_weights_take_long_clauses() -> None:
    formula = Formula("EAE", ((1, 2, -3, 3, 1), (-1, 2), (3,), (1, -2, 3, -1)))
    for instance in (formula_in_place(formula), formula_write_once(formula)):
        run = instance.run(compile_policy(instance.policy, instance.positions), write_once=False)
        assert instance.holds(run)
        assert instance.read(run.final) is truth(formula)


def test_formulas_that_are_too_large_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    assert tqbf.search(Formula("A" * 60, ((1, -1),))) == (True, 2**60), "counted, not visited"
    with pytest.raises(ValueError, match="at most 4,194,304 fit"):
        formula_write_once(Formula("A" * 30, ((1, -1),)))
    with pytest.raises(ValueError, match="at most 500 variables"):
        tqbf.search(Formula("E" * 501, ()))
    monkeypatch.setattr("apmdm.theory.tqbf.MAX_NODES", 20)
    with pytest.raises(ValueError, match="more than 20 nodes: it is too large to verify"):
        tqbf.search(tqbf.random_formula(Random(0), 8, 16))


def test_what_is_too_large_is_refused_within_seconds() -> None:
    random = Random(0)
    clauses = [tuple(random.choice((1, -1)) * random.randint(61, 100) for _ in range(20)) for _ in range(2000)]
    began = time.process_time()
    with pytest.raises(ValueError, match="at most 500 variables and 200,000 nodes are allowed"):
        tqbf.search(Formula("A" * 60 + "E" * 40, tuple(clauses)))
    assert time.process_time() - began < 5


def test_qdimacs() -> None:
    """Comments, free variables, blocks of one kind, clauses over lines, an end by %, as people write them."""
    text = "c (x or y)\np cnf 6 4\ne 2 0\ne 4 0\na 6 0\n2 -4 6\n 1 0\nc more\n-1 0 0\n1 2 3 -6 2 0\n%\n0\n"
    expected = Formula("EEEEA", ((3, -4, 5, 1), (-1,), (), (1, 3, 2, -5, 3)))
    assert qdimacs.parse(text) == expected
    assert qdimacs.parse("p cnf 0 0\n") == Formula("", ())
    assert qdimacs.parse("p cnf 3 2\r\n1 -3 0\r\n3 0\r\n") == Formula("EE", ((1, -2), (2,)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "begins with p cnf"),
        ("1 2 0\n", "line 1: a formula begins with p cnf"),
        ("p cnf 2\n", "begins with p cnf"),
        ("p cnf 2 2\n1 0\n", "line 1 promises 2 clauses, and there are 1"),
        ("p cnf 2 1\n3 0\n", "line 2: 3 is beyond the 2 variables"),
        ("p cnf 2 1\n1 2\n", "does not end with 0"),
        ("p cnf 2 1\n1 x 0\n", "line 2: 'x' is not a number"),
        ("p cnf 2 1\n1 0\na 2 0\n", "line 3: quantifiers come before the clauses"),
        ("p cnf 2 1\ne 1 0\na 1 0\n1 0\n", "line 3: variable 1 has a quantifier already"),
        ("p cnf 2 1\ne 1\n1 0\n", "line 2: quantifiers are e or a, then variables, then 0"),
        ("p cnf 2 1\ne -1 0\n1 0\n", "line 2: quantifiers are e or a, then variables, then 0"),
    ],
)
def test_wrong_qdimacs_is_told_in_one_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        qdimacs.parse(text)
