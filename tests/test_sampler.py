"""The loop of generation against a slow loop: bookkeeping, stop reasons, continuous batching, laziness."""

import math
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import cycle, islice
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from apmdm.edits import Edits, edits_between
from apmdm.model.encoder import Encoder, Shape
from apmdm.policy import Append, Greedy, Policy, Stochastic, Unmask
from apmdm.prediction import Prediction
from apmdm.sampler import Observation, Run, rollouts
from apmdm.state import Sequence, State
from apmdm.step import transition
from apmdm.tasks.parity.process import encode, teacher
from apmdm.trace import Step, Trace
from apmdm.vocab import MASK, Vocab
from reference import slow_run
from support import Edit, Tokens, batched, edits_of_rows, places_of, sequence, stack, tokens_of, unchecked

VOCAB = Vocab.of("a", "b", "c")
A, B, C = VOCAB.encode("abc")
MAX_STEPS, MAX_LENGTH = 6, 9
SURE = 20.0


def erratic(tokens: Tokens) -> list[Edit]:
    """A process with no sense at all, but always the same for the same tokens; it halts, cycles and grows."""
    draw = random.Random(repr(tokens))
    if draw.random() < 0.15:
        return [Edit(remask=token == MASK) for token in tokens]
    return [Edit(draw.choice((A, B, C)), *(draw.random() < chance for chance in (0.4, 0.1, 0.3))) for _ in tokens]


def starts(count: int) -> list[Tokens]:
    draw = random.Random(0)
    return [tuple(draw.choice((MASK, A, B, C)) for _ in range(draw.randrange(8))) for _ in range(count)]


def as_logits(model: Callable[[State], Edits]) -> Callable[[State], Prediction]:
    """The same decisions as a model would report them."""

    def predict(state: State) -> Prediction:
        edits = model(state)
        content = nn.functional.one_hot(edits.content, len(VOCAB)) * SURE
        bits = ((2 * bit.float() - 1) * SURE for bit in (edits.remask, edits.insert, edits.delete))
        return Prediction(content, *bits)

    return predict


def facts(run: Run) -> tuple:
    return tuple(run.final.ids.tolist()), run.time, run.space, run.work, run.stop


def walker(before_cycle: int, period: int) -> Callable[[State], Edits]:
    """Counts by way of MASK: k MASK -> MASK k -> k+1 MASK; after the last number back into the cycle."""

    def after(tokens: Tokens) -> Tokens:
        first, second = tokens
        if second == MASK:
            return MASK, first
        number = second - A + 1
        return A + (before_cycle if number == before_cycle + period else number), MASK

    def model(state: State) -> Edits:
        return edits_between(state, stack(*[after(tokens_of(state, row)) for row in range(len(state))]))

    return model


@pytest.mark.parametrize("form", [batched, lambda process: as_logits(batched(process))], ids=["edits", "logits"])
@pytest.mark.parametrize("batch_size", [1, 2, 7, 64])
def test_runs_are_those_of_the_slow_loop(form: Callable, batch_size: int) -> None:
    given = starts(60)
    runs = rollouts(
        form(erratic),
        map(sequence, given),
        batch_size=batch_size,
        max_steps=MAX_STEPS,
        max_length=MAX_LENGTH,
        record=True,
    )
    found = sorted(runs, key=lambda run: run.index)
    assert [run.index for run in found] == list(range(len(given)))
    for start, run in zip(given, found, strict=True):
        slow = slow_run(erratic, start, MAX_STEPS, MAX_LENGTH)
        assert facts(run) == (slow.history[-1], slow.time, slow.space, slow.work, slow.stop)
        assert [step.tokens for step in run.steps] == slow.history[:-1]
    assert {run.stop for run in found} == {"fixed point", "cycle", "step budget", "length budget"}


def test_a_model_gives_the_same_runs_for_any_batch_size() -> None:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=16, layers=2, heads=2, rotary=True))
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)

    def runs(batch_size: int) -> list[tuple]:
        done = rollouts(model, map(sequence, starts(20)), batch_size=batch_size, max_steps=20, max_length=30)
        return [facts(run) for run in sorted(done, key=lambda run: run.index)]

    assert runs(1) == runs(3) == runs(20)
    assert len({final for final, *_ in runs(1)}) > 5


@pytest.mark.parametrize("batch_size", [1, 3, 20])
def test_the_probability_of_a_run_is_the_product_of_its_decisions(batch_size: int) -> None:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=16, layers=1, heads=2, rotary=True))
    policy = Stochastic(generator=torch.Generator().manual_seed(1))
    given = map(sequence, [*starts(20), ()])
    for run in rollouts(model, given, policy, batch_size=batch_size, max_steps=9, max_length=30, record=True):
        assert run.log_probability == pytest.approx(sum(map(partial(slow_surprise, model), run.steps)), abs=1e-3)
    (handmade,) = rollouts(batched(erratic), [sequence((A,))])
    assert handmade.log_probability == 0.0


@torch.no_grad()
def slow_surprise(model: Encoder, step: Step) -> float:
    prediction, total = model(stack(step.tokens)), 0.0
    for bit, fired in (
        (prediction.remask, step.remask),
        (prediction.insert, step.insert),
        (prediction.delete, step.delete),
    ):
        for i in range(len(step.tokens)):
            if i in step.delete and step.tokens[i] == MASK and bit is not prediction.delete:
                continue  # without effect
            total -= math.log1p(math.exp(-float(bit[0, i]) if i in fired else float(bit[0, i])))
    return total + sum(float(prediction.content[0, i].log_softmax(-1)[y]) for i, y in step.unmask.items())


@pytest.mark.parametrize("bits", ["", "1", "0", "11", "1101", "0" * 7])
def test_parity_counts(bits: str) -> None:
    (run,) = rollouts(teacher, [encode(bits)])
    assert (run.stop, len(run.final)) == ("fixed point", bits.count("1") % 2)
    slow = slow_run(lambda tokens: one_row(teacher, tokens), tuple(encode(bits).ids.tolist()), 99, 99)
    assert facts(run) == (slow.history[-1], slow.time, slow.space, slow.work, slow.stop)


def one_row(model: Callable[[State], Edits], tokens: Tokens) -> list[Edit]:
    edits = model(stack(tokens))
    fields = (edits.content, edits.remask, edits.insert, edits.delete)
    return [Edit(*values) for values in zip(*(field[0].tolist() for field in fields), strict=True)]


@pytest.mark.parametrize("before_cycle", [0, 1, 5, 20])
@pytest.mark.parametrize("period", [1, 2, 7, 33])
@pytest.mark.parametrize("start", [(A, MASK), (MASK, A)])
def test_every_cycle_is_found_soon(before_cycle: int, period: int, start: Tokens) -> None:
    (run,) = rollouts(walker(before_cycle, period), [sequence(start)], record=True)
    tail, length = 2 * before_cycle - (start[0] == MASK), 2 * period
    assert run.stop == "cycle"
    assert tail + length <= run.time <= max(2 * tail, 2 * length) + length
    seen = [step.tokens for step in run.steps]
    assert seen.count(tuple(run.final.ids.tolist())) >= 1
    assert len(set(seen)) == max(tail, 0) + length + (tail < 0 < before_cycle)


@pytest.mark.parametrize("budget", [1, 2, 5])
def test_step_budget(budget: int) -> None:
    (run,) = rollouts(walker(50, 1), [sequence((A, MASK))], max_steps=budget)
    assert (run.stop, run.time, run.work, run.space) == ("step budget", budget, 2 * budget, 2)


def test_length_budget() -> None:
    grow = batched(lambda tokens: [Edit(remask=True, insert=True) for _ in tokens])
    (run,) = rollouts(grow, [sequence((A,))], max_length=20)
    assert facts(run) == ((MASK,) * 32, 5, 32, 1 + 2 + 4 + 8 + 16, "length budget")


def test_a_sequence_that_is_longer_from_the_start_may_shrink() -> None:
    shrink = batched(lambda tokens: [Edit(remask=i > 0, delete=i == 0) for i in range(len(tokens))])
    (run,) = rollouts(shrink, [sequence((MASK,) * 9)], max_length=4)
    assert (run.stop, run.time, run.space) == ("fixed point", 9, 9)


@pytest.mark.parametrize("start", [(), (A,), (A, MASK)])
def test_a_fixed_point_costs_nothing(start: Tokens) -> None:
    wait = batched(lambda tokens: [Edit(remask=token == MASK) for token in tokens])
    (run,) = rollouts(wait, [sequence(start)], record=True)
    assert facts(run) == (start, 0, len(start), 0, "fixed point")
    assert run.steps == ()


def test_no_sequences_give_no_runs() -> None:
    assert list(rollouts(teacher, [])) == []
    assert list(rollouts(teacher, iter(()))) == []


@pytest.mark.parametrize("attention", ["full", "causal", "window", "block"])
@pytest.mark.parametrize("batch_size", [1, 2])
def test_a_model_sees_empty_sequences(attention: Any, batch_size: int) -> None:
    model = Encoder(VOCAB, Shape(width=8, layers=1, heads=2, attention=attention, span=2))
    nn.init.constant_(model.controls.bias, -SURE)
    given = [sequence(()), sequence(()), sequence((A, B))]
    runs = list(rollouts(model, given, batch_size=batch_size, max_steps=3))
    assert sorted((run.index, len(run.final), run.stop) for run in runs) == [
        (0, 0, "fixed point"),
        (1, 0, "fixed point"),
        (2, 2, "fixed point"),
    ]


def test_a_long_sequence_leaves_no_padding_behind() -> None:
    """The model with few positions never sees a row wider than the sequences that are under way."""
    widths = []

    def grow(state: State) -> Edits:
        widths.append((state.ids.shape[1], int(state.lengths.max())))
        return edits_of_rows(
            state, [[Edit(insert=token == A) for token in tokens_of(state, row)] for row in range(len(state))]
        )

    runs = list(rollouts(grow, [sequence((A,) * 8), *[sequence((B,))] * 4], batch_size=1, max_length=10))
    assert {run.stop for run in runs} == {"length budget", "fixed point"}
    assert all(width == longest for width, longest in widths)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_a_change_of_coordinates_alone_is_a_change(batch_size: int) -> None:
    """The MASK goes and another comes, with the coordinates of the token before it: another state."""

    def move(state: State) -> Edits:
        grid = state.coordinates
        assert grid is not None
        settled = grid[:, 0, 0] == grid[:, 1, 0]
        return edits_of_rows(state, [[Edit(insert=not s), Edit(remask=True, delete=not s)] for s in settled.tolist()])

    given = [sequence((A, MASK), ((k,), (7,))) for k in range(5)]
    for run in rollouts(move, given, batch_size=batch_size, record=True):
        assert (run.time, run.stop) == (1, "fixed point")
        assert run.final.coordinates is not None
        assert run.final.coordinates.tolist() == [[run.index], [run.index]]
        assert_replays(given[run.index], run)


@pytest.mark.parametrize("batch_size", [1, 4])
def test_coordinates_travel_with_their_tokens(batch_size: int) -> None:
    given = [sequence(tokens, tuple((k, i) for i in range(len(tokens))), 2) for k, tokens in enumerate(starts(20))]
    for run in rollouts(batched(erratic), given, batch_size=batch_size, max_steps=9, max_length=20, record=True):
        assert_replays(given[run.index], run)


def assert_replays(start: Sequence, run: Run) -> None:
    """The recorded steps lead from the start to the end, one state after another."""
    places = None if start.coordinates is None else tuple(map(tuple, start.coordinates.tolist()))
    final = tuple(run.final.ids.tolist())
    trace = Trace(VOCAB, run.steps, final, places)
    states = Trace.from_json(trace.to_json()).states() if len(start) else [start]
    first, last = State.stack([start, states[0]]), State.stack([run.final, states[-1]])
    for ends in (first, last):
        assert tokens_of(ends, 0) == tokens_of(ends, 1)
        assert places_of(ends, 0) == places_of(ends, 1)
    assert len(run.steps) == run.time
    assert max(len(state) for state in states) == run.space
    assert sum(len(state) for state in states[:-1]) == run.work


def test_steps_are_recorded_only_on_request() -> None:
    runs = rollouts(batched(erratic), map(sequence, starts(10)), max_steps=5)
    assert all(run.steps == () for run in runs)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_sequences_are_taken_one_place_at_a_time(batch_size: int) -> None:
    taken, finished = 0, 0

    def source() -> Iterator[Sequence]:
        nonlocal taken
        for tokens in starts(30):
            taken += 1
            assert taken <= batch_size + finished
            yield sequence(tokens)

    sizes = []

    def model(state: State) -> Edits:
        sizes.append(len(state))
        return batched(erratic)(state)

    for _ in rollouts(model, source(), batch_size=batch_size, max_steps=MAX_STEPS, max_length=MAX_LENGTH):
        finished += 1
        assert taken <= batch_size + finished
    assert finished == taken == 30
    assert max(sizes) == batch_size
    full = len([size for size in sizes if size == batch_size])
    assert sizes[:full] == [batch_size] * full, "a place stayed empty while sequences were waiting"


def test_an_endless_source_is_no_obstacle() -> None:
    endless = map(sequence, cycle([(A,), (B, MASK)]))
    runs = list(islice(rollouts(batched(erratic), endless, batch_size=2, max_steps=5), 9))
    assert len({run.index for run in runs}) == 9


def test_gradients_are_off_in_the_model_and_nowhere_else() -> None:
    inside = []

    def model(state: State) -> Edits:
        inside.append(torch.is_grad_enabled())
        return teacher(state)

    for _ in rollouts(model, map(encode, ["1", "0", "1101"]), batch_size=1):
        assert torch.is_grad_enabled()
    assert set(inside) == {False}


@dataclass(frozen=True)
class Leftmost:
    """A policy of one's own: unmask the first MASK with the most probable content, and nothing else."""

    deterministic = True

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        first = state.masked & (state.masked.cumsum(1) == 1)
        return Edits.of(prediction.content.argmax(-1), remask=state.masked & ~first)


def test_any_policy_will_do() -> None:
    def always_b(state: State) -> Prediction:
        content = torch.zeros(*state.ids.shape, len(VOCAB))
        content[..., B] = 1.0
        bits = (torch.zeros(state.ids.shape) for _ in range(3))
        return Prediction(content, *bits)

    (run,) = rollouts(always_b, [sequence((MASK, A, MASK))], Leftmost(), record=True)
    assert [step.tokens for step in run.steps] == [(MASK, A, MASK), (B, A, MASK)]
    assert facts(run) == ((B, A, B), 2, 3, 6, "fixed point")


def test_a_stochastic_policy_that_is_sure_acts_like_a_greedy_one() -> None:
    model = as_logits(batched(erratic))
    stochastic = rollouts(
        model, map(sequence, starts(30)), Stochastic(cutoff=0.01), max_steps=MAX_STEPS, max_length=MAX_LENGTH
    )
    for run in stochastic:
        greedy = slow_run(erratic, starts(30)[run.index], MAX_STEPS, MAX_LENGTH)
        if greedy.stop != "cycle":
            assert facts(run) == (greedy.history[-1], greedy.time, greedy.space, greedy.work, greedy.stop)
        else:
            assert run.stop in ("step budget", "length budget")


def test_a_stochastic_run_goes_on_while_something_may_happen() -> None:
    """Each step remasks the token with probability 1/20: most steps change nothing, yet none is the last."""

    def rarely(state: State) -> Prediction:
        content = torch.zeros(*state.ids.shape, len(VOCAB))
        content[..., :2] = -torch.inf
        remask = torch.where(state.masked, SURE, -2.944)
        nothing = torch.full(state.ids.shape, -SURE)
        return Prediction(content, remask, nothing, nothing)

    policy = Stochastic(cutoff=0.01, generator=torch.Generator().manual_seed(0))
    runs = list(rollouts(rarely, [sequence((A,))] * 50, policy, max_steps=1000))
    assert all(facts(run)[0] == (MASK,) and run.stop == "fixed point" for run in runs)
    assert 10 < sum(run.time for run in runs) / len(runs) < 30


def test_the_process_is_the_transition() -> None:
    """What the sampler does in one step is what g does."""
    state = stack(*starts(20))
    after = transition(state, batched(erratic)(state))
    for run in rollouts(batched(erratic), map(sequence, starts(20)), max_steps=1):
        assert tuple(run.final.ids.tolist()) == tokens_of(after, run.index)


@pytest.mark.parametrize("settings", [{"batch_size": 0}, {"batch_size": -1}, {"max_steps": 0}, {"max_steps": -1}])
def test_bad_settings_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"batch_size .* max_steps"):
        list(rollouts(teacher, [encode("1")], **settings))


def test_sequences_with_and_without_coordinates_do_not_mix() -> None:
    grow = batched(lambda tokens: [Edit(insert=token == A, remask=token == MASK) for token in tokens])
    given = [sequence((A,)), sequence((B,)), sequence((B,), ((3,),))]
    with pytest.raises(ValueError, match="coordinates"):
        list(rollouts(grow, given, batch_size=2, max_length=5))


def test_greedy_is_the_default() -> None:
    model = as_logits(batched(erratic))
    first = [facts(run) for run in rollouts(model, map(sequence, starts(10)), max_steps=9)]
    assert first == [facts(run) for run in rollouts(model, map(sequence, starts(10)), Greedy(), max_steps=9)]


@dataclass(frozen=True)
class CoinFlip:
    """A stranger's policy: the most probable content of every MASK is written by a flip of a coin."""

    generator: torch.Generator
    deterministic = False

    def __call__(self, prediction: Prediction, state: State) -> Edits:
        heads = torch.rand(state.ids.shape, generator=self.generator) < 0.1
        return Edits.of(prediction.content.argmax(-1), remask=state.masked & ~heads)

    def may_change(self, prediction: Prediction, state: State) -> Tensor:
        return state.masked.any(1)


def test_a_strangers_random_policy_does_not_stop_at_an_idle_draw() -> None:
    def unknowing(state: State) -> Prediction:
        return as_logits(batched(lambda tokens: [Edit(B)] * len(tokens)))(state)

    policy = CoinFlip(torch.Generator().manual_seed(0))
    for run in rollouts(unknowing, [sequence((MASK, MASK))] * 20, policy):
        assert facts(run)[0] == (B, B)
        assert run.stop == "fixed point"


@pytest.mark.parametrize("policy", [Unmask("random"), Unmask(drawn=True), Append(C, drawn=True)], ids=str)
def test_random_policies_of_the_paradigms_end_when_no_mask_is_left(policy: Policy) -> None:
    torch.manual_seed(0)
    model = Encoder(VOCAB, Shape(width=8, layers=1, heads=2))
    runs = list(rollouts(model, [sequence((A, MASK)), sequence((A,))], policy, max_steps=99))
    assert [run.stop for run in runs] == ["fixed point"] * 2
    assert all(MASK not in run.final.ids.tolist() for run in runs)


def test_a_random_policy_says_when_nothing_may_change() -> None:
    class Silent:
        deterministic = False
        __call__ = CoinFlip.__call__

    with unchecked(), pytest.raises(ValueError, match="may_change"):
        list(rollouts(teacher, [encode("1")], Silent()))


@pytest.mark.parametrize("form", [batched, lambda process: as_logits(batched(process))], ids=["edits", "logits"])
def test_an_observer_sees_every_step_and_stops_runs_before_it_counts(form: Callable) -> None:
    """Runs are those with a step budget, but for the log-probability of the step that is not made."""
    grow, seen = form(lambda tokens: [Edit(insert=True) for _ in tokens]), []

    def watch(observed: Observation) -> Tensor:
        seen.append(observed)
        return observed.state.lengths >= 4 * (1 + observed.index)

    runs = list(rollouts(grow, [sequence((A,)), sequence((A, B))], on_step=watch, record=True))
    assert [(run.index, run.time, run.space, run.work, run.stop) for run in runs] == [
        (0, 2, 4, 1 + 2, "stopped"),
        (1, 2, 8, 2 + 4, "stopped"),
    ]
    assert [len(run.steps) for run in runs] == [2, 2]
    assert [observed.index.tolist() for observed in seen] == [[0, 1]] * 3
    assert all((observed.prediction is None) == (form is batched) for observed in seen)
    for run in runs:
        (budget,) = rollouts(grow, [sequence(((A,), (A, B))[run.index])], max_steps=2)
        assert budget.log_probability == run.log_probability
        assert facts(budget)[:4] == facts(run)[:4]


@pytest.mark.parametrize(("answer", "time"), [(True, 0), (False, 3), (None, 3)])
def test_an_observer_may_answer_for_all_rows(answer: bool | None, time: int) -> None:
    runs = rollouts(walker(9, 1), [sequence((A, MASK))] * 3, max_steps=3, on_step=lambda observed: answer)
    assert [(run.time, run.stop) for run in runs] == [(time, "stopped" if answer else "step budget")] * 3
