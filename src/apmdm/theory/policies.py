"""The policies that run no machine program, on random inputs of a size: formulas, Dyck words, parity by editing."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

import torch

from apmdm.model.encoder import Encoder
from apmdm.policy import Greedy, Stochastic
from apmdm.policy import Policy as Decoding
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence
from apmdm.tasks.dyck import process as words
from apmdm.tasks.dyck.verify import is_word
from apmdm.tasks.parity import process as bits
from apmdm.theory import dyck, parity, tqbf
from apmdm.theory.compile import compile_policy
from apmdm.theory.estimate import Estimate
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.write_once import WriteOnce, assert_theorem_2


@dataclass(frozen=True)
class Instance:
    """A policy with what it starts from, for how many positions it is compiled, and how a run is read and judged.

    steps: the most that a run takes, 0 if few.
    """

    policy: ArrayPolicy
    start: Sequence
    positions: int
    read: Callable[[Sequence], object]
    holds: Callable[[Run], bool]
    decoding: Decoding = Greedy()  # noqa: RUF009
    steps: int = 0

    def run(self, model: Predictor, *, write_once: bool, record: bool = False, estimate: Estimate | None = None) -> Run:
        """estimate: is asked before each step, and may refuse the run."""
        model = WriteOnce(model) if write_once else model
        if estimate is not None:
            estimate.expect(self.steps)
        options = {"max_steps": max(10**7, self.steps + 1), "record": record, "on_step": estimate}
        run = next(rollouts(model, [self.start], self.decoding, **options))
        if run.stop != "fixed point":
            raise ValueError(f"stopped by its {run.stop} after {run.time} steps")
        if write_once:
            assert_theorem_2(self.start, run)
        return run

    def weights(self) -> Encoder:
        return compile_policy(self.policy, self.positions)


@dataclass(frozen=True)
class Listed:
    """about: one line; forms: what it runs as, with its instance of size n for a seed; largest: the largest n.

    task: the registered task whose model its weights are, if any.
    """

    about: str
    forms: dict[str, Callable[[int, int], Instance]]
    largest: int
    task: str = ""


def hard(n: int) -> tqbf.Formula:
    """Every variable for all, one clause that always holds: the search visits all 2^n leaves."""
    return tqbf.Formula("A" * n, ((1, -1, 1),))


def drawn_formula(n: int, seed: int) -> tqbf.Formula:
    return tqbf.random_formula(Random(seed), n, 2 * n)


def formula_in_place(formula: tqbf.Formula) -> Instance:
    size, truth = tqbf.width(formula), tqbf.search(formula)
    start = tqbf.encode(formula, size)
    return _formula(tqbf.policy(size, len(start), tqbf.cell_size(formula)), start, size, truth)


def formula_write_once(formula: tqbf.Formula) -> Instance:
    size, truth = tqbf.width(formula), tqbf.search(formula)
    start = tqbf.encode_write_once(formula, size, truth[1])
    return _formula(tqbf.write_once_policy(size, len(start), tqbf.cell_size(formula)), start, size, truth)


FORMULA_FORMS: dict[str, Callable[[tqbf.Formula], Instance]] = {"ap-mdm": formula_in_place, "mdm": formula_write_once}


def _formula(policy: ArrayPolicy, start: Sequence, size: int, truth: tuple[bool, int]) -> Instance:
    def read(final: Sequence) -> bool | None:
        return tqbf.decode(final, size)

    def holds(run: Run) -> bool:
        return (read(run.final), run.time) == truth

    return Instance(policy, start, len(start), read, holds, steps=truth[1])


def _word(n: int, seed: int) -> Instance:
    """With k = 2; a unit of fuel and what comes of it are four tokens at most."""
    start, positions = words.encode("k2", n), 2 * n + 2
    decoding = Stochastic(cutoff=words.CUTOFF, generator=torch.Generator().manual_seed(seed))

    def holds(run: Run) -> bool:
        word = words.decode(run.final)
        return word is not None and len(word) == n and is_word(word)

    return Instance(dyck.policy(positions), start, positions, words.decode, holds, decoding)


def _parity(n: int, seed: int) -> Instance:
    text = f"{Random(seed).getrandbits(n):0{n}b}"
    truth = text.count("1") % 2
    return Instance(
        parity.policy(), bits.encode(text), bits.BLOCK, bits.decode, lambda run: bits.decode(run.final) == truth
    )


POLICIES = {
    "tqbf": Listed(
        "Truth of a random quantified Boolean formula of n variables and 2 n clauses, by search.",
        {form: lambda n, seed, make=make: make(drawn_formula(n, seed)) for form, make in FORMULA_FORMS.items()},
        16,
    ),
    "dyck": Listed("A random word of two-sided Dyck-2 with n letters.", {"ap-mdm": _word}, 200, "dyck"),
    "parity_by_editing": Listed(
        "Parity of n random bits in at most four steps: pairs of equal bits are deleted.",
        {"ap-mdm": _parity},
        10**6,
        "parity",
    ),
}
