"""Membership in two-sided Dyck-k or brackets, and distances to it, asked of the definitions alone."""

import numpy as np

CLOSING = {"(": ")", "[": "]", "{": "}"}


def cancel(first: str, second: str) -> bool:
    """True for a letter and its other case, in either order, and for a bracket before the one that closes it."""
    return second == CLOSING.get(first) or (first.isalpha() and second == first.swapcase())


def last_open(word: str) -> list[str]:
    """After each letter the last one that is still open, "" if none is."""
    stack, told = [], list[str]()
    for letter in word:
        if stack and cancel(stack[-1], letter):
            stack.pop()
        else:
            stack.append(letter)
        told.append(stack[-1] if stack else "")
    return told


def still_open(word: str) -> str:
    """What is left when everything has cancelled that can."""
    stack = list[str]()
    for letter in word:
        if stack and cancel(stack[-1], letter):
            stack.pop()
        else:
            stack.append(letter)
    return "".join(stack)


def is_word(word: str) -> bool:
    """True if it cancels down to nothing."""
    return not still_open(word)


def distance(first: str, second: str) -> int:
    """The fewest letters to replace, insert or delete that lead from one to the other."""
    other = np.array(list(second))
    steps = np.arange(len(second) + 1)
    row = steps
    for number, letter in enumerate(first, 1):
        best = np.minimum(row[1:] + 1, row[:-1] + (other != letter))
        row = np.minimum.accumulate(np.concatenate(([number], best)) - steps) + steps
    return int(row[-1])


def distance_to_language(word: str) -> int:
    """The fewest edits that make it a word, by dynamic programming over parts of what is still open: O(n^3).

    A letter alone costs one. Two may be made to cancel: one of them is replaced, or both where neither can stay.
    Neighbours that cancel cost nothing: if their partners are elsewhere, those may be each other's instead.
    """
    word = still_open(word)
    n = len(word)
    pair = np.array([[_pair_cost(x, y) for y in word] for x in word]).reshape(n, n)
    cost = np.zeros((n + 1, n + 1), dtype=np.int64)
    for length in range(1, n + 1):
        start = np.arange(n - length + 1)
        end = start + length
        best = np.full(len(start), length)
        if length > 1:
            best = np.minimum(best, cost[start + 1, end - 1] + pair[start, end - 1])
            middle = start[:, None] + np.arange(1, length)
            best = np.minimum(best, (cost[start[:, None], middle] + cost[middle, end[:, None]]).min(1))
        cost[start, end] = best
    return int(cost[0, n])


def _pair_cost(first: str, second: str) -> int:
    return 0 if cancel(first, second) else 1 + (first in CLOSING.values() and second in CLOSING)
