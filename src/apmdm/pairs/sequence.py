"""A source and its working copy as one sequence of tokens.

    features SEP source END GO copy

A mirrored state has MIRRORED in front, and source and copy in it are read from their last character to their first.
Everything before GO stays as it is. A character `a` is the product token `a@source` in the source and the plain token
`a` in the copy. A position that belongs to place i of the source has the coordinates (i, i + 1, i - 1). SEP and GO have
place 0, END has the place after the last, features have none. The copy begins as a MASK for each of these places, and
positions keep their coordinates through all edits.
"""

import re
from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from functools import cached_property

import torch

from apmdm.model.attention import BEFORE, Relation
from apmdm.pairs.table import Pair
from apmdm.paradigms.form import END
from apmdm.state import NOWHERE, Sequence
from apmdm.vocab import MASK, Vocab, joined, spelling

SEP, GO, SOURCE, FEATURE, UNKNOWN = "SEP", "GO", "source", "feature:", "UNKNOWN"
MIRRORED, STRANGE = "MIRRORED", "STRANGE"
SEP_ID, END_ID, GO_ID, MIRRORED_ID, STRANGE_ID = range(MASK + 1, MASK + 6)
RELATIONS: tuple[Relation, ...] = ((0, 0), (1, 0), (2, 0), BEFORE)
SPARES = 8
PRIVATE_USE = range(0xE000, 0xF900)
"""Code points that Unicode assigns no character to."""


@dataclass(frozen=True)
class Code:
    """How pairs become tokens.

    characters: those that have a token of their own. Others become UNKNOWN1, UNKNOWN2, ... in the order in which the
    source has them, and can be copied. What comes after the last of these tokens shares it.
    features: the features that are known. Others become STRANGE.
    """

    characters: Seq[str]
    features: Seq[str] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "characters", tuple(self.characters))
        object.__setattr__(self, "features", tuple(self.features))
        if not all(len(character) == 1 for character in self.characters):
            raise ValueError("every character of a code is a text of length 1")

    @classmethod
    def of(cls, pairs: Iterable[Pair]) -> "Code":
        """The code with the characters and features that occur in these pairs."""
        pairs = list(pairs)
        characters = {character for pair in pairs for character in pair.source + pair.target}
        features = {feature for pair in pairs for feature in atoms_of(pair.features)}
        return cls(tuple(sorted(characters)), tuple(sorted(features)))

    @cached_property
    def vocab(self) -> Vocab:
        plain = [*map(spelling, self.characters), *(f"{UNKNOWN}{number + 1}" for number in range(SPARES))]
        features = [FEATURE + spelling(feature) for feature in self.features]
        return Vocab.of(SEP, END, GO, MIRRORED, STRANGE, features, plain, joined(plain, [SOURCE]))

    @property
    def character_ids(self) -> range:
        first = STRANGE_ID + 1 + len(self.features)
        return range(first, first + len(self.characters))

    @cached_property
    def strangers(self) -> tuple[str, ...]:
        """Unknown characters to train on, as many as one source may have."""
        unused = (chr(point) for point in PRIVATE_USE if chr(point) not in self._known)
        return tuple(next(unused) for _ in range(SPARES))

    def encode(self, source: str, features: str = "", mirrored: bool = False) -> Sequence:
        """The first state."""
        places, conditions = range(len(source) + 2), self.conditions(features, mirrored)
        return self.copied(source[::-1] if mirrored else source, conditions, [MASK] * len(places), places)

    def copied(self, source: str, conditions: Seq[int], copy: Seq[int], places: Seq[int]) -> Sequence:
        """The state with this copy, whose tokens belong to these places of the source."""
        spread = len(self.characters) + SPARES
        read_only = [SEP_ID, *(token + spread for token in self.tokens(source)), END_ID, GO_ID]
        place = torch.tensor([*range(len(source) + 2), 0, *places])
        grid = torch.stack((place, place + 1, place - 1), 1)
        nowhere = torch.full((len(conditions), 3), NOWHERE)
        return Sequence(torch.tensor([*conditions, *read_only, *copy]), torch.cat((nowhere, grid)))

    def tokens(self, source: str) -> list[int]:
        """The tokens of a copy that is like the source."""
        return list(map(self._ids(source).__getitem__, source))

    def target(self, pair: Pair) -> list[int]:
        """The tokens of the finished copy; that of a character which cannot be written is STRANGE."""
        ids = self._ids(pair.source)
        return [ids.get(character, STRANGE_ID) for character in pair.target]

    def can_write(self, pair: Pair) -> bool:
        """Whether every character of the target was learned from, or can be copied from the source."""
        ids = self._ids(pair.source)
        told = {token: character for character, token in ids.items()}
        return all(told.get(ids.get(character, STRANGE_ID)) == character for character in pair.target)

    def refuse_strangers(self, source: str) -> None:
        """Raises ValueError if a source has too many unknown characters to be told apart."""
        number = len(set(source) - self._known.keys())
        if number > SPARES:
            raise ValueError(
                f"source {source!r} has {number} different characters that were not learned from; "
                f"at most {SPARES} can be copied"
            )

    def decode(self, source: str, sequence: Sequence) -> str | None:
        """The text of the copy. None if it holds a MASK, or if the part before GO is damaged."""
        tokens = sequence.ids.tolist()
        mirrored = tokens[:1] == [MIRRORED_ID]
        ids = self._ids(source[::-1] if mirrored else source)
        spread, go = len(self.characters) + SPARES, tokens.index(GO_ID) if GO_ID in tokens else 0
        read_only = [SEP_ID, *(ids[character] + spread for character in source[:: -1 if mirrored else 1]), END_ID]
        texts = {token: character for character, token in ids.items()}
        copy = [texts.get(token) for token in tokens[go + 1 :]]
        intact = tokens[max(go - len(read_only), 0) : go] == read_only
        return "".join(filter(None, copy))[:: -1 if mirrored else 1] if intact and None not in copy else None

    @cached_property
    def _features(self) -> dict[str, int]:
        return {feature: STRANGE_ID + 1 + number for number, feature in enumerate(self.features)}

    @cached_property
    def _known(self) -> dict[str, int]:
        return dict(zip(self.characters, self.character_ids, strict=True))

    def _ids(self, source: str) -> dict[str, int]:
        """The token of every character that a copy of this source may contain."""
        strangers = [character for character in dict.fromkeys(source) if character not in self._known]
        spares = {
            stranger: self.character_ids.stop + min(number, SPARES - 1) for number, stranger in enumerate(strangers)
        }
        return self._known | spares if spares else self._known

    def conditions(self, features: str, mirrored: bool = False) -> list[int]:
        """The tokens of the features, after MIRRORED if the state is mirrored."""
        found = [self._features.get(atom, STRANGE_ID) for atom in atoms_of(features)]
        return [MIRRORED_ID, *found] if mirrored else found


def atoms_of(features: str) -> list[str]:
    """The single features of a text such as `N;DAT;PL` or `N DAT PL`."""
    return re.findall(r"[^;\s]+", features)
