"""Symbols and their ids. A symbol may be a product of atoms, such as `5@L0`: value 5 at level 0.

The model embeds a symbol as the sum of its atoms' embeddings and scores it as the sum of its atoms' logits. Rare
combinations share in this way what common ones have learned.
"""

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor

PAD, MASK = 0, 1
PAD_SYMBOL, MASK_SYMBOL = "<pad>", "<mask>"
JOINT = "@"


@dataclass(frozen=True)
class Vocab:
    """The ordered symbols of a task; ids 0 and 1 are always PAD and MASK.

    Raises ValueError for duplicate or empty symbols.
    """

    symbols: Sequence[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "symbols", tuple(self.symbols))
        if self.symbols[:2] != (PAD_SYMBOL, MASK_SYMBOL):
            raise ValueError(f"a vocabulary starts with {PAD_SYMBOL} and {MASK_SYMBOL}, not {self.symbols[:2]}")
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("a vocabulary has no symbol twice")
        if not all(atom for symbol in self.symbols for atom in symbol.split(JOINT)):
            raise ValueError(f"symbols and the atoms between {JOINT!r} are not empty")
        seen: dict[frozenset[str], str] = {}
        for symbol in self.symbols:
            twin = seen.setdefault(frozenset(symbol.split(JOINT)), symbol)
            if twin != symbol:
                raise ValueError(f"symbols {twin!r} and {symbol!r} have the same atoms: no model could tell them apart")

    @classmethod
    def of(cls, *symbols: str | Iterable[str]) -> "Vocab":
        """A vocabulary of PAD, MASK and the given symbols, in order.

        A string is one symbol, a list one symbol for each entry: `Vocab.of("END", list("01"))` has END, 0 and 1.
        """
        groups = ((group,) if isinstance(group, str) else tuple(group) for group in symbols)
        return cls((PAD_SYMBOL, MASK_SYMBOL, *(symbol for group in groups for symbol in group)))

    def __len__(self) -> int:
        return len(self.symbols)

    @cached_property
    def ids(self) -> dict[str, int]:
        """The id of every symbol."""
        return {symbol: index for index, symbol in enumerate(self.symbols)}

    @cached_property
    def atoms(self) -> tuple[str, ...]:
        """Every atom once, in the order in which the symbols first use them."""
        return tuple(dict.fromkeys(atom for symbol in self.symbols for atom in symbol.split(JOINT)))

    @cached_property
    def composition(self) -> Float[Tensor, "vocab atoms"]:
        """A matrix with one row for each symbol, which holds 1.0 at each of its atoms and 0.0 elsewhere."""
        index = {atom: number for number, atom in enumerate(self.atoms)}
        held = [(row, index[atom]) for row, symbol in enumerate(self.symbols) for atom in symbol.split(JOINT)]
        matrix = torch.zeros(len(self), len(self.atoms))
        matrix[tuple(torch.tensor(held).T)] = 1.0
        return matrix

    def encode(self, symbols: Iterable[str]) -> list[int]:
        """Ids of symbols; raises ValueError for an unknown one."""
        symbols = list(symbols)
        unknown = [symbol for symbol in symbols if symbol not in self.ids]
        if unknown:
            raise ValueError(f"unknown symbol {unknown[0]!r}; allowed are {', '.join(self.symbols)}")
        return [self.ids[symbol] for symbol in symbols]

    def decode(self, ids: Sequence[int]) -> list[str]:
        """Symbols of ids; raises ValueError for an unknown one."""
        unknown = [index for index in ids if not 0 <= index < len(self.symbols)]
        if unknown:
            raise ValueError(f"unknown id {unknown[0]}; allowed are 0 to {len(self.symbols) - 1}")
        return [self.symbols[index] for index in ids]


def joined(*groups: Iterable[str]) -> list[str]:
    """Every product symbol of the groups: `joined("12", ["L0"])` is `["1@L0", "2@L0"]`."""
    return [JOINT.join(combination) for combination in product(*groups)]


def readable(name: str) -> str:
    """The name of a symbol as people read it: a product `5@1:new` is 5/new."""
    first, *others = name.split(JOINT)
    parts = [first, *(other.partition(":")[2] or other for other in others)]
    return "/".join(parts).replace("%40", JOINT).replace("%25", "%")


def spelling(symbol: Hashable) -> str:
    """The name of any value in a vocabulary. That of a tuple is a product: `("5", "new")` gives `5@1:new`.

    The parts after the first carry their place, so that `("a", "b")` and `("b", "a")` are told apart.
    """
    if isinstance(symbol, tuple) and symbol:
        first, *others = map(spelling, symbol)
        return JOINT.join((first, *(f"{place}:{other}" for place, other in enumerate(others, 1))))
    return str(symbol).replace("%", "%25").replace(JOINT, "%40")
