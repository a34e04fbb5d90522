"""What a look at all tokens of broken Python tells beforehand: where brackets and quotes may be missing."""

from itertools import pairwise

from apmdm.text_repair.python_tokens import CLOSERS, OPENERS, QUOTE, SIMPLE, TRIPLE, WHOLE, PythonTokens, line_ends

UNIT = 4
NEVER_INSIDE = {"def", "class", "while", "try", "with", *SIMPLE} - {"from"}


def suspicious(tokens: PythonTokens) -> tuple[int, int]:
    """From which token on a closing bracket may be missing, and up to which one an opening bracket."""
    kinds = tokens.kinds
    stack, closers_from, openers_to = list[int](), len(kinds), -1
    for at, kind in enumerate(kinds):
        if kind in OPENERS:
            stack.append(at)
        elif kind in CLOSERS:
            if not stack or kinds[stack[-1]] != CLOSERS[kind]:
                openers_to = at
                closers_from = min(closers_from, stack[0] if stack else at)
                if any(kinds[each] == CLOSERS[kind] for each in stack):
                    while kinds[stack[-1]] != CLOSERS[kind]:
                        stack.pop()
                    stack.pop()
            else:
                stack.pop()
        elif stack and (kind == WHOLE or (kind in NEVER_INSIDE and tokens.first[at])):
            closers_from = min(closers_from, stack[0])
            stack.clear()
    return (min(closers_from, stack[0]) if stack else closers_from), openers_to


def loose_quotes(tokens: PythonTokens) -> list[tuple[str, ...]]:
    """For each token the quotes that it may lack in front: those of its line, and in triples those further on."""
    found: list[tuple[str, ...]] = [()] * len(tokens)
    ends = line_ends(tokens)
    start = 0
    while start < len(tokens):
        end = max(ends[start], start + 1)
        marks = {tokens.text(at)[-1] for at in range(start, end) if tokens.kinds[at] == QUOTE}
        for at in range(start, end):
            found[at] = tuple(sorted(marks))
        start = end
    triples = dict.fromkeys(tokens.text(at)[-3:] for at in range(len(tokens)) if tokens.kinds[at] == TRIPLE)
    for mark in triples:
        last = max(at for at in range(len(tokens)) if tokens.kinds[at] == TRIPLE and tokens.text(at)[-3:] == mark)
        for at in range(last + 1):
            found[at] = (*found[at], mark) if tokens.first[at] else found[at]
    return found


def usual_indentation(tokens: PythonTokens) -> int:
    """By how much blocks are usually indented."""
    steps = [inner.indent - outer.indent for levels in tokens.levels.values() for outer, inner in pairwise(levels)]
    return max(set(steps), key=steps.count) if steps else UNIT
