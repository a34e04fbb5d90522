"""The simulations against the interpreter and other oracles; what a skeptic asks of the policies; the weights."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest
import torch

from apmdm import weights
from apmdm.edits import Edits
from apmdm.model.encoder import Encoder, Shape
from apmdm.objective.batch import Batch
from apmdm.objective.masked import masked_loss, some_masked
from apmdm.policy import Greedy, Unmask
from apmdm.prediction import Prediction
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.tasks.dyck.process import LANGUAGES, process
from apmdm.tasks.dyck.windows import around, as_state
from apmdm.tasks.parity import process as bits
from apmdm.theory import dyck, in_place, parity, replay, sparse, tqbf, write_once
from apmdm.theory.array import ALWAYS, Constant, Map, atoms, attend, attention_depth, cell, choose
from apmdm.theory.compile import compile_policy
from apmdm.theory.gates import of
from apmdm.theory.policy import ArrayPolicy
from apmdm.theory.pram import ALU, Job, assemble, execute
from apmdm.theory.programs import ENTRIES
from apmdm.theory.random_program import random_job
from apmdm.theory.simulate import Form, read, simulate, simulate_all, start
from apmdm.theory.words import vocabulary
from apmdm.training.trainer import Settings, train
from apmdm.vocab import MASK, MASK_SYMBOL, Vocab


@pytest.mark.parametrize("name", ENTRIES)
def test_programs_in_every_form_equal_the_interpreter(name: str) -> None:
    entry = ENTRIES[name]
    for n in (1, 2):
        problem = entry.problem(Random(n), n)
        job, result = problem.job, execute(problem.job, entry.mode)
        assert problem.holds(result.memory)
        outcomes = {form: simulate(job, form, entry.mode) for form in ("mdm", "ap-mdm", "sparse")}
        for form, outcome in outcomes.items():
            assert (outcome.registers, outcome.memory) == (result.registers, result.memory)
            if form != "sparse":
                assert outcome.steps == result.time
        expected = in_place.context(len(job.memory), job.processors, job.program.num_registers)
        assert outcomes["ap-mdm"].context == expected


@pytest.mark.parametrize("name", ENTRIES)
def test_answers_of_the_interpreter(name: str) -> None:
    for seed in range(20):
        problem = ENTRIES[name].problem(Random(seed), 1 + seed % 8)
        assert problem.holds(execute(problem.job, ENTRIES[name].mode).memory)


def test_jobs_share_a_batch() -> None:
    problems = [ENTRIES["connectivity_hooking"].problem(Random(seed), 2 + seed % 2) for seed in range(3)]
    jobs = [problem.job for problem in problems]
    for form in ("mdm", "ap-mdm"):
        outcomes = simulate_all(jobs, form)
        for job, outcome in zip(jobs, outcomes, strict=True):
            result = execute(job)
            assert (outcome.registers, outcome.memory, outcome.steps) == (result.registers, result.memory, result.time)


def test_left_to_right() -> None:
    problem = ENTRIES["parity"].problem(Random(0), 2)
    result, outcome = execute(problem.job, "CREW"), simulate(problem.job, "arm", "CREW")
    assert (outcome.registers, outcome.memory) == (result.registers, result.memory)
    assert outcome.steps == 2 * 5 * 2 * result.time + result.time
    two_masks = State(torch.tensor([[2, MASK, MASK]]), torch.tensor([3]))
    write_all = Edits(torch.full((1, 3), 2), *torch.zeros(3, 1, 3, dtype=torch.bool))
    with pytest.raises(ValueError, match="leftmost MASK only"):
        replay.LeftToRight(lambda _: write_all)(two_masks)


@pytest.mark.parametrize(("name", "windows"), [("parity", (7, 100, 112)), ("matrix_closure", (100,))])
def test_left_to_right_in_windows(name: str, windows: tuple[int, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written is cached: the run is that of the sampler, which sees all MASKs from the start."""
    job = ENTRIES[name].problem(Random(0), 1).job
    begun = start(job, "arm", execute(job).time)
    whole = next(rollouts(replay.LeftToRight(begun.policy), [begun.sequence]))
    for window in windows:
        run = replay.left_to_right(begun.policy, begun.sequence, window)
        assert torch.equal(run.final.ids, whole.final.ids)
        assert (run.time, run.space, run.work, run.stop) == (whole.time, whole.space, whole.work, whole.stop)
    monkeypatch.setattr("apmdm.theory.simulate.LONG", 0)
    run = simulate(job, "arm").run
    assert run is not None
    assert torch.equal(run.final.ids, whole.final.ids)
    with pytest.raises(ValueError, match="all MASKs come after all tokens"):
        replay.left_to_right(begun.policy, Sequence(begun.sequence.ids.flip(0)))
    with pytest.raises(ValueError, match="before the last 3"):
        begun.policy.at_end(State.stack([begun.sequence]), 3)


@pytest.mark.parametrize("same_word", [True, False])
def test_sparse_cells_made_by_many_processors_at_once(same_word: bool) -> None:
    """Eight processors store to the same empty word, one word after the other, or each to a word of its own."""
    text = "    LI r1 1\n" + "".join(
        f"    LI r2 {word}\n    ST {'r2' if same_word else 'r0'} r1\n" for word in range(8)
    )
    job = Job(assemble(text + "    HALT\n"), (0,) * 8, 8, 5)
    result, outcome = execute(job), simulate(job, "sparse")
    assert (outcome.registers, outcome.memory) == (result.registers, result.memory)
    assert outcome.steps <= 5 * result.time + 2
    assert outcome.context <= sparse.most_context(job, result.live)


def test_random_programs_are_audited() -> None:
    assert_audited(random_job(Random(0)))
    assert_audited(random_job(Random(1)))


def assert_audited(job: Job) -> None:
    """Maps are elementwise, attention is unambiguous, an MDM only unmasks, sparse memory keeps its bounds."""
    result = execute(job, "CREW")
    for form in ("mdm", "ap-mdm", "sparse"):
        begun = start(job, form, result.time)
        audited = replace(begun.policy, audit=True)
        run = next(rollouts(write_once.WriteOnce(audited) if form == "mdm" else audited, [begun.sequence]))
        decoded = write_once.decode(job, run.final) if form == "mdm" else in_place.decode(job, run.final)
        assert decoded == (result.registers, result.memory)
        assert run.stop == "fixed point"
        if form == "sparse":
            assert run.time <= 5 * result.time + 2
            assert run.space <= sparse.most_context(job, result.live)


def test_too_few_masks_are_an_error() -> None:
    problem = ENTRIES["parity"].problem(Random(0), 1)
    time = execute(problem.job, "CREW").time
    for form in ("mdm", "arm"):
        begun = start(problem.job, form, time - 3)
        run = next(rollouts(begun.policy, [begun.sequence]))
        with pytest.raises(ValueError, match="the MASKs of the start were too few"):
            read(problem.job, form, time - 3, begun, run.final)


def test_the_number_of_processors_is_a_word() -> None:
    job = Job(assemble("HALT"), (0,), 15, 4)
    assert simulate(job, "mdm").memory == (0,)
    with pytest.raises(ValueError, match="allow 1 to 15 processors, whose number is a word, not 16"):
        replace(job, processors=16)


def test_theorem_2_is_asserted() -> None:
    problem = ENTRIES["parity"].problem(Random(0), 2)
    begun = start(problem.job, "mdm", 20)
    run = next(rollouts(begun.policy, [begun.sequence]))
    write_once.assert_theorem_2(begun.sequence, run)
    for wrong, message in ((replace(run, time=10**6), "masks only"), (replace(run, space=10**6), "the context grew")):
        with pytest.raises(ValueError, match=message):
            write_once.assert_theorem_2(begun.sequence, wrong)
    with pytest.raises(ValueError, match="only unmasks"):
        next(rollouts(write_once.WriteOnce(start(problem.job, "ap-mdm", 20).policy), [in_place.encode(problem.job)]))


def test_depth_is_constant() -> None:
    depths = set()
    for n in (2, 16):
        job = ENTRIES["prefix_sum"].problem(Random(0), n).job
        forms = [start(job, form, 50).policy for form in ("mdm", "ap-mdm", "sparse", "arm")]
        forms += [tqbf.policy(3, 63 * n), tqbf.write_once_policy(3, 63 * n), dyck.policy(n)]
        depths.add(tuple(attention_depth(policy.outputs) for policy in forms))
    assert depths == {(4, 4, 5, 7, 5, 4, 1)}


def test_a_policy_is_a_function_of_the_tokens() -> None:
    """Shuffled states, in a fresh process: the same answers."""
    program = """
from random import Random
import torch
from apmdm.sampler import rollouts
from apmdm.state import Sequence, State
from apmdm.theory.programs import ENTRIES
from apmdm.theory.simulate import start
for form in ("ap-mdm", "mdm", "sparse"):
    begun = start(ENTRIES["prefix_sum"].problem(Random(0), 3).job, form, 50)
    run = next(rollouts(begun.policy, [begun.sequence], record=True))
    steps = list(enumerate(run.steps))
    Random(seed).shuffle(steps)
    answers = {}
    for number, step in steps:
        edits = begun.policy(State.stack([Sequence(torch.tensor(step.tokens))]))
        answers[number] = (edits.content * ~edits.remask, edits.remask)
    print([[part.tolist() for part in answers[number]] for number in sorted(answers)])
"""
    programs = [f"seed = {seed}\n{program}" for seed in (1, 2)]
    runs = [subprocess.run([sys.executable, "-c", text], capture_output=True, check=True) for text in programs]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout


@pytest.mark.parametrize("form", ["mdm", "ap-mdm", "sparse", "arm"])
def test_what_is_kept_from_the_last_state_changes_nothing(form: Form) -> None:
    """Incremental evaluation against the reference, which keeps nothing and computes everything everywhere."""
    job = ENTRIES["parity"].problem(Random(1), 2).job
    begun = start(job, form, execute(job, "CREW").time)
    run = next(rollouts(begun.policy, [begun.sequence], record=True))
    for step in run.steps[:: max(1, len(run.steps) // 10)]:
        state = State.stack([Sequence(torch.tensor(step.tokens))])
        kept, anew = begun.policy(state), replace(begun.policy, audit=True)(state)
        assert isinstance(kept, Edits)
        assert isinstance(anew, Edits)
        assert torch.equal(kept.unmasked(state) * kept.content, anew.unmasked(state) * anew.content)
        assert all(map(torch.equal, kept.tensors[1:], anew.tensors[1:]))


def test_formulas() -> None:
    random = Random(0)
    drawn = [tqbf.random_formula(random, random.randint(1, 5), random.randint(1, 6)) for _ in range(60)]
    truth = [tqbf.search(formula) for formula in drawn]
    for run in rollouts(replace(tqbf.policy(3, 63), audit=True), [tqbf.encode(f, 3) for f in drawn]):
        assert (tqbf.decode(run.final, 3), run.time) == truth[run.index]
        assert run.space == len(tqbf.encode(drawn[run.index], 3))
    begun = [tqbf.encode_write_once(f, 3, leaves) for f, (_, leaves) in zip(drawn, truth, strict=True)]
    for run in rollouts(write_once.WriteOnce(replace(tqbf.write_once_policy(3, 511), audit=True)), begun):
        assert (tqbf.decode(run.final, 3), run.time) == truth[run.index]
    model = compile_policy(tqbf.policy(3, 63), 64)
    for run in rollouts(model, [tqbf.encode(f, 3) for f in drawn[:10]]):
        assert (tqbf.decode(run.final, 3), run.time) == truth[run.index]


def test_any_order_is_replayed_left_to_right() -> None:
    vocab = Vocab.of("BEGIN", "a", "b")
    letters = torch.tensor(vocab.encode("ab"))

    def any_order(state: State) -> Edits:
        """Unmasks next to what is there, in both directions."""
        known = torch.nn.functional.pad(~state.masked & state.valid, (1, 1))
        near = known[:, 2:] | known[:, :-2]
        no = torch.zeros_like(near)
        content = letters[(torch.arange(near.shape[1]) + state.ids.sum(1, keepdim=True)) % 2]
        return Edits(content, state.masked & ~near, no, no)

    for seed in range(10):
        ids = torch.where(torch.rand(9, generator=torch.Generator().manual_seed(seed)) < 0.8, MASK, letters[0])
        full = torch.cat((torch.tensor(vocab.encode(["BEGIN"])), ids))
        run = next(rollouts(any_order, [Sequence(ids)]))
        begun = replay.encode(Sequence(full), vocab, 6, run.time)
        again = next(rollouts(replay.Replay(any_order, vocab, 6), [begun]))
        assert torch.equal(replay.decode(Sequence(full), again.final, vocab, 6).ids[1:], run.final.ids)
    start = Sequence(torch.tensor(vocab.encode(["BEGIN", "a", *[MASK_SYMBOL] * 4])))
    cut = next(rollouts(replay.Replay(any_order, vocab, 6), [replay.encode(start, vocab, 6, 0)]))
    with pytest.raises(ValueError, match="the last round has no SEP"):
        replay.decode(start, cut.final, vocab, 6)


def test_the_converter_as_weights() -> None:
    """An AO-MDM that copies letters to the right, every other MASK at a time: its Masked ARM, compiled."""
    vocab, place = Vocab.of("BEGIN", "a", "b"), cell(5)
    left = attend(cell(5, offset=-1), place, atoms("a", "b"), Constant(1, 1))
    waits = atoms(MASK_SYMBOL) & ~left.nonzero()
    any_order = ArrayPolicy(vocab, {"a": left[0:1], "b": left[1:2]}, {"remask": waits})
    model, masked = compile_policy(replay.replayed(any_order, 5), 31), MASK
    audited = replay.LeftToRight(replace(replay.replayed(any_order, 5), audit=True))
    for ids in ([2, 3, masked, masked, 4, masked], [2, masked, 4, masked, 3, masked]):
        start = Sequence(torch.tensor(ids))
        run = next(rollouts(any_order, [start]))
        again, checked = (next(rollouts(one, [replay.encode(start, vocab, 5, run.time)])) for one in (model, audited))
        assert torch.equal(again.final.ids, checked.final.ids)
        assert torch.equal(replay.decode(start, again.final, vocab, 5).ids, run.final.ids)
        written = ids.count(masked) - int((run.final.ids == masked).sum())
        assert again.time == 2 * written + run.time


def test_write_once_as_weights() -> None:
    problem = ENTRIES["parity"].problem(Random(1), 2)
    result, outcome = execute(problem.job, "CREW"), simulate(problem.job, "mdm", "CREW", weights=True)
    assert (outcome.registers, outcome.memory, outcome.steps) == (result.registers, result.memory, result.time)


def test_a_trained_any_order_model_is_replayed(tmp_path: Path) -> None:
    """Letters written behind a word of three, backwards: what training has reached does not matter, equality does."""
    vocab = Vocab.of("BEGIN", "a", "b")

    def words(number: int) -> Batch:
        generator = torch.Generator().manual_seed(number)
        word = torch.randint(3, 5, (32, 3), generator=generator)
        ids = torch.cat((word, torch.full_like(word, MASK)), 1)
        answer = Edits.of(torch.cat((torch.zeros_like(word), word.flip(1)), 1))
        return some_masked(State(ids, torch.full((32,), 6)), answer, generator)

    torch.manual_seed(0)
    network, settings = Encoder(vocab, Shape(width=16, layers=1, heads=2, absolute=6)), Settings(steps=150)
    outcome = train(network, words, lambda model: {}, settings, tmp_path, objective=masked_loss)
    assert outcome.losses[-1] < outcome.losses[0] / 2

    def any_order(state: State) -> Edits:
        return Unmask("confidence")(outcome.model(state), state)

    starts = [Sequence(state.ids) for state in (words(99).state.sequence(row) for row in range(16))]
    begin = torch.tensor(vocab.encode(["BEGIN"]))
    full = [Sequence(torch.cat((begin, start.ids))) for start in starts]
    runs = {run.index: run for run in rollouts(any_order, starts)}
    begun = [replay.encode(full[number], vocab, 5, runs[number].time) for number in range(16)]
    for again in rollouts(replay.Replay(any_order, vocab, 5), begun):
        run = runs[again.index]
        assert torch.equal(replay.decode(full[again.index], again.final, vocab, 5).ids[1:], run.final.ids)
        assert again.time == 3 * run.time, "one letter a round: its address, the letter, SEP"


def test_dyck_is_the_process_in_arrays_and_in_weights() -> None:
    rows = around()
    length = max(map(len, rows))
    kinds = torch.tensor([[*row, *[0] * (length - len(row))] for row in rows])
    letters = torch.randint(0, 4, kinds.shape, generator=torch.Generator().manual_seed(0))
    state = as_state(kinds, letters, torch.full((len(kinds),), LANGUAGES.index("k2")))
    expected, policy = process(state), dyck.policy(31)
    for model in (replace(policy, audit=True), compile_policy(policy, 16)):
        with torch.no_grad():
            said = model(state)
        assert isinstance(said, Prediction)
        for name in ("remask", "insert", "delete"):
            gap = (getattr(said, name).sigmoid() - getattr(expected, name).sigmoid()).abs()
            assert float(gap[state.valid].max()) < 1e-5
        writes = state.valid & state.masked & (expected.remask < 0) & (expected.delete < 0)
        assert float((said.content.softmax(-1) - expected.content.softmax(-1))[writes].abs().max()) < 1e-5


def test_parity_at_a_hundred_thousand_bits() -> None:
    model, random = compile_policy(parity.policy(), 2), Random(0)
    texts = [f"{number:0{n}b}" for n in range(1, 9) for number in range(2**n)]
    for strings in (texts, [f"{random.getrandbits(100_000):0100000b}"]):
        for run in rollouts(model, map(bits.encode, strings)):
            assert bits.decode(run.final) == strings[run.index].count("1") % 2
            assert run.time <= 4


def test_gates_compute_what_maps_compute() -> None:
    left, right = torch.arange(16).repeat(16), torch.arange(16).repeat_interleave(16)
    for op in ("and", "or", "xor", "add", "sub", "eq", "lt", "shl", "shr"):
        a, b = Constant(4, 0), Constant(4, 0)
        array = Map(1 if op in ("eq", "lt") else 4, op, (a, b))
        for x, y in zip(left.tolist(), right.tolist(), strict=True):
            wires = [[bool(number >> bit & 1) for bit in range(4)] for number in (x, y)]
            bits_of = [sum(c * (unit.least <= 0) for c, unit in total) for total in of(array, wires)]
            expected = ALU[{"eq": "EQ", "lt": "LT"}.get(op, op.upper())](x, y) % 2**array.bits
            assert sum(bit << place for place, bit in enumerate(bits_of)) == expected


@pytest.mark.slow
def test_weights_are_an_ordinary_checkpoint_whatever_the_program(tmp_path: Path) -> None:
    models = []
    for seed in range(2):
        job = random_job(Random(seed))
        model = compile_policy(in_place.policy(job.program, 6, 255), 256)
        model.save_pretrained(tmp_path / str(seed))
        loaded = weights.load_encoder(str(tmp_path / str(seed)), vocabulary(6))
        result, run = execute(job, "CREW"), next(rollouts(loaded, [in_place.encode(job)], Greedy()))
        assert in_place.decode(job, run.final) == (result.registers, result.memory)
        assert run.time == result.time
        models.append(loaded)
    differ = [
        name
        for (name, first), (_, second) in zip(models[0].named_parameters(), models[1].named_parameters(), strict=True)
        if not torch.equal(first, second)
    ]
    assert len(differ) == 1, "only the layer that holds the program's table differs"
    assert differ[0].endswith("down.weight")


def test_one_set_of_weights_for_inputs_of_all_sizes() -> None:
    jobs = [replace(ENTRIES["parity"].problem(Random(n), n).job, bits=6) for n in (1, 2, 5)]
    model = compile_policy(in_place.policy(jobs[0].program, 6, 255), 256)
    for run in rollouts(model, map(in_place.encode, jobs)):
        result = execute(jobs[run.index], "CREW")
        assert in_place.decode(jobs[run.index], run.final) == (result.registers, result.memory)
        assert run.time == result.time


def test_wrong_programs_are_refused() -> None:
    for text, message in (
        ("ADD r1 r2", "line 1: ADD takes 3 operands"),
        ("FLY r1", "unknown operation 'FLY'"),
        ("LI r99 1", "'r99' is not a register"),
        ("JMP away", "'away' is not a number or a label"),
        ("a = b", "cannot be named"),
        ("a = 1\na: HALT", "line 2: 'a' is the name of something else already"),
        ("; nothing\n", "no instruction"),
    ):
        with pytest.raises(ValueError, match=message):
            assemble(text)
    with pytest.raises(ValueError, match="at most 18 bits"):
        replace(ENTRIES["parity"].problem(Random(0), 2).job, bits=40)


def test_an_audit_finds_what_is_wrong() -> None:
    zero, mask = Constant(1, 0), atoms(MASK_SYMBOL)
    ambiguous = attend(zero, zero, mask, ALWAYS)
    state = State(torch.tensor([[2, MASK, 2]]), torch.tensor([3]))
    for remask, awake, message in (
        (choose((ALWAYS, ALWAYS), (ALWAYS, ALWAYS)), None, "two cases"),
        (ambiguous, None, "do not agree"),
        (~mask, mask, "is not awake"),
    ):
        with pytest.raises(ValueError, match=message):
            ArrayPolicy(vocabulary(2), {}, {"remask": remask}, awake=awake, audit=True)(state)
