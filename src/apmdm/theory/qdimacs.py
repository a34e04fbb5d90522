"""Quantified Boolean formulas in QDIMACS, the format of their solvers; DIMACS is the same without quantifiers."""

from itertools import takewhile

from apmdm.theory.tqbf import Formula

QUANTIFIERS = {"e": "E", "a": "A"}


def parse(text: str) -> Formula:
    """The formula of a text: `p cnf VARIABLES CLAUSES`, then lines `e 1 2 0` or `a 3 0`, then clauses `1 -3 0`.

    As the standard says, variables without a quantifier are existential and outermost. Lines of comments begin with c
    and may be anywhere, blocks of one kind may follow each other, a clause may be empty or go over several lines, and
    `%` ends the text. Variables are numbered anew, in the order of their quantifiers. Raises ValueError, naming the
    line, for anything else.
    """
    numbered = ((number, line.split()) for number, line in enumerate(text.splitlines(), 1))
    lines = [(number, words) for number, words in takewhile(lambda line: line[1][:1] != ["%"], numbered) if words]
    lines = [(number, words) for number, words in lines if not words[0].startswith("c")]
    variables, promised = _counts(*(lines or [(1, [])])[0])
    quantifiers: dict[int, str] = {}
    clauses: list[list[int]] = []
    clause: list[int] = []
    for number, words in lines[1:]:
        if words[0] in QUANTIFIERS:
            if clauses or clause:
                raise ValueError(f"line {number}: quantifiers come before the clauses")
            for variable in _block(number, words[1:], variables):
                if variable in quantifiers:
                    raise ValueError(f"line {number}: variable {variable} has a quantifier already")
                quantifiers[variable] = QUANTIFIERS[words[0]]
            continue
        for literal in _literals(number, words, variables):
            if literal:
                clause.append(literal)
            else:
                clauses.append(clause)
                clause = []
    if clause:
        raise ValueError("the last clause does not end with 0")
    if len(clauses) != promised:
        raise ValueError(f"line {lines[0][0]} promises {promised:,} clauses, and there are {len(clauses):,}")
    free = sorted({abs(literal) for clause in clauses for literal in clause} - quantifiers.keys())
    prefix = dict.fromkeys(free, "E") | quantifiers
    new = {variable: number for number, variable in enumerate(prefix, 1)}
    renumbered = (tuple(new[abs(x)] * (1 if x > 0 else -1) for x in clause) for clause in clauses)
    return Formula("".join(prefix.values()), tuple(renumbered))


def _counts(number: int, words: list[str]) -> tuple[int, int]:
    """The numbers of variables and clauses that the first line promises."""
    if len(words) != 4 or words[:2] != ["p", "cnf"] or not all(word.isdecimal() for word in words[2:]):
        raise ValueError(
            f"line {number}: a formula begins with p cnf, its number of variables and its number of clauses"
        )
    return int(words[2]), int(words[3])


def _block(number: int, words: list[str], variables: int) -> list[int]:
    """The variables of a line of quantifiers."""
    found = _literals(number, words, variables)
    if not found or 0 in found[:-1] or found[-1] != 0 or min(found) < 0:
        raise ValueError(f"line {number}: quantifiers are e or a, then variables, then 0")
    return found[:-1]


def _literals(number: int, words: list[str], variables: int) -> list[int]:
    for word in words:
        if not word.removeprefix("-").isdecimal():
            raise ValueError(f"line {number}: {word!r} is not a number")
        if abs(int(word)) > variables:
            raise ValueError(f"line {number}: {word} is beyond the {variables:,} variables that the first line names")
    return [int(word) for word in words]
