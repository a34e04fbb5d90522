"""How many words a language has, words drawn uniformly from it, and words with errors."""

from functools import lru_cache
from random import Random

from apmdm.objective.self_supervised import with_errors
from apmdm.tasks.dyck.process import ALPHABETS, LANGUAGES, LETTERS, OPENING, START


def num_words(language: str, length: int) -> int:
    return _ways(language, length)[length][0]


def random_word(language: str, length: int, random: Random) -> str:
    """Each word of this length, an even number, is equally likely."""
    ways, opening, word, stack = _ways(language, length), OPENING[LANGUAGES.index(language)], [], []
    for left in range(length - 1, -1, -1):
        down = ways[left][len(stack) - 1] if stack else 0
        if random.randrange(ways[left + 1][len(stack)]) < down:
            word.append(stack.pop() ^ 1)
        else:
            word.append(random.choice([n for n in opening if not stack or n != stack[-1] ^ 1]))
            stack.append(word[-1])
    return "".join(LETTERS[number] for number in word)


def damaged(word: str, num: int, language: str, random: Random) -> str:
    """The word after so many letters of it were replaced, removed or added."""
    numbers = [LETTERS.index(letter) for letter in word]
    spots = with_errors([START, *numbers], num, ALPHABETS[LANGUAGES.index(language)], random)
    return "".join(LETTERS[spot.token] for spot in spots[1:])


@lru_cache(maxsize=8)
def _ways(language: str, length: int) -> list[list[int]]:
    """[left][height]: in how many ways so many letters more can close so many that are open."""
    alphabet, opening = (len(numbers[LANGUAGES.index(language)]) for numbers in (ALPHABETS, OPENING))
    ways = [[1] + [0] * (length + 1)]
    for _ in range(length):
        last = ways[-1]
        row = [opening * last[1]]
        for height in range(1, length + 1):
            up = opening - (alphabet == opening)
            row.append(up * last[height + 1] + last[height - 1])
        ways.append([*row, 0])
    return ways
