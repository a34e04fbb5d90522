"""What arrays mean: their numbers at every position of a state, one array after the other, nothing kept.

This is the reference for `incremental.py`, which gives the same numbers faster, and it audits policies.
Letters: N positions, counted through the rows of a state; V vocabulary, A atoms.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from jaxtyping import Bool, Int

from apmdm.state import State
from apmdm.theory.array import (
    Array,
    Atoms,
    Attend,
    Bits,
    Broadcast,
    Choose,
    Constant,
    Given,
    Lookup,
    Map,
    Place,
    Together,
    in_order,
)
from apmdm.vocab import Vocab

Numbers = Int[np.ndarray, "N"]
Flags = Bool[np.ndarray, "N"]
OPERATIONS: dict[str, Callable[..., np.ndarray]] = {
    "and": np.bitwise_and,
    "or": np.bitwise_or,
    "xor": np.bitwise_xor,
    "not": np.bitwise_not,
    "add": np.add,
    "sub": np.subtract,
    "eq": np.equal,
    "lt": np.less,
    "shl": lambda a, b: a << np.minimum(b, 40),
    "shr": lambda a, b: a >> np.minimum(b, 40),
    "nonzero": lambda a: a != 0,
}


def evaluate(
    outputs: Sequence[Array],
    vocab: Vocab,
    state: State,
    *,
    begin: bool = True,
    given: Mapping[Array, Numbers] | None = None,
    audit: bool = False,
) -> dict[Array, Numbers]:
    """The numbers of the outputs at every position of a state.

    begin: sequences start with a token at which every array is 0. given: the numbers of the Given arrays.
    audit: check that maps are elementwise, that no two cases of a choice hold at once, and that the first and the last
    position that an attention finds agree.
    Raises ValueError if the state is too long for the bits of some place, or if an audit finds something.
    """
    row, column = (axis.reshape(-1) for axis in np.indices(state.ids.shape))
    ids, after_begin = state.ids.numpy().reshape(-1), column >= begin
    inside = state.valid.numpy().reshape(-1) & after_begin
    values: dict[Array, Numbers] = {}
    for array in in_order(outputs):
        inputs = [values[one] for one in array.inputs]
        match array:
            case Constant(value=value):
                found = np.full(len(ids), value)
            case Atoms():
                found = of_tokens(array, vocab)[ids]
            case Given():
                found = (given or {})[array]
            case Place():
                found = place(array, column)
            case Attend() | Broadcast():
                found = attended(array, inputs, inside, row)
                if audit and not array.rightmost:
                    other = attended(array, [one[::-1] for one in inputs], inside[::-1], row[::-1])[::-1]
                    if (other != found)[inside].any():
                        raise ValueError("the positions that an attention finds do not agree")
            case _:
                found = elementwise(array, inputs)
                if audit:
                    _audit_elementwise(array, inputs, found, inside)
        values[array] = found * after_begin
    return {one: values[one] for one in outputs}


def attended(array: Attend | Broadcast, inputs: Sequence[Numbers], inside: Flags, row: Numbers) -> Numbers:
    """What each position reads: the value at the last position of its row that `where` holds for, with its key."""
    *keys, value, where = inputs
    query, key = keys or [np.zeros_like(row)] * 2
    keyed = zip(row.tolist(), key.tolist(), value.tolist(), ((where > 0) & inside).tolist(), strict=True)
    last = {(in_row, name): found for in_row, name, found, there in keyed if there}
    return np.array([last.get(asked, 0) for asked in zip(row.tolist(), query.tolist(), strict=True)], dtype=np.int64)


def of_tokens(array: Atoms, vocab: Vocab) -> Int[np.ndarray, "V"]:
    """The number of the atoms for each token of a vocabulary."""
    columns = vocab.composition.long().numpy()[:, [vocab.atoms.index(name) for name in array.names]]
    return (columns << np.arange(len(array.names))).sum(1)


def place(array: Place, position: Numbers) -> Numbers:
    """The numbers of a place at these positions; raises ValueError if they are too large for its bits."""
    beyond = position + (array.offset - array.start)
    number = beyond % array.size if array.part == "field" else 1 + beyond // array.size
    number[beyond < 0] = 0
    if (number >> array.bits).any():
        raise ValueError(f"length {int(position.max()) + 1} is too long for places of {array.bits} bits")
    return number


def elementwise(array: Array, given: Sequence[Numbers]) -> Numbers:
    """What an array makes of the numbers of its inputs at the same position."""
    top = 2**array.bits - 1
    match array:
        case Bits(low=low):
            return given[0] >> low & top
        case Together(parts=parts):
            result, low = np.zeros_like(given[0]), 0
            for part, numbers in zip(parts, given, strict=True):
                result |= numbers << low
                low += part.bits
            return result
        case Map(op=op):
            return OPERATIONS[op](*given) & top
        case Lookup(table=table):
            entries = np.zeros(2**array.array.bits, dtype=np.int64)
            entries[list(table)] = list(table.values())
            return entries[given[0]]
        case Choose():
            result = np.zeros_like(given[0])
            for when, value in zip(given[::2], given[1::2], strict=True):
                result += when * value
            return result
    raise TypeError(f"unknown array {array}")


def _audit_elementwise(array: Array, given: Sequence[Numbers], found: Numbers, inside: Flags) -> None:
    if (elementwise(array, [numbers[::-1] for numbers in given])[::-1] != found).any():
        raise ValueError(f"{type(array).__name__} is not elementwise")
    if isinstance(array, Choose) and (np.sum(given[::2], axis=0)[inside] > 1).any():
        raise ValueError("two cases of a choice hold at once")
