"""Arrays on a state, and policies made of arrays: what they write and which control bits they set.

Letters: B batch, L length, V vocabulary, A atoms.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.model.encoder import in_blocks
from apmdm.prediction import Prediction
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
from apmdm.vocab import MASK, PAD, Vocab

SURE = 40.0
TABLE = 2**22
"""Most entries of a table from keys to positions that are held at once."""

Numbers = Int[Tensor, "B L"]
OPERATIONS: dict[str, Callable[..., Tensor]] = {
    "and": torch.bitwise_and,
    "or": torch.bitwise_or,
    "xor": torch.bitwise_xor,
    "not": torch.bitwise_not,
    "add": torch.add,
    "sub": torch.sub,
    "eq": torch.eq,
    "lt": torch.lt,
    "shl": lambda a, b: a << b.clamp(max=40),
    "shr": lambda a, b: a >> b.clamp(max=40),
    "nonzero": lambda a: a != 0,
}


@dataclass(frozen=True)
class Policy:
    """What every position does, from arrays: an AP-MDM that the sampler runs in place of a model.

    content: for each atom of the vocabulary a bit, whether the token to write has it; none: it never has.
    controls: the bits remask, insert and delete; what is left out never happens.
    chances: (an atom or a control, a bit, how much is added to its logit where the bit is set): with any, the policy
    gives probabilities instead of decisions; without, what is decided is certain.
    begin: sequences start with a token at which every array is 0. block: attention stays within blocks of so many
    positions. audit: check at every evaluation that maps are elementwise and that what is attended to is unambiguous.
    """

    vocab: Vocab
    content: Mapping[str, Array]
    controls: Mapping[str, Array]
    chances: Sequence[tuple[str, Array, float]] = ()
    begin: bool = True
    block: int = 0
    audit: bool = field(default=False, compare=False)

    @property
    def outputs(self) -> list[Array]:
        return [*self.content.values(), *self.controls.values(), *(bit for _, bit, _ in self.chances)]

    def __call__(self, state: State, given: Mapping[Array, Numbers] | None = None) -> Edits | Prediction:
        inside = in_blocks(state, self.block) if self.block else state
        values = self._evaluator(inside, given)
        decided = self._probabilities(values) if self.chances else self._decisions(values, inside)
        if not self.block:
            return decided
        rows, length = state.ids.shape
        fields = [field for field in vars(decided).values() if field is not None]
        return type(decided)(*(field.reshape(rows, -1, *field.shape[2:])[:, :length] for field in fields))

    def _decisions(self, values: Mapping[Array, Numbers], state: State) -> Edits:
        code = torch.zeros_like(state.ids)
        for atom, bit in self.content.items():
            code |= values[bit] << self.vocab.atoms.index(atom)
        token = self.tokens(code)
        nothing = torch.zeros_like(state.ids, dtype=torch.bool)
        bits = [
            values[self.controls[name]].bool() if name in self.controls else nothing
            for name in ("remask", "insert", "delete")
        ]
        edits = Edits(token, *bits)
        if bool((edits.unmasked(state) & state.valid & (token <= MASK)).any()):
            raise ValueError("the policy writes something that is no token of its vocabulary")
        return edits

    def tokens(self, code: Numbers) -> Numbers:
        """The token with these atoms, a bit for each in the order of the vocabulary; PAD if there is none."""
        codes, ids = self._codes
        place = torch.searchsorted(codes, code).clamp(max=len(codes) - 1)
        return torch.where(codes[place] == code, ids[place], PAD)

    @cached_property
    def _evaluator(self) -> "Evaluator":
        return Evaluator(self.outputs, self.vocab, begin=self.begin, audit=self.audit)

    @cached_property
    def _composition(self) -> Float[Tensor, "V A"]:
        return self.vocab.composition()

    @cached_property
    def _codes(self) -> tuple[Int[Tensor, "V"], Int[Tensor, "V"]]:
        """The atoms of each symbol as a number, ascending, and the ids of the symbols in that order."""
        weights = 2 ** torch.arange(len(self.vocab.atoms))
        codes, ids = (self._composition.long() * weights).sum(1).sort()
        return codes, ids

    def _probabilities(self, values: Mapping[Array, Numbers]) -> Prediction:
        logits = {name: SURE * (2 * values[bit] - 1).float() for name, bit in {**self.content, **self.controls}.items()}
        never = torch.full_like(next(iter(logits.values())), -SURE)
        for name, bit, amount in self.chances:
            logits[name] = logits.get(name, never) + amount * values[bit]
        scores = torch.stack([logits.get(atom, never) for atom in self.vocab.atoms], -1)
        content = scores @ self._composition.T
        content[..., [PAD, MASK]] = -torch.inf
        return Prediction(content, *(logits.get(name, never) for name in ("remask", "insert", "delete")))


class Evaluator:
    """The numbers of arrays at every position of a state; what does not depend on the state is prepared once."""

    def __init__(self, outputs: Sequence[Array], vocab: Vocab, *, begin: bool = True, audit: bool = False) -> None:
        self.order, self.begin, self.audit = list(in_order(outputs)), begin, audit
        composition = vocab.composition().long()
        self.of_token = {
            array: _by_token(array, vocab, composition) for array in self.order if isinstance(array, Atoms)
        }

    def __call__(self, state: State, given: Mapping[Array, Numbers] | None = None) -> dict[Array, Numbers]:
        """Raises ValueError if the state is too long for the bits of some place."""
        inside = state.valid.clone()
        if self.begin:
            inside[:, :1] = False
        values: dict[Array, Tensor] = {}
        for array in self.order:
            inputs = [values[one] for one in array.inputs]
            match array:
                case Constant(value=value):
                    found = torch.full_like(state.ids, value)
                case Given():
                    found = (given or {})[array].clone()
                case Atoms():
                    found = self.of_token[array][state.ids]
                case Place():
                    found = place(array, state.ids.shape[1]).repeat(len(state), 1)
                case _:
                    found = _from_others(array, inputs, inside)
            if self.audit:
                _audit(array, inputs, found, inside)
            if self.begin:
                found[:, :1] = 0
            values[array] = found
        return values


def _by_token(array: Atoms, vocab: Vocab, composition: Int[Tensor, "V A"]) -> Int[Tensor, "V"]:
    columns = composition[:, [vocab.atoms.index(name) for name in array.names]]
    return (columns * 2 ** torch.arange(len(array.names))).sum(1)


def place(array: Place, length: int) -> Int[Tensor, "L"]:
    """The numbers of a place; raises ValueError if the positions of a sequence are too many for its bits."""
    beyond = torch.arange(length) + array.offset - array.start
    number = beyond % array.size if array.part == "field" else 1 + beyond // array.size
    number = number.masked_fill(beyond < 0, 0)
    if bool((number >> array.bits).any()):
        raise ValueError(f"length {length} is too long for places of {array.bits} bits")
    return number


def _from_others(array: Array, given: Sequence[Numbers], inside: Bool[Tensor, "B L"]) -> Numbers:
    if isinstance(array, Attend):
        query, *others = given
        return _attended(array.query.bits, query, others, inside)
    if isinstance(array, Broadcast):
        value, where = given
        position = torch.arange(1, value.shape[1] + 1) * (where.bool() & inside)
        last = position.amax(1, keepdim=True)
        return torch.where(last > 0, value.gather(1, (last - 1).clamp(min=0)), 0).repeat(1, value.shape[1])
    return elementwise(array, given)


def elementwise(array: Array, given: Sequence[Numbers]) -> Numbers:
    """What an array makes of the numbers of its inputs at the same position."""
    top = 2**array.bits - 1
    match array:
        case Bits(low=low):
            return given[0] >> low & top if low + array.bits < array.array.bits else given[0] >> low
        case Together(parts=parts):
            result, low = torch.zeros_like(given[0]), 0
            for part, numbers in zip(parts, given, strict=True):
                result |= numbers << low
                low += part.bits
            return result
        case Map(op=op):
            return OPERATIONS[op](*given).long() & top
        case Lookup(table=table):
            entries = torch.zeros(2**array.array.bits, dtype=torch.long)
            entries[list(table)] = torch.tensor(list(table.values()), dtype=torch.long)
            return entries[given[0]]
        case Choose():
            result = torch.zeros_like(given[0])
            for when, value in zip(given[::2], given[1::2], strict=True):
                result.addcmul_(when, value)
            return result
    raise TypeError(f"unknown array {array}")


def _attended(bits: int, query: Numbers, others: Sequence[Numbers], inside: Bool[Tensor, "B L"]) -> Numbers:
    """By a table from keys to positions, for as many rows at a time as it has room for."""
    key, value, where = others
    result, position = [], torch.arange(query.shape[1])
    for part in torch.arange(len(query)).split(max(1, TABLE >> bits)):
        chosen, offset = where[part].bool() & inside[part], torch.arange(len(part))[:, None] << bits
        table = torch.full((len(part) << bits,), -1)
        entry = (key[part] + offset)[chosen]
        table.scatter_reduce_(0, entry, position.expand_as(chosen)[chosen], "amax")
        found = table[query[part] + offset]
        result.append(value[part].gather(1, found.clamp(min=0)).masked_fill(found < 0, 0))
    return torch.cat(result)


def _audit(array: Array, given: Sequence[Numbers], found: Numbers, inside: Bool[Tensor, "B L"]) -> None:
    """Raises ValueError if a map looks beyond its own position, if choices overlap or an attention is ambiguous."""
    turned = [numbers.flip(1) for numbers in given]
    if isinstance(array, Attend | Broadcast):
        if not array.rightmost:
            turned = [given[0], *turned[1:]] if isinstance(array, Attend) else turned
            other = _from_others(array, turned, inside.flip(1))
            if not torch.equal(other.masked_fill(~inside, 0), found.masked_fill(~inside, 0)):
                raise ValueError("the positions that an attention finds do not agree")
    elif given:
        if not torch.equal(elementwise(array, turned).flip(1), found):
            raise ValueError(f"{type(array).__name__} is not elementwise")
        if isinstance(array, Choose) and bool((sum(given[::2]) > inside.long()).masked_fill(~inside, False).any()):
            raise ValueError("two cases of a choice hold at once")
