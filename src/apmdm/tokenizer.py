"""Tokenizers that come with pretrained encoders: texts to tokens of a Vocab, and back."""

from collections.abc import Iterable
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from apmdm.vocab import MASK, Vocab, spelling


@dataclass(frozen=True)
class Tokenizer:
    """How texts become tokens.

    whole: what tokenizer.json of the library `tokenizers` holds. mask, pad: the names of these tokens.
    positions: the most tokens of a sequence that its encoder takes, 0 if there is no limit.

    A sequence begins with one token, such as [CLS], and ends with others, such as [SEP]. They stay as they are.
    Raises ValueError if it is damaged, has no such tokens, or puts anything else in front of a text.
    """

    whole: str
    mask: str
    pad: str
    positions: int = 0

    def __post_init__(self) -> None:
        if not self.mask or not self.pad:
            raise ValueError(f"the tokenizer has no token for {'padding' if self.mask else 'masks'}")
        if len(self._around[0]) != 1:
            raise ValueError(
                f"the tokenizer puts {len(self._around[0])} tokens in front of a text; one is needed, such as [CLS]"
            )

    @cached_property
    def _own(self) -> Any:
        from tokenizers import Tokenizer

        try:
            own = Tokenizer.from_str(self.whole)
        except Exception as error:
            raise ValueError(f"the tokenizer is damaged: {error}") from None
        own.no_truncation()
        own.no_padding()
        return own

    @cached_property
    def own_ids(self) -> list[int]:
        """For each token of the vocabulary its number in the tokenizer."""
        numbers: dict[str, int] = self._own.get_vocab(with_added_tokens=True)
        missing = [name for name in (self.pad, self.mask) if name not in numbers]
        if missing:
            raise ValueError(f"the tokenizer has no token {missing[0]!r}")
        first = [numbers[self.pad], numbers[self.mask]]
        return [*first, *sorted(set(numbers.values()) - set(first))]

    @cached_property
    def vocab(self) -> Vocab:
        """All tokens. The tokenizer's tokens for padding and masks are PAD and MASK."""
        return Vocab.of([spelling(self._own.id_to_token(number)) for number in self.own_ids[2:]])

    @cached_property
    def end(self) -> list[int]:
        """What follows the tokens of a text."""
        return self._known(self._around[1])

    @cached_property
    def special(self) -> set[int]:
        """The tokens that stand for no text, MASK included."""
        added = self._own.get_added_tokens_decoder()
        return {MASK, *self._known(number for number, token in added.items() if token.special)}

    def encode(self, text: str) -> list[int]:
        """The token that sequences begin with, and those of the text. A mask is written by its name."""
        return self._known([*self._around[0], *self._own.encode(text, add_special_tokens=False).ids])

    def decode(self, tokens: Seq[int]) -> str:
        """The text of a whole or partial sequence. Special tokens are left out, but not MASK."""
        kept = [self.own_ids[token] for token in tokens if token == MASK or token not in self.special]
        return self._own.decode(kept, skip_special_tokens=False)

    @cached_property
    def _around(self) -> tuple[list[int], list[int]]:
        """The tokenizer's numbers of what it puts in front of a text and after it."""
        encoded = self._own.encode("a")
        inner = [place for place, special in enumerate(encoded.special_tokens_mask) if not special]
        return encoded.ids[: inner[0]], encoded.ids[inner[-1] + 1 :]

    @cached_property
    def _numbers(self) -> dict[int, int]:
        return {own: number for number, own in enumerate(self.own_ids)}

    def _known(self, own: Iterable[int]) -> list[int]:
        return [self._numbers[number] for number in own]
