"""The theorems, measured: every form against the interpreter, formulas, the converter, the Dyck generator, weights.

python benchmarks/theory.py [PART ...]     parts: forms sparse tqbf replay dyck parity weights; all if left out
"""

import hashlib
import json
import sys
import time
from dataclasses import replace
from random import Random

import torch

from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.policy import Greedy
from apmdm.sampler import generate
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.words import draw
from apmdm.tasks.parity import process as bits
from apmdm.theory import dyck, in_place, parity, replay, tqbf
from apmdm.theory.compile import compile_policy
from apmdm.theory.pram import execute
from apmdm.theory.programs import ENTRIES
from apmdm.theory.random_program import random_job
from apmdm.theory.simulate import simulate
from apmdm.vocab import MASK, Vocab

INPUTS, SIZES = 100, (2, 3, 4, 5, 8)
LARGE = {"prefix_sum": 64, "parity": 64, "list_ranking": 64, "connectivity_squaring": 8, "matrix_closure": 8}


def forms() -> dict[str, object]:
    """Inputs of growing size, one of the largest; the slowest programs stop at 16 here."""
    equal, total = 0, 0
    for name, entry in ENTRIES.items():
        small = [size for size in SIZES if size <= 4 or not name.startswith(("connect", "matrix"))]
        sizes = [small[number % len(small)] for number in range(INPUTS - 1)] + [LARGE.get(name, 16)]
        for number, size in enumerate(sizes):
            problem = entry.problem(Random(number), size)
            reference = execute(problem.job, entry.mode)
            for form in ("mdm", "ap-mdm"):
                outcome = simulate(problem.job, form, entry.mode)
                same = (outcome.registers, outcome.memory) == (reference.registers, reference.memory)
                equal += same and outcome.steps == reference.time and problem.holds(outcome.memory)
                total += 1
        print(name, equal, total, file=sys.stderr)
    return {"runs": total, "equal_in_registers_memory_and_steps": equal}


def sparse_memory() -> dict[str, object]:
    held, worst_steps, worst_context = 0, 0.0, -(10**9)
    for seed in range(100):
        job = random_job(Random(seed))
        result, outcome = execute(job, "CREW"), simulate(job, "sparse", "CREW")
        bound = in_place.context(result.live, job.processors, job.program.num_registers) + 8 * job.processors
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
    in_constant = list(generate(tqbf.policy(3, 64), [tqbf.encode(f, 3) for f in drawn]))
    starts = [tqbf.encode_write_once(f, 3, leaves) for f, (_, leaves) in zip(drawn, truth, strict=True)]
    logged = list(generate(tqbf.write_once_policy(3, 2047), starts))
    hard = tqbf.Formula("A" * 12, ((1, -1, 2),))
    run = next(generate(tqbf.policy(4, 64), [tqbf.encode(hard, 4)]))
    return {
        "formulas": len(drawn),
        "right": sum((tqbf.decode(r.final, 3), r.time) == truth[r.index] for r in in_constant),
        "write_once_right": sum((tqbf.decode(r.final, 3), r.time) == truth[r.index] for r in logged),
        "forall_12": {"steps": run.time, "context": run.space, "answer": tqbf.decode(run.final, 4)},
        "forall_12_write_once_context": len(tqbf.encode_write_once(hard, 4, 4096)),
    }


def converter() -> dict[str, object]:
    """Untrained networks with large weights, made to unmask only: 200 different AO-MDMs."""
    vocab, equal, steps = Vocab.of("BEGIN", "a", "b", "c", "d"), 0, 0
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
        run = next(generate(any_order, [Sequence(ids)]))
        start = Sequence(torch.cat((torch.tensor([2]), ids)))
        begun = replay.encode(start, vocab, 6, run.time)
        again = next(generate(replay.Replay(any_order, vocab, 6), [begun]))
        equal += torch.equal(replay.decode(start, again.final, vocab, 6).ids[1:], run.final.ids)
        written = int((ids == MASK).sum() - (run.final.ids == MASK).sum())
        steps += again.time == 2 * written + run.time
    return {"policies": 200, "equal": equal, "steps_as_stated": steps}


def generator() -> dict[str, object]:
    valid = {k: sum(word.valid for word in draw(dyck.policy(31), k, 6, 25_000, k)) for k in (1, 2, 3, 4)}
    return {"samples": 100_000, "valid": valid}


def long_parity() -> dict[str, object]:
    model, random = compile_policy(parity.policy(), 2), Random(0)
    texts = [f"{random.getrandbits(100_000):0100000b}" for _ in range(10)]
    runs = list(generate(model, map(bits.encode, texts)))
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
        run = next(generate(model, [begun]))
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
    run = next(generate(large, [begun]))
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


PARTS = {
    "forms": forms,
    "sparse": sparse_memory,
    "tqbf": formulas,
    "replay": converter,
    "dyck": generator,
    "parity": long_parity,
    "weights": weights,
}


def main() -> None:
    record: dict[str, object] = {"benchmark": "theory", "torch": torch.__version__, "threads": torch.get_num_threads()}
    for name in sys.argv[1:] or PARTS:
        began = time.perf_counter()
        record[name] = PARTS[name]()
        record[f"{name}_seconds"] = round(time.perf_counter() - began, 1)
        print(name, record[name], file=sys.stderr)
    print(json.dumps(record))


if __name__ == "__main__":
    main()
