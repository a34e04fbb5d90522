"""What people, programs and language models do wrong within the strings of JSON."""

from random import Random

from apmdm.text_repair.document import Document, Mistake, one, parses
from apmdm.text_repair.tokens import Kind


def texts(document: Document) -> list[int]:
    return [at for at in document.of(Kind.TEXT) if document.tokens.ends[at] - document.tokens.starts[at] > 2]


def wordy(document: Document) -> list[int]:
    return [at for at in document.values() if " " in document.tokens.text(at).strip('" ')]


def bare(document: Document) -> list[int]:
    return [
        at for at in document.values() if set(document.tokens.text(at)[1:-1]) and "\\" not in document.tokens.text(at)
    ]


def unescaped(document: Document, random: Random) -> Mistake | None:
    held = [at for at in document.of(Kind.TEXT) if '\\"' in document.tokens.text(at)]
    if held and random.random() < 0.7:
        at = random.choice(held)
        return Mistake([document.token(at, document.tokens.text(at).replace('\\"', '"'))], {at}, [])
    if random.random() < 0.3:
        return code_in_text(document, random)
    at = one(wordy(document), random)
    if at is None:
        return None
    words = document.tokens.text(at)[1:-1].split(" ")
    first = random.randrange(len(words))
    last = min(len(words) - 1, first + random.choice((0, 0, 0, 1, 2)))
    if random.random() < 0.12 and (first + 1 < len(words) or words[first][-1:].isdigit()):
        words[first] += '\\"'
    else:
        words[first], after = '\\"' + words[first], words[last]
        mark = after[-1] if len(after) > 1 and after[-1] in ".,;:!?" else ""
        words[last] = (words[last][:-1] if mark else words[last]) + '\\"' + mark
    right = '"' + " ".join(words) + '"'
    if not parses(right):
        return None
    return Mistake([document.token(at, right.replace('\\"', '"'))], {at}, [document.token(at, right)])


_CODE = (
    '<a href="{0}" class="{1}">{2}</a>',
    '<b id="{0}">{1}</b>',
    'print("{0}")',
    '{0}("{1}", "{2}")',
    '{0} = "{1}";',
    'if {0} == "{1}": return "{2}"',
    '{{"{0}": "{1}"}}',
    '{{"{0}": [1, "{1}"]}}',
    '["{0}", "{1}"]',
    'say "{0}", then "{1}"',
    'the "{0}": "{1}" pair',
    '"{0}", "{1}" or "{2}"',
    '"{0}": {1}',
    '"{0}", {1}',
    '"{0}" {1} "{2}"',
    '{0} "{1}".',
)


def code_in_text(document: Document, random: Random) -> Mistake | None:
    """Code, markup or quoted words, made of words of the document, at the beginning or end of a value or within it."""
    at = one(bare(document), random)
    if at is None:
        return None
    words = document.tokens.text(at)[1:-1].split(" ")
    everywhere = " ".join(document.tokens.text(each)[1:-1] for each in document.values()).split(" ")
    known = [word for word in everywhere if word.isalnum()] or ["name", "x"]
    place = random.choice((0, len(words), random.randint(0, len(words))))
    words[place:place] = [random.choice(_CODE).format(*random.choices(known, k=3))]
    wrong = '"' + " ".join(words) + '"'
    right = '"' + wrong[1:-1].replace('"', '\\"') + '"'
    return Mistake([document.token(at, wrong)], {at}, [document.token(at, right)]) if parses(right) else None


_PATHS = (
    r"C:\Users\dana\data",
    r"D:\work\project",
    r"src\main\app",
    r"\\server\share",
    r"..\lib\core",
    r"C:\temp\new\bin",
    "E:\\backup\\",
    "C:\\",
)
_PATTERNS = (r"\d+", r"\w+@\w+\.com", r"^\s*$", r"\(x\)", r"a\_b", r"\[link\]", r"\$5", r"\*bold\*", r"it\'s")


def bad_escape(document: Document, random: Random) -> Mistake | None:
    held = [at for at in document.of(Kind.TEXT) if "\\\\" in document.tokens.text(at)]
    if held and random.random() < 0.7:
        at = random.choice(held)
        wrong = document.tokens.text(at).replace("\\\\", "\\")
        return Mistake([document.token(at, wrong)], {at}, [])
    at = one(document.values(), random)
    if at is None:
        return None
    if random.random() < 0.3 and "'" in (text := document.tokens.text(at)):
        return Mistake([document.token(at, text.replace("'", "\\'"))], {at}, [])
    new = random.choice(_PATHS + _PATTERNS)
    inside = document.tokens.text(at)[1:-1]
    if " " in inside:
        cut = inside.index(" ") + 1
        new = inside[:cut] + new + inside[cut - 1 :]
    right = '"' + new.replace("\\'", "'").replace("\\", "\\\\") + '"' if "\\" not in inside else None
    if right is None:
        return None
    return Mistake([document.token(at, f'"{new}"')], {at}, [document.token(at, right)])


def raw_newline(document: Document, random: Random) -> Mistake | None:
    held = [at for at in document.values() if "\\n" in document.tokens.text(at).replace("\\\\", "")]
    if held and random.random() < 0.7:
        at = random.choice(held)
        text = document.tokens.text(at)
        return Mistake([document.token(at, text.replace("\\n", "\n"))], {at}, []) if "\\\\" not in text else None
    at = one(wordy(document), random)
    if at is None:
        return None
    text = document.tokens.text(at)
    place = random.choice([place for place, char in enumerate(text) if char == " "])
    wrong = text[:place] + "\n" + text[place + 1 :]
    return Mistake([document.token(at, wrong)], {at}, [document.token(at, wrong.replace("\n", "\\n"))])


_CONTRACTED = ("don't", "it's", "can't", "O'Brien", "user's", "we're", "'tis", "users'", "rock 'n' roll")


def apostrophes(document: Document, random: Random) -> Mistake | None:
    """All strings in single quotes, and an apostrophe in one of them."""
    at = one(bare(document), random)
    if at is None or any(char in document.tokens.text(each) for each in document.of(Kind.TEXT) for char in "\\'"):
        return None
    words = document.tokens.text(at)[1:-1].split(" ")
    words.insert(random.randint(0, len(words)), random.choice(_CONTRACTED))
    new = " ".join(words)
    every = document.of(Kind.TEXT)
    edits = [document.token(each, f"'{new if each == at else document.tokens.text(each)[1:-1]}'") for each in every]
    return Mistake(edits, set(every), [document.token(at, f'"{new}"')])


def added(document: Document, at: int, random: Random) -> Mistake:
    """A text as a sum of two."""
    text = document.tokens.text(at)
    places = [place for place, char in enumerate(text) if char == " "]
    cut = random.choice(places) + 1 if places else len(text) // 2
    plus = random.choice((" + ", " + ", "+", " +\n  "))
    return Mistake([document.token(at, f'{text[:cut]}"{plus}"{text[cut:]}')], {at}, [])
