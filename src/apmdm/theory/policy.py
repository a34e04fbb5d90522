"""Policies made of arrays: what they write and which control bits they set.

Letters: B batch, L length, N positions counted through the rows, V vocabulary, A atoms.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from jaxtyping import Int

from apmdm.edits import Edits
from apmdm.model.encoder import in_blocks
from apmdm.prediction import Prediction, concatenate_rows
from apmdm.state import State
from apmdm.theory.array import Array
from apmdm.theory.evaluate import Flags, Numbers, evaluate
from apmdm.theory.incremental import Evaluator
from apmdm.vocab import MASK, PAD, Vocab

SURE = 40.0
CONTROLS = "remask", "insert", "delete"


@dataclass(frozen=True)
class ArrayPolicy:
    """What every position does, from arrays: an AP-MDM that the sampler runs in place of a model.

    content: for each atom of the vocabulary a bit, whether the token to write has it; none: it never has.
    controls: the bits remask, insert and delete; what is left out never happens.
    chances: (an atom or a control, a bit, how much is added to its logit where the bit is set): with any, the policy
    gives probabilities instead of decisions; without, what is decided is certain.
    begin: sequences start with a token at which every array is 0. block: attention stays within blocks of so many
    positions. awake: where this bit is 0 nothing happens, so there a policy that decides need not be evaluated.
    audit: evaluate everywhere, and check that maps are elementwise, that the first and the last position that an
    attention finds agree, and that nothing happens where `awake` is 0.
    """

    vocab: Vocab
    content: Mapping[str, Array]
    controls: Mapping[str, Array]
    chances: Sequence[tuple[str, Array, float]] = ()
    begin: bool = True
    block: int = 0
    awake: Array | None = None
    audit: bool = field(default=False, compare=False)

    @property
    def outputs(self) -> list[Array]:
        return [*self.content.values(), *self.controls.values(), *(bit for _, bit, _ in self.chances)]

    def __call__(self, state: State, given: Mapping[Array, Int[np.ndarray, "B L"]] | None = None) -> Edits | Prediction:
        inside = in_blocks(state, self.block) if self.block else state
        size, parts = self._evaluator.rows, []
        for first in range(0, max(1, len(inside)), size):
            part = slice(first, first + size)
            some = inside if len(inside) <= size else inside[part]
            values = self._values(some, given and {one: numbers[part].reshape(-1) for one, numbers in given.items()})
            parts.append(self._probabilities(values, some) if self.chances else self._decisions(values, some))
        decided = concatenate_rows(parts)
        if not self.block:
            return decided
        rows, length = state.ids.shape
        return decided.map(lambda field: field.reshape(rows, -1, *field.shape[2:])[:, :length])

    def _values(self, state: State, given: Mapping[Array, Numbers] | None) -> dict[Array, np.ndarray]:
        if not self.audit:
            return self._evaluator(state, given)
        outputs = self.outputs if self.awake is None else [self.awake, *self.outputs]
        return evaluate(outputs, self.vocab, state, begin=self.begin, given=given, audit=True)

    def at_end(self, state: State, window: int) -> Edits:
        """What happens at the last positions of a state of one row; raises ValueError if anything happens before.

        Of a policy that decides and knows where it is `awake`.
        """
        first = state.ids.shape[1] - window
        return self._decisions(self._evaluator(state), State(state.ids[:, first:], state.lengths - first), first)

    def _decisions(self, values: Mapping[Array, np.ndarray], state: State, first: int = 0) -> Edits:
        """first: how many positions come before those of the state where the values are."""
        tokens = self.tokens({name: values[bit] for name, bit in self.content.items()}, len(values[self.outputs[0]]))
        nothing = np.zeros(len(tokens), dtype=bool)
        bits = [values[self.controls[name]] > 0 if name in self.controls else nothing for name in CONTROLS]
        decided = [tokens, *bits]
        at = None if self.audit else self._evaluator.computed_at
        if at is not None:
            if len(at) and at[0] < first:
                raise ValueError(f"something may happen at position {at[0]}, before the last {state.ids.shape[1]}")
            decided = _spread(decided, at - first, state)
        edits = Edits(*(torch.from_numpy(part).view_as(state.ids) for part in decided))
        if self.awake is not None and self.audit:
            happens = torch.where(state.masked, edits.delete | ~edits.remask, edits.remask) | edits.insert
            if ((happens & state.valid).numpy().reshape(-1) & (values[self.awake] == 0)).any():
                raise ValueError("something happens where the policy is not awake")
        unmasked = (edits.unmasked(state) & state.valid).numpy()
        if (edits.content.numpy()[unmasked] <= MASK).any():
            raise ValueError("the policy writes something that is no token of its vocabulary")
        return edits

    def tokens(self, bits: Mapping[str, Numbers], size: int) -> Numbers:
        """The tokens that have those of these atoms whose bit is set, at `size` positions; PAD if there is none."""
        code = np.zeros(size, dtype=np.int64)
        for atom, bit in bits.items():
            code |= bit << self.vocab.atoms.index(atom)
        codes, ids = self._codes
        place = np.searchsorted(codes, code).clip(max=len(codes) - 1)
        return np.where(codes[place] == code, ids[place], PAD)

    @cached_property
    def _evaluator(self) -> Evaluator:
        return Evaluator(self.outputs, self.vocab, begin=self.begin, awake=self.awake)

    @cached_property
    def _codes(self) -> tuple[Int[np.ndarray, "V"], Int[np.ndarray, "V"]]:
        """The atoms of each symbol as a number, ascending, and the ids of the symbols in that order."""
        codes = (self.vocab.composition.long().numpy() << np.arange(len(self.vocab.atoms))).sum(1)
        ids = codes.argsort(kind="stable")
        return codes[ids], ids

    def _probabilities(self, values: Mapping[Array, np.ndarray], state: State) -> Prediction:
        bits = {one: torch.from_numpy(values[one]).view_as(state.ids).float() for one in self.outputs}
        logits = {name: SURE * (2 * bits[one] - 1) for name, one in {**self.content, **self.controls}.items()}
        never = torch.full(state.ids.shape, -SURE)
        for name, one, amount in self.chances:
            logits[name] = logits.get(name, never) + amount * bits[one]
        scores = torch.stack([logits.get(atom, never) for atom in self.vocab.atoms], -1)
        content = scores @ self.vocab.composition.T
        content[..., [PAD, MASK]] = -torch.inf
        return Prediction(content, *(logits.get(name, never) for name in CONTROLS))


def _spread(decided: Sequence[Numbers | Flags], at: Int[np.ndarray, "N"], state: State) -> list[np.ndarray]:
    """What is decided at some positions, as edits of all: at the others nothing happens."""
    masked, never = state.masked.numpy().reshape(-1), np.zeros(state.ids.numel(), dtype=bool)
    everywhere = [np.zeros(state.ids.numel(), dtype=np.int64), masked.copy(), never, never.copy()]
    for whole, part in zip(everywhere, decided, strict=True):
        whole[at] = part
    return everywhere
