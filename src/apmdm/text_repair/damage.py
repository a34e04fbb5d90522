"""Seeded damages of valid JSON documents, one or several, with the values that are right."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import takewhile
from random import Random

from apmdm.text_repair.completions import completions, open_quote
from apmdm.text_repair.document import Document, Mistake, edited
from apmdm.text_repair.json_damages import DAMAGES, SHARES, STYLES, Damage
from apmdm.text_repair.languages import is_json
from apmdm.text_repair.tokens import tokens_of
from apmdm.text_repair.ways import Edit

_WRAPS = {"fence", "prose", "concatenated"}


@dataclass(frozen=True)
class Damaged:
    """A broken text, what is wrong with it, and the values that a person would accept as its repair."""

    text: str
    kinds: tuple[str, ...]
    accepted: tuple[object, ...]


def damaged(
    text: str, num: int, random: Random, others: list[str], shares: Mapping[str, float] = SHARES
) -> Damaged | None:
    """A document with `num` damages; None if it has too few places for them.

    others: documents that may stand behind it. shares: of the kinds; those of public reports, roughly.
    """
    return damaged_by(drawn(num, random, shares), text, random, others)


def drawn(num: int, random: Random, shares: Mapping[str, float] = SHARES) -> list[str]:
    """Kinds of damages that can be together."""
    names = random.choices(list(shares), list(shares.values()), k=num)
    if len(set(names) & _WRAPS) > 1 or sum(name in STYLES for name in names) > 1 or names.count("truncated") > 1:
        return drawn(num, random, shares)
    return names


def damaged_by(names: list[str], text: str, random: Random, others: list[str]) -> Damaged | None:
    """A document with damages of these kinds; None if it has no place for one of them, or is valid still."""
    broken, truths = text, [text]
    if "truncated" in names:
        cut = random.randrange(len(text) // 3, len(text))
        broken = text[:cut].rstrip() if random.random() < 0.9 else text[:cut]
        truths = completions(broken)
        if not truths:
            return None
    document = Document(tokens_of(_shared([broken[: open_quote(broken)], *truths])))
    used, edits, truth = set[int](), list[Edit](), [list[Edit]()]
    for name in sorted(names, key=lambda name: name in STYLES):
        if name in _WRAPS or name == "truncated":
            continue
        change = _apart(DAMAGES[name], document, random, used, name in STYLES)
        if change is None:
            return None
        used |= change.tokens
        edits += change.broken
        truth = [[*before, *more] for before in truth for more in (change.truth, *change.others)]
    out = edited(broken, edits)
    values = [json.loads(edited(base, each)) for base in truths for each in truth]
    for name in names:
        if name in _WRAPS:
            out, values = _wrapped(name, out, values, random, others)
    if is_json(out):
        return None
    return Damaged(out, tuple(names), tuple(values))


def _shared(texts: Iterable[str]) -> str:
    """The beginning that texts share."""
    same = takewhile(lambda chars: len(set(chars)) == 1, zip(*texts, strict=False))
    return "".join(chars[0] for chars in same)


def _apart(damage: Damage, document: Document, random: Random, used: set[int], style: bool) -> Mistake | None:
    """A change that touches no token touched before; of a style, what is left of it."""
    for _ in range(20):
        change = damage(document, random)
        if change is None:
            return None
        if style:
            kept = [edit for edit in change.broken if not any(document.touches(edit, at) for at in used)]
            truth = [edit for edit in change.truth if not any(document.touches(edit, at) for at in used)]
            return Mistake(kept, change.tokens - used, truth) if kept else None
        if not change.tokens & used:
            return change
    return None


_BEFORE = (
    "Here is the JSON you asked for:\n\n",
    "Here's the corrected version:\n",
    "Sure! ",
    "Sure, here it is: ",
    "The answer is ",
    "Result:\n",
    "Output: ",
    "I looked at the data (see above) and found this.\n",
    'Based on the "input", I\'d say:\n\n',
    "First I list the items. Then I count them: 3 of 4.\n",
    "<think>\nThe user wants a list, so I'll make one.\n</think>\n",
    "2024-05-01 12:30:01 INFO response: ",
    "data: ",
    "[INFO] response: ",
    "Step [2], with {name} filled in:\n",
)
_BEHIND = (
    "\n\nLet me know if you need anything else!",
    ".",
    "\n",
    "\nThis covers all cases: a, b and c.",
    "\nHope this helps.",
    "\n-- end of output --",
    "\n\nNote: I've left out what isn't known.",
    '\n\nThe field "a" is optional.',
)
_AROUND = (
    ("const data = ", ";"),
    ("data = ", ""),
    ("callback(", ");"),
    ("<json>\n", "\n</json>"),
    ("The answer is ", "."),
    ("module.exports = ", ";\n"),
)


def _prose(random: Random) -> tuple[str, str]:
    """What stands before and behind a document."""
    if random.random() < 0.15:
        return random.choice(_AROUND)
    sides = random.choice(((1, 1), (1, 1), (1, 0), (1, 0), (0, 1)))
    return random.choice(_BEFORE) * sides[0], random.choice(_BEHIND) * sides[1]


def _wrapped(name: str, text: str, values: list[object], random: Random, others: list[str]) -> tuple[str, list[object]]:
    """The whole document in a fence, in prose, or before another one."""
    if name == "concatenated" and others:
        other = random.choice(others)
        together = text + random.choice(("\n", "\n", "", " ", "\n\n", ",\n", ", ")) + other
        return together, [[value, json.loads(other)] for value in values]
    before, after = _prose(random) if name == "prose" or random.random() < 0.3 else ("", "")
    if name == "fence":
        text = f"```{random.choice(('json', 'json', 'json', '', 'JSON', 'js'))}\n{text}\n```"
        if not before and random.random() < 0.15:
            text = text.removesuffix("\n```")
    return before + text + after, values
