"""Any order replayed left to right (theorem 3): a Masked ARM that writes what an AO-MDM writes, one token a step.

[BEGIN][LEN S] (address, token)* SEP MASK*: first what the AO-MDM starts with, then an address, its token, and so on.
SEP ends each round, so that no round sees its own half-written state. Position a hosts the virtual cell with address
a, as of the last SEP. Two attentions in front give every host its cell, the layers of the AO-MDM run on the hosts
unchanged, one attention behind finds what comes next. Steps: 2 tokens + rounds. Context: 3 + 2 S + rounds.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor
from torch.nn.functional import pad

from apmdm.edits import Edits
from apmdm.policy import Greedy
from apmdm.sampler import OnStep, Predictor, Run, rollouts
from apmdm.state import Sequence, State
from apmdm.theory.array import (
    ALWAYS,
    Array,
    Atoms,
    Given,
    atoms,
    attend,
    broadcast,
    cell,
    substituted,
    together,
    unpack,
)
from apmdm.theory.incremental import Evaluator
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.words import own_mask
from apmdm.theory.write_once import WriteOnce
from apmdm.vocab import JOINT, MASK, MASK_SYMBOL, Vocab


@dataclass(frozen=True)
class LeftToRight:
    """A policy that is checked to be a Masked ARM: it writes the leftmost MASK, and does nothing else."""

    policy: Predictor

    def __call__(self, state: State) -> Edits:
        edits = WriteOnce(self.policy)(state)
        written, leftmost = (edits.unmasked(state) & state.valid).numpy(), state.masked.numpy().argmax(1)
        if written.sum() != written[np.arange(len(state)), leftmost].sum():
            raise ValueError("a Masked ARM writes the leftmost MASK only")
        return edits


def left_to_right(policy: ArrayPolicy, start: Sequence, window: int = 4096, on_step: OnStep | None = None) -> Run:
    """A Masked ARM's run as `rollouts` would give it, if nothing depends on the MASKs to the right of the leftmost.

    Everything written is held, as an ARM caches it, and the sampler sees so many MASKs behind it, then the next ones;
    so a token costs little even where the context is long. The start has no token after a MASK, and no coordinates.
    """
    ids, time, computed, written = start.ids.clone(), 0, 0, int((start.ids != MASK).sum())
    if (ids[written:] != MASK).any() or start.coordinates is not None:
        raise ValueError("left to right, all MASKs come after all tokens, and there are no coordinates")
    for first in range(written, len(ids), window):
        until = min(first + window, len(ids))
        model = LeftToRight(_Cached(policy, ids[:until]))
        run = next(rollouts(model, [Sequence(ids[first:until])], max_steps=window + 1, on_step=on_step))
        ids[first:until], time, computed = run.final.ids, time + run.time, computed + run.computed
        if run.time < until - first:
            break
    return Run(0, Sequence(ids), time, len(ids), time * len(ids), computed, "fixed point")


@dataclass(frozen=True)
class _Cached:
    """A policy at the last positions of a sequence, all before them being held."""

    policy: ArrayPolicy
    ids: Int[Tensor, "length"]

    def __call__(self, state: State) -> Edits:
        window = state.ids.shape[1]
        self.ids[-window:] = state.ids[0]
        return self.policy.at_end(State(self.ids[None], torch.tensor([len(self.ids)])), window)


@lru_cache(maxsize=4)
def replay_vocabulary(vocab: Vocab, bits: int) -> Vocab:
    """The symbols of the AO-MDM with their ids, addresses and lengths below 2^bits, and SEP."""
    addressed = (_addressed(kind, number) for kind in ("ADDR", "LEN") for number in range(2**bits))
    return Vocab.of(vocab.symbols[2:], "SEP", addressed)


def _addressed(kind: str, number: int) -> str:
    return JOINT.join([kind, *(f"a{2**bit}" for bit in range(number.bit_length()) if number >> bit & 1)])


def encode(start: Sequence, vocab: Vocab, bits: int, rounds: int) -> Sequence:
    """The start of the replay of an AO-MDM's run; its first token is the begin token, which both share.

    Addresses, below 2^bits, must reach the last position. rounds: the steps of the AO-MDM; a SEP ends each.
    """
    symbols, ids = replay_vocabulary(vocab, bits), start.ids.tolist()
    written = [symbols.symbols[ids[0]], _addressed("LEN", len(ids) - 1)]
    for address, token in enumerate(ids):
        if address and token != MASK:
            written += [_addressed("ADDR", address), symbols.symbols[token]]
    written += ["SEP"] + [MASK_SYMBOL] * (2 * ids.count(MASK) + rounds)
    return Sequence(torch.tensor(symbols.encode(written)))


def decode(start: Sequence, final: Sequence, vocab: Vocab, bits: int) -> Sequence:
    """The state of the AO-MDM that a replay ended in; raises ValueError if its last round was cut short."""
    symbols, ids = replay_vocabulary(vocab, bits), start.ids.clone()
    address_of = {symbols.ids[_addressed("ADDR", number)]: number for number in range(2**bits)}
    tokens = final.ids.tolist()
    if [token for token in tokens if token != MASK][-1] != symbols.ids["SEP"]:
        raise ValueError("the MASKs of the start were too few: the last round has no SEP; encode more rounds")
    for left, token in pairwise(tokens[1:]):
        if left in address_of and token != MASK:
            ids[address_of[left]] = token
    return Sequence(ids, start.coordinates)


@dataclass(frozen=True)
class _Front:
    """What every position knows before the layers of the AO-MDM: its virtual cell, and where the log stands."""

    cell: dict[str, Array]
    masked: Array
    size: Array
    position: Array
    new_address: Array
    after_address: Array
    left: Array
    after_sep: Array
    is_next: Array

    @classmethod
    def of(cls, vocab: Vocab, bits: int) -> "_Front":
        position, names = cell(bits), [name for name in vocab.atoms if name not in vocab.symbols[:2]]
        is_address, sep, address = atoms("ADDR"), atoms("SEP"), atoms(*(f"a{2**bit}" for bit in range(bits)))
        before = attend(cell(bits, offset=-1), position, together(is_address, sep, own_mask(), address), ALWAYS)
        after_address, after_sep, after_mask, left = unpack(before, 1, 1, 1, bits)
        old = position.below(broadcast(position, sep, rightmost=True))
        size = broadcast(address, atoms("LEN"))
        logged = after_address & ~own_mask() & old
        found = attend(position, left, together(logged, atoms(*names)), logged)
        has, code = unpack(found, 1, len(names))
        virtual = {name: code[number : number + 1] for number, name in enumerate(names)}
        masked = ~has & ~size.below(position)
        is_next = own_mask() & ~after_mask
        return cls(virtual, masked, size, position, is_address & ~old, after_address, left, after_sep, is_next)


def _behind(front: _Front, vocab: Vocab, bits: int, fires: Array, content: Mapping[str, Array]) -> ArrayPolicy:
    """What the next token is, given which virtual cells are unmasked in this round, and with what."""
    address = atoms(*(f"a{2**bit}" for bit in range(bits)))
    written = attend(front.position, address, front.new_address, front.new_address)
    pending = fires & ~written
    target, more = unpack(broadcast(together(front.position, pending), pending, rightmost=True), bits, 1)
    token = attend(front.left, front.position, together(*content.values()), fires)
    value, names = front.after_address, ~front.after_address & more
    ends = ~front.after_address & ~more
    written_atoms = {name: value & token[number : number + 1] for number, name in enumerate(content)}
    written_atoms |= {f"a{2**bit}": names & target[bit : bit + 1] for bit in range(bits)}
    written_atoms |= {"ADDR": names, "SEP": ends}
    waits = own_mask() & ~(front.is_next & ~(ends & front.after_sep))
    return ArrayPolicy(replay_vocabulary(vocab, bits), written_atoms, {"remask": waits}, awake=front.is_next)


def replayed(policy: ArrayPolicy, bits: int) -> ArrayPolicy:
    """The Masked ARM of an AO-MDM that is written in arrays: as arrays again, so it can be compiled."""
    front = _Front.of(policy.vocab, bits)

    def virtual(array: Array) -> Array | None:
        if not isinstance(array, Atoms):
            return None
        return together(*(front.masked if name == MASK_SYMBOL else front.cell[name] for name in array.names))

    names = list(policy.content)
    remask, *content = substituted([policy.controls["remask"], *policy.content.values()], virtual)
    return _behind(front, policy.vocab, bits, front.masked & ~remask, dict(zip(names, content, strict=True)))


@dataclass(frozen=True)
class Replay:
    """The Masked ARM of any deterministic AO-MDM: a model, decoded greedily, or anything that gives edits.

    The model sees the virtual cells 1 to S, without the begin token, at these coordinates if it needs any. Only what
    it unmasks counts: an AO-MDM has no other operation.
    """

    model: Predictor
    vocab: Vocab
    bits: int
    coordinates: Int[Tensor, "cells axes"] | None = None

    @cached_property
    def _arrays(self) -> tuple[_Front, Evaluator, Given, list[Given], ArrayPolicy]:
        front, fires = _Front.of(self.vocab, self.bits), Given(1)
        content = [Given(1) for _ in self.vocab.atoms]
        named = dict(zip(self.vocab.atoms, content, strict=True))
        behind = _behind(front, self.vocab, self.bits, fires, named)
        cells = Evaluator([*front.cell.values(), front.masked, front.size], behind.vocab)
        return front, cells, fires, content, behind

    @cached_property
    def _composition(self) -> Int[np.ndarray, "vocab atoms"]:
        return self.vocab.composition.long().numpy()

    def __call__(self, state: State) -> Edits:
        front, virtual, fires, content, behind = self._arrays
        values = virtual(state)
        tokens = behind.tokens({name: values[bit] for name, bit in front.cell.items()}, state.ids.numel())
        ids = torch.from_numpy(np.where(values[front.masked], MASK, tokens)).view_as(state.ids)
        lengths = torch.from_numpy(values[front.size].reshape(state.ids.shape)[:, -1].copy())
        width = int(lengths.max())
        grid = None if self.coordinates is None else self.coordinates[:width].expand(len(state), -1, -1)
        cells = State(ids[:, 1 : width + 1], lengths, grid)
        edits = self.model(cells)
        if not isinstance(edits, Edits):
            edits = Greedy()(edits, cells)
        room = (1, state.ids.shape[1] - width - 1)
        given: dict[Array, np.ndarray] = {fires: pad((edits.unmasked(cells) & cells.valid).long(), room).numpy()}
        written = pad(edits.content, room).numpy()
        given |= {one: self._composition[:, number][written] for number, one in enumerate(content)}
        decided = behind(state, given)
        assert isinstance(decided, Edits)
        return decided
