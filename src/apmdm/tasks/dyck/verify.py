"""Membership in two-sided Dyck-k or brackets, asked of the definition alone."""

CLOSING = {"(": ")", "[": "]", "{": "}"}


def cancel(first: str, second: str) -> bool:
    """True for a letter and its other case, in either order, and for a bracket before the one that closes it."""
    return second == CLOSING.get(first) or (first.isalpha() and second == first.swapcase())


def is_word(word: str) -> bool:
    """True if it cancels down to nothing."""
    stack: list[str] = []
    for letter in word:
        if stack and cancel(stack[-1], letter):
            stack.pop()
        else:
            stack.append(letter)
    return not stack


def num_words(k: int, length: int) -> int:
    """How many words of a length there are over k letters and their inverses: closed walks in the 2k-regular tree."""
    walks = [1] + [0] * length
    for _ in range(length):
        steps = [0] * (length + 1)
        for height, number in enumerate(walks):
            if height < length:
                steps[height + 1] += number * (2 * k - (height > 0))
            if height:
                steps[height - 1] += number
        walks = steps
    return walks[0]
