"""The theorems, measured: every form against the interpreter, formulas, the converter, the Dyck generator, weights.

python benchmarks/theory.py [PART ...]     a program, arm/PROGRAM, windows sparse tqbf replay dyck support
                                           parity_by_editing weights limits; all if left out, which takes hours
"""

import hashlib
import json
import sys
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from math import isfinite
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import cast
from unittest.mock import patch

import torch
from torch import Tensor

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Layer, Shape
from apmdm.objective.batch import Batch
from apmdm.objective.masked import masked_loss, some_masked
from apmdm.policy import Greedy, Unmask
from apmdm.sampler import Predictor, Run, rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.task import Dyck, WordRequest
from apmdm.tasks.parity import process as bits
from apmdm.theory import compile as compiler
from apmdm.theory import dyck, in_place, parity, policies, replay, sparse, support, tqbf, write_once
from apmdm.theory.array import Constant, attend, cell, together
from apmdm.theory.compile import compile_policy
from apmdm.theory.incremental import Evaluator
from apmdm.theory.policy import SURE, ArrayPolicy
from apmdm.theory.pram import Job, Result, execute
from apmdm.theory.programs import ENTRIES
from apmdm.theory.random_program import random_job
from apmdm.theory.simulate import FORMS, Form, Simulated, simulate, simulate_all, start
from apmdm.theory.words import own_word, vocabulary
from apmdm.training.trainer import Settings, train
from apmdm.vocab import MASK, Vocab

SIZES = [2] * 20 + [4] * 20 + [8] * 20 + [16] * 20 + [32] * 15 + [64] * 5
SMALL = [2] * 30 + [4] * 30 + [8] * 40
LEFT_TO_RIGHT, DRAWN = 2**17, 25_000
"""Sizes of the inputs of programs, and of those that need n^3 processors; most tokens of all runs left to right of a
size above 4 that has more than one; words of each k."""


def forms(name: str) -> dict[str, object]:
    """A program in every form but left to right, on inputs of growing size."""
    return {form: _checked(name, form, _sizes(name)) for form in FORMS[1:] if form != "arm"}


def left_to_right(name: str) -> dict[str, object]:
    """A program with a token a step, on one input of each size above 4 or more as LEFT_TO_RIGHT allows, then of 4."""
    sizes, entry = [], ENTRIES[name]
    for n in sorted({n for n in _sizes(name) if n > 4}, reverse=True):
        job = entry.problem(Random(0), n).job
        context = _replayed_context(job, execute(job, entry.mode).time)
        sizes += [n] * max(1, min(20, LEFT_TO_RIGHT // context))
    return _checked(name, "arm", [*sizes, *[4] * (100 - len(sizes))])


def in_windows() -> dict[str, object]:
    """Runs left to right whose written part is cached, in windows of 300 MASKs, against the sampler's own."""
    found: dict[str, object] = {}
    for name, entry in ENTRIES.items():
        positions, same = [], 0
        for seed in range(3):
            job = entry.problem(Random(seed), 2).job
            begun = start(job, "arm", execute(job, entry.mode).time)
            whole = next(rollouts(replay.LeftToRight(begun.policy), [begun.sequence]))
            run = replay.left_to_right(begun.policy, begun.sequence, 300)
            costs = [(one.time, one.space, one.work, one.stop) for one in (run, whole)]
            positions.append(len(begun.sequence))
            same += torch.equal(run.final.ids, whole.final.ids) and costs[0] == costs[1]
        found[name] = {"positions": positions, "same": same}
    return found


def _sizes(name: str) -> list[int]:
    return SMALL if name in ("connectivity_squaring", "matrix_closure") else SIZES


def _checked(name: str, form: Form, sizes: list[int]) -> dict[str, object]:
    began, entry = time.perf_counter(), ENTRIES[name]
    problems = [entry.problem(Random(seed), n) for seed, n in enumerate(sizes)]
    jobs, equal, stated = [problem.job for problem in problems], 0, 0
    for problem, outcome in zip(problems, simulate_all(jobs, form, entry.mode), strict=True):
        reference = execute(problem.job, entry.mode)
        same = (outcome.registers, outcome.memory) == (reference.registers, reference.memory)
        equal += same and problem.holds(outcome.memory)
        stated += _as_stated(problem.job, reference, outcome)
    found = {
        "inputs": " ".join(f"{n}:{count}" for n, count in Counter(sizes).items()),
        "different": len({(job.program, job.processors, job.memory) for job in jobs}),
        "equal": equal,
        "steps_and_context_as_stated": stated,
        "seconds": round(time.perf_counter() - began),
    }
    print(name, form, found, file=sys.stderr, flush=True)
    return found


def _as_stated(job: Job, reference: Result, outcome: Simulated) -> bool:
    """Whether steps and context are what the documentation says."""
    costs, registers = (outcome.steps, outcome.context), job.program.num_registers
    log = write_once.context(job, reference.time)
    if outcome.form == "ap-mdm":
        return costs == (reference.time, in_place.context(len(job.memory), job.processors, registers))
    if outcome.form == "sparse":
        most = sparse.most_context(job, reference.live)
        return outcome.steps <= 5 * reference.time + 2 and outcome.context <= most
    if outcome.form == "mdm":
        return costs == (reference.time, log)
    run = simulate(job, "mdm").run
    assert run is not None
    written = int((write_once.encode(job, reference.time).ids == MASK).sum() - (run.final.ids == MASK).sum())
    return costs == (2 * written + reference.time, _replayed_context(job, reference.time))


def _replayed_context(job: Job, time: int) -> int:
    return 1 + 2 * write_once.context(job, time) + time


def sparse_memory() -> dict[str, object]:
    held, worst_steps, worst_context = 0, 0.0, -(10**9)
    for seed in range(100):
        job = random_job(Random(seed))
        result, outcome = execute(job, "CREW"), simulate(job, "sparse", "CREW")
        bound = sparse.most_context(job, result.live)
        same = (outcome.registers, outcome.memory) == (result.registers, result.memory)
        held += same and outcome.steps <= 5 * result.time + 2 and outcome.context <= bound
        worst_steps = max(worst_steps, outcome.steps / result.time)
        worst_context = max(worst_context, outcome.context - bound)
    return {
        "programs": 100,
        "within_bounds": held,
        "most_steps_over_T": worst_steps,
        "context_over_bound": worst_context,
    }


def formulas() -> dict[str, object]:
    random = Random(0)
    drawn = [tqbf.random_formula(random, random.randint(1, 7), random.randint(1, 8)) for _ in range(500)]
    truth = [tqbf.search(formula) for formula in drawn]
    in_constant = list(rollouts(tqbf.policy(3, 64), [tqbf.encode(f, 3) for f in drawn]))
    starts = [tqbf.encode_write_once(f, 3, leaves) for f, (_, leaves) in zip(drawn, truth, strict=True)]
    logged = list(rollouts(tqbf.write_once_policy(3, 2047), starts))
    hard = policies.hard(12)
    run = next(rollouts(tqbf.policy(4, 64), [tqbf.encode(hard, 4)]))
    return {
        "formulas": len(drawn),
        "right": sum((tqbf.decode(r.final, 3), r.time) == truth[r.index] for r in in_constant),
        "write_once_right": sum((tqbf.decode(r.final, 3), r.time) == truth[r.index] for r in logged),
        "forall_12": {"steps": run.time, "context": run.space, "answer": tqbf.decode(run.final, 4)},
        "forall_12_write_once_context": len(tqbf.encode_write_once(hard, 4, 4096)),
    }


def converter() -> dict[str, object]:
    """200 untrained networks with large weights, made to unmask only, and one trained AO-MDM."""
    vocab, equal, as_stated = Vocab.of("BEGIN", "a", "b", "c", "d"), 0, 0
    for seed in range(200):
        torch.manual_seed(seed)
        network = Encoder(vocab, Shape(width=16, layers=1, heads=2, rotary=True))
        with torch.no_grad():
            for parameter in network.parameters():
                parameter.mul_(8)

        def any_order(state: State, network: Encoder = network) -> Edits:
            edits = Greedy()(network(state), state)
            no = torch.zeros_like(edits.remask)
            return replace(edits, remask=edits.remask & state.masked, insert=no, delete=no)

        ids = torch.where(torch.rand(10) < 0.7, MASK, torch.randint(3, 7, (10,)))
        _, same, stated = _replayed(any_order, vocab, ids)
        equal, as_stated = equal + same, as_stated + stated
    return {"policies": 200, "equal": equal, "steps_as_stated": as_stated, "trained": _trained_converter(vocab)}


def _replayed(any_order: Predictor, vocab: Vocab, ids: Tensor) -> tuple[Run, bool, bool]:
    """A run of an AO-MDM, whether its replay ends in the same, and in 2 tokens + rounds steps."""
    run = next(rollouts(any_order, [Sequence(ids)]))
    start = Sequence(torch.cat((torch.tensor([2]), ids)))
    again = next(rollouts(replay.Replay(any_order, vocab, 6), [replay.encode(start, vocab, 6, run.time)]))
    written = int((ids == MASK).sum() - (run.final.ids == MASK).sum())
    same = torch.equal(replay.decode(start, again.final, vocab, 6).ids[1:], run.final.ids)
    return run, same, again.time == 2 * written + run.time


def _trained_converter(vocab: Vocab) -> dict[str, object]:
    """Trained to write words of 6 letters backwards behind them, the two surest letters first."""

    def batches(number: int) -> Batch:
        generator = torch.Generator().manual_seed(number)
        words = torch.randint(3, 7, (64, 6), generator=generator)
        ids = torch.cat((words, torch.full_like(words, MASK)), 1)
        content = torch.cat((torch.zeros_like(words), words.flip(1)), 1)
        return some_masked(State(ids, torch.full((64,), 12)), Edits.of(content), generator)

    torch.manual_seed(0)
    network, settings = Encoder(vocab, Shape(width=32, layers=1, heads=2, absolute=12)), Settings(steps=400)
    with TemporaryDirectory() as folder:
        model = train(network, batches, lambda model: {}, settings, Path(folder), objective=masked_loss).model

    def any_order(state: State) -> Edits:
        return Unmask("confidence", 2)(model(state), state)

    right, equal, as_stated, rounds = 0, 0, 0, 0
    for word in torch.randint(3, 7, (100, 6), generator=torch.Generator().manual_seed(10**6)):
        run, same, stated = _replayed(any_order, vocab, torch.cat((word, torch.full_like(word, MASK))))
        right, equal, as_stated = right + torch.equal(run.final.ids[6:], word.flip(0)), equal + same, as_stated + stated
        rounds += run.time
    return {"words": 100, "right": right, "equal": equal, "steps_as_stated": as_stated, "rounds": rounds}


def generator() -> dict[str, object]:
    valid = {}
    for k in (1, 2, 3, 4):
        words = Dyck().solve(dyck.policy(31), [WordRequest(f"k{k}", 6)] * DRAWN, seed=k, batch_size=256)
        valid[k] = sum(word.solved for word in words)
    return {"samples": 4 * DRAWN, "valid": valid}


def without_sampling() -> dict[str, object]:
    return {"enumerated": _enumerated(), "words_certified": _certified()}


def _enumerated() -> list[dict[str, object]]:
    """Every state that a run for a short word can reach, with what can come next: policy and weights."""
    found, model = [], compile_policy(dyck.policy(31), 16)
    for language, length in (("k1", 2), ("k2", 2), ("k1", 4), ("k2", 4), ("k1", 6)):
        chain, by_weights = (support.chain(one, language, length) for one in (dyck.policy(31), model))
        chances, others = (support.word_chances(one, language, length) for one in (chain, by_weights))
        steps = [
            (chain[before][after], by_weights[before].get(after, 0.0)) for before in chain for after in chain[before]
        ]
        record: dict[str, object] = {
            "language": language,
            "length": length,
            "states": len(chain),
            "steps": len(steps),
            "words": len(chances),
        }
        record["same_states_and_steps"] = {one: set(chain[one]) for one in chain} == {
            one: set(by_weights[one]) for one in by_weights
        }
        record["all_words"] = set(chances) == set(support.words(language, length))
        record["largest_gap_of_a_step"] = max(abs(one - other) for one, other in steps)
        record["largest_gap_of_a_word"] = max(abs(chances[word] - others[word]) for word in chances)
        found.append(record)
    return found


def _certified() -> dict[str, object]:
    """Of all words with k = 2 the run that writes each: how many have one, and the least log-probability of these."""
    found: dict[str, object] = {}
    weights_too = [("policy", dyck.policy(31)), ("weights", compile_policy(dyck.policy(31), 16))]
    for length in (2, 4, 6, 8):
        for name, model in weights_too if length < 8 else weights_too[:1]:
            wanted = support.words("k2", length)
            sure = [one for one in support.log_chances(model, "k2", wanted) if isfinite(one)]
            found[f"{name} {length}"] = {"words": len(wanted), "certified": len(sure), "least_log_chance": min(sure)}
    return found


def long_parity() -> dict[str, object]:
    model, random = compile_policy(parity.policy(), 2), Random(0)
    texts = [f"{random.getrandbits(100_000):0100000b}" for _ in range(10)]
    runs = list(rollouts(model, map(bits.encode, texts)))
    right = sum(bits.decode(run.final) == texts[run.index].count("1") % 2 for run in runs)
    return {"strings": 10, "right": right, "most_steps": max(run.time for run in runs)}


def weights() -> dict[str, object]:
    """Random programs with weights that differ in the program's block alone; prefix sums of 64 words."""
    exact, hashes, model, steps = 0, set(), None, 0
    for seed in range(50):
        job = random_job(Random(seed))
        policy = in_place.policy(job.program, 6, 255)
        model = compile_policy(policy, 256)
        begun, result = in_place.encode(job), execute(job, "CREW")
        run = next(rollouts(model, [begun]))
        exact += in_place.decode(job, run.final) == (result.registers, result.memory) and run.time == result.time
        steps += run.time
        kept = b"".join(
            tensor.detach().numpy().tobytes()
            for name, tensor in sorted(model.named_parameters())
            if not name.endswith("down.weight")
        )
        hashes.add(hashlib.sha256(kept).hexdigest())
    assert model is not None
    problem = ENTRIES["prefix_sum"].problem(Random(0), 64)
    begun, result = in_place.encode(problem.job), execute(problem.job, "CREW")
    large = compile_policy(in_place.policy(problem.job.program, problem.job.bits, 4095), 4096)
    run = next(rollouts(large, [begun]))
    same = in_place.decode(problem.job, run.final) == (result.registers, result.memory)
    prefix = {"exact": same, "bits": problem.job.bits, "steps": run.time, "T": result.time, "context": run.space}
    return {
        "random_programs": 50,
        "exact": exact,
        "steps": steps,
        "distinct_hashes_outside_of_down_projections": len(hashes),
        "layers": model.shape.layers,
        "width": model.shape.width,
        "prefix_sum_64": prefix,
    }


def limits() -> dict[str, object]:
    """Until which width of words and how many positions weights in float32 decide as the policy does."""
    by_width = {}
    for width in (6, 8, 10, 12, 14, 16, 18):
        exact, off = 0, 0.0
        for seed in range(3):
            job = random_job(Random(seed), width)
            model, result = compile_policy(in_place.policy(job.program, width, 255), 256), execute(job, "CREW")
            run = next(rollouts(model, [in_place.encode(job)], max_steps=2 * result.time))
            exact += _ends_in(job, run.final, result) and run.time == result.time
            off = max(off, _off(model, in_place.encode(job)))
        by_width[width] = {"exact_of_3": exact, "logits_off_by": off}
        print(width, by_width[width], file=sys.stderr, flush=True)
    sizes = [2**power for power in (10, 13, 16, 17, 18, 19, 20)]
    return {"by_width": by_width, "bits_read_off_by": [_reading(positions) for positions in sizes]}


def _ends_in(job: Job, final: Sequence, result: Result) -> bool:
    try:
        return in_place.decode(job, final) == (result.registers, result.memory)
    except ValueError:
        return False


@torch.no_grad()
def _off(model: Encoder, start: Sequence) -> float:
    """How far control logits are from the certain ones that they should be."""
    said = model(State.stack([start]))
    return float((torch.stack((said.remask, said.insert, said.delete)).abs() - SURE).abs().max())


@torch.no_grad()
def _reading(positions: int) -> dict[str, object]:
    """How far what 32 queries read, by the weights of an attention, is from bits; above a quarter steps are not exact.

    Each is the last position of a sequence of its own. The hard case of the rightmost match: every other position
    fits as well, and a key has 17 bits, as in a PRAM's log.
    """
    found: dict[str, object] = {"positions": positions}
    vocab, bits = vocabulary(1), positions.bit_length()
    ids = torch.randint(vocab.ids["0"], len(vocab), (1, positions), generator=torch.Generator().manual_seed(0))
    ids[0, 0] = vocab.ids["BEGIN"]
    whole = State(ids, torch.tensor([positions]))
    chosen, key = torch.linspace(positions / 2, positions - 1, 32).long(), together(own_word(1), Constant(16, 0))
    later = torch.arange(positions) > chosen[:, None]
    for name, read in (
        ("unique", attend(cell(bits, offset=-1), cell(bits), own_word(1), Constant(1, 1))),
        ("rightmost", attend(key, key, cell(bits), Constant(1, 1), rightmost=True)),
    ):
        with patch.object(compiler, "MAX_POSITIONS", positions):
            model = compile_policy(ArrayPolicy(vocab, {}, {"remask": read[0:1]}), positions)
        block, width = cast(Layer, model.layers[0]), model.shape.width

        def mapped(part: int, at: Tensor, block: Layer = block, model: Encoder = model, width: int = width) -> Tensor:
            x = block.norms[0](cast(Tensor, model.absolute)[at] + (model.composition @ model.embedding)[ids[0, at]])
            return x @ block.attention.query_key_value.weight[part * width : (part + 1) * width].T

        parts, query = torch.arange(positions).split(2**16), mapped(0, chosen)
        score = torch.cat([query @ mapped(1, at).T for at in parts], 1) / width**0.5
        share = score.masked_fill(later, -torch.inf).softmax(-1)
        said = torch.zeros(len(chosen), width)
        for shares, at in zip(share.split(2**16, 1), parts, strict=True):
            said += shares @ mapped(2, at)
        out = block.attention.out.weight[::2]
        numbers = chosen if name == "rightmost" else torch.from_numpy(Evaluator([read], vocab)(whole)[read])[chosen]
        right = torch.stack([numbers >> bit & 1 for bit in range(read.bits)], -1)
        found[name] = float(((said @ out.T)[:, out.any(1)] / 2 - right).abs().max())
    print(found, file=sys.stderr, flush=True)
    return found


PARTS = {
    **{name: partial(forms, name) for name in ENTRIES},
    **{f"arm/{name}": partial(left_to_right, name) for name in ENTRIES},
    "windows": in_windows,
    "sparse": sparse_memory,
    "tqbf": formulas,
    "replay": converter,
    "dyck": generator,
    "support": without_sampling,
    "parity_by_editing": long_parity,
    "weights": weights,
    "limits": limits,
}


def main() -> None:
    record: dict[str, object] = {"benchmark": "theory", "torch": torch.__version__, "threads": torch.get_num_threads()}
    for name in sys.argv[1:]:
        if name not in PARTS:
            sys.exit(f"there is no part {name}; there are {', '.join(PARTS)}")
    for name in sys.argv[1:] or PARTS:
        began = time.perf_counter()
        record[name] = PARTS[name]()
        record[f"{name}_seconds"] = round(time.perf_counter() - began, 1)
        print(name, record[name], file=sys.stderr)
    print(json.dumps(record))


if __name__ == "__main__":
    main()
