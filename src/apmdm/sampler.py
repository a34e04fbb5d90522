"""The one loop of generation, with continuous batching. Every run reports its time, space, work and stop reason.

A step waits for a GPU once, to hear how long the rows become and which of them end. All else stays on the device or is
known here, and a run that has ended is fetched while the next step is under way. A model is told what is known here, so
that it need not wait either.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, NamedTuple, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.edits import Edits, edits_between
from apmdm.policy import Greedy, Policy, RandomPolicy
from apmdm.prediction import Prediction
from apmdm.state import Known, LastStep, Sequence, State, choose_rows, concatenate, narrowed
from apmdm.step import Effect
from apmdm.trace import Step

StopReason = Literal["fixed point", "cycle", "step budget", "length budget", "stopped"]
Predictor = Callable[[State], Prediction | Edits]

MAX_LENGTH = 2**20
"""The default length limit. A process that inserts everywhere doubles its length at each step."""


@dataclass(frozen=True)
class Run:
    """How the generation of one sequence ended.

    index: the number of the sequence among those given. final: the sequence at the end.
    time: decoding steps that changed it. space: the largest length reached. work: the sum of lengths over the steps.
    computed: the positions that the model computed in these steps; as many as work unless the model tells fewer.
    log_probability: of all decisions together, halting included, in nats. It is 0 if the model gives edits directly,
    and that of its end among all outcomes if a Corrector has found the run.
    steps: the recorded steps, empty unless recording was asked for.
    """

    index: int
    final: Sequence
    time: int
    space: int
    work: int
    computed: int
    stop: StopReason
    log_probability: float = 0.0
    steps: tuple[Step, ...] = ()

    @classmethod
    def through(cls, index: int, states: Seq[Seq[int]], record: bool = False) -> "Run":
        """The run that consists of these states, each one transition from the last, with the sampler's counts."""
        sequences = [Sequence(torch.tensor(state, dtype=torch.long)) for state in states]
        lengths = list(map(len, states))
        steps = ()
        if record and len(states) > 1:
            before, after = State.stack(sequences[:-1]), State.stack(sequences[1:])
            edits = edits_between(before, after)
            steps = tuple(Step.of(before, edits, row) for row in range(len(before)))
        work = sum(lengths[:-1])
        return cls(index, sequences[-1], len(states) - 1, max(lengths), work, work, "fixed point", steps=steps)


@dataclass(frozen=True)
class Observation:
    """What `on_step` is shown of a step: the batch before it, and the decisions for each of its rows.

    index [batch] says which sequence a row is. prediction is None if the model gives edits directly.
    """

    index: Int[Tensor, "batch"]
    state: State
    prediction: Prediction | None
    edits: Edits


OnStep = Callable[[Observation], Bool[Tensor, "batch"] | bool | None]


def rollouts(
    model: Predictor,
    sequences: Iterable[Sequence],
    policy: Policy = Greedy(),  # noqa: B008
    *,
    batch_size: int = 64,
    max_steps: int = 10_000,
    max_length: int = MAX_LENGTH,
    record: bool = False,
    device: torch.device | str = "cpu",
    on_step: OnStep | None = None,
) -> Iterator[Run]:
    """Run every sequence until it stops, and yield the runs as they end (Run.index tells which one it was).

    model: any callable from State to Prediction, or straight to Edits, and then the policy is not asked.
    batch_size: sequences under way at once. The next one waiting takes the place of one that has ended.
    on_step: called before every step is made. It ends all rows of the batch by True, or some by a mask [batch].

    A run ends at a fixed point (nothing fires), at max_steps, on growing beyond max_length, or stopped by on_step.
    Under a deterministic policy it also ends in a cycle, some steps after that has closed (Brent's algorithm).
    """
    if batch_size < 1 or max_steps < 1:
        raise ValueError(f"batch_size and max_steps are at least 1, got {batch_size} and {max_steps}")
    if not (policy.deterministic or isinstance(policy, RandomPolicy)):
        raise ValueError("a policy that is not deterministic needs a method may_change(prediction, state)")
    waiting = enumerate(sequences)
    batch, leaving = _Batch.of(list(islice(waiting, batch_size)), device), list[_Leaving]()
    while len(batch.index):
        state = replace(batch.state, known=batch.known)
        with torch.no_grad():
            said = model(state)
            prediction, edits = (None, said) if isinstance(said, Edits) else (said, policy(said, state))
            effect = Effect.of(state, edits)
            halted = effect.becomes(state)
            cycled = effect.becomes(batch.anchor) if policy.deterministic else torch.zeros_like(halted)
            if prediction is not None and not policy.deterministic and isinstance(policy, RandomPolicy):
                halted &= ~policy.may_change(prediction, state)
        stopped = torch.zeros_like(halted)
        if on_step is not None:
            answer = on_step(Observation(_sent(batch.index, device), state, prediction, edits))
            stopped |= False if answer is None else answer
        shown = (state.map(_fetched), edits.map(_fetched)) if record else None
        written = (edits.unmasked(state) & state.valid).sum(1)
        asked = torch.stack((effect.lengths, effect.moves, effect.edited, written, halted, stopped, cycled))
        told = _Told(*asked.cpu())
        if shown is not None:
            batch.record(*shown, told.idle)
        costs = _costs(prediction, state, edits, halted, stopped, int(told.written.sum()))
        before, batch = batch, batch.after(effect, told, stopped, costs)
        ended = batch.ended(before, told, max_steps, max_length)
        if bool((ended != RUNNING).any()):
            leaving.append(batch.leaving(ended))
            batch = batch.rows((ended == RUNNING).nonzero()[:, 0])
        yield from _arrived(leaving)
        if arrived := list(islice(waiting, batch_size - len(batch.index))):
            batch = batch.join(_Batch.of(arrived, device))
        batch = batch.anchored() if policy.deterministic else batch
    yield from _arrived(leaving, wait=True)


def again(run: Run, start: Sequence, max_steps: int | None, on_step: OnStep | None) -> Run:
    """A run that recorded its steps, made once more for one who watches it or limits its steps."""
    left = iter(run.steps)

    def model(state: State) -> Edits:
        step = next(left, None)
        return Edits.of(torch.zeros_like(state.ids)) if step is None else step.edits()

    def shown(seen: Observation) -> Bool[Tensor, "batch"] | bool | None:
        return None if on_step is None else on_step(replace(seen, index=torch.tensor([run.index])))

    (made,) = rollouts(model, [start], max_steps=max_steps or run.time + 1, record=True, on_step=shown)
    return replace(made, index=run.index, log_probability=run.log_probability, computed=run.computed)


RUNNING = -1
REASONS: tuple[StopReason, ...] = get_args(StopReason)


class _Told(NamedTuple):
    """What is asked of the device at each step: lengths and numbers of positions, and for the others 0 or 1."""

    lengths: Int[Tensor, "batch"]
    moves: Int[Tensor, "batch"]
    edited: Int[Tensor, "batch"]
    written: Int[Tensor, "batch"]
    halted: Int[Tensor, "batch"]
    stopped: Int[Tensor, "batch"]
    cycled: Int[Tensor, "batch"]

    @property
    def idle(self) -> Bool[Tensor, "batch"]:
        return (self.halted | self.stopped).bool()


def _costs(
    prediction: Prediction | None,
    state: State,
    edits: Edits,
    halted: Bool[Tensor, "batch"],
    stopped: Bool[Tensor, "batch"],
    num_written: int,
) -> Float[Tensor, "batch 2"]:
    """What a step adds to each row's log-probability, and to the positions that were computed for it."""
    sure, computed = torch.zeros_like(state.lengths, dtype=torch.float64), state.lengths
    if prediction is not None:
        sure += prediction.log_probability(state, edits, num_written)
        computed = computed if prediction.computed is None else prediction.computed
    return torch.stack((sure.masked_fill(stopped, 0.0), computed.double().masked_fill(halted | stopped, 0.0)), 1)


def _sent(tensor: Tensor, device: torch.device | str) -> Tensor:
    """A tensor on its way to the device, without waiting for it."""
    on_gpu = torch.device(device).type == "cuda"
    return tensor.pin_memory().to(device, non_blocking=True) if on_gpu else tensor.to(device)


def _fetched(tensor: Tensor) -> Tensor:
    """A tensor on its way from the device. It may be read after the next wait."""
    return tensor.to("cpu", non_blocking=tensor.is_cuda)


@dataclass(frozen=True)
class _Batch:
    """The sequences under way.

    anchor: the state at the last step whose number is a power of two. A cycle has closed when the state equals it
    (Brent's algorithm). sums: log-probability and computed positions so far. These are on the device.
    index: the number of each sequence. lengths: those of the state. counts: time, space, work, the length of the
    anchor, and of the last step at how many positions it edited and whether it moved any (see LastStep). alike: the
    coordinates of every row, None if they may differ. before: the lengths at the last step. steps: the recorded ones.
    These are here.
    """

    state: State
    anchor: State
    sums: Float[Tensor, "batch 2"]
    index: Int[Tensor, "batch"]
    lengths: Int[Tensor, "batch"]
    counts: Int[Tensor, "batch 6"]
    steps: list[list[Step]]
    alike: Int[Tensor, "length axes"] | None
    before: Int[Tensor, "rows"] | None = None

    @classmethod
    def of(cls, numbered: list[tuple[int, Sequence]], device: torch.device | str) -> "_Batch":
        state = State.stack([sequence for _, sequence in numbered])
        index = torch.tensor([number for number, _ in numbered], dtype=torch.long)
        lengths, nothing = state.lengths.cpu(), torch.zeros_like(index)
        counts = torch.stack((nothing, lengths, nothing, lengths, lengths, nothing + 1), 1)
        alike = state.coordinates[0].cpu() if state.coordinates is not None and state.alike else None
        state = state.map(lambda field: _sent(field, device))
        sums = torch.zeros(len(index), 2, dtype=torch.float64, device=device)
        return cls(state, state, sums, index, lengths, counts, [[] for _ in numbered], alike)

    @property
    def known(self) -> Known:
        full = bool((self.lengths == self.state.ids.shape[1]).all())
        last = LastStep(self.counts[:, 4], self.counts[:, 5].bool(), since=self.before, mark=self.lengths)
        return Known(full, self.alike, last)

    def record(self, state: State, edits: Edits, idle: Bool[Tensor, "batch"]) -> None:
        for row in (~idle).nonzero()[:, 0].tolist():
            self.steps[row].append(Step.of(state, edits, row))

    def after(
        self, effect: Effect, told: _Told, stopped: Bool[Tensor, "batch"], costs: Float[Tensor, "batch 2"]
    ) -> "_Batch":
        """The batch after a step, which is counted for the rows that are not idle."""
        state, alike = effect.in_place, self.alike
        if bool(told.moves.any()):
            state, alike = effect.moved(int(told.lengths.max())), None
        if bool(told.stopped.any()):
            state = choose_rows(stopped, self.state, state)
        time, space, work, anchored = self.counts[:, :4].unbind(1)
        lengths, going = torch.where(told.stopped.bool(), self.lengths, told.lengths), (~told.idle).long()
        space, work = space.maximum(lengths), work + going * self.lengths
        counts = torch.stack((time + going, space, work, anchored, told.edited, told.moves), 1)
        sums, before = self.sums + costs, self.lengths
        return replace(self, state=state, sums=sums, lengths=lengths, counts=counts, alike=alike, before=before)

    def ended(self, before: "_Batch", told: _Told, max_steps: int, max_length: int) -> Int[Tensor, "batch"]:
        """Why each row has ended, RUNNING if it has not. before: the batch before the step."""
        ended = torch.full_like(self.index, RUNNING)
        grew = (self.lengths > before.lengths) & (self.lengths > max_length)
        for reason, holds in (
            ("length budget", grew),
            ("step budget", self.counts[:, 0] >= max_steps),
            ("cycle", told.cycled.bool()),
            ("fixed point", told.halted.bool()),
            ("stopped", told.stopped.bool()),
        ):
            ended.masked_fill_(holds, REASONS.index(reason))
        return ended

    def anchored(self) -> "_Batch":
        """With a new anchor for the rows that need one."""
        time, space, work, anchored, *step = self.counts.unbind(1)
        due = (time & (time - 1)) == 0
        if not bool(due.any()):
            return self
        anchor = choose_rows(_sent(due, self.state.ids.device), self.state, self.anchor)
        counts = torch.stack((time, space, work, torch.where(due, self.lengths, anchored), *step), 1)
        return replace(self, anchor=anchor, counts=counts)

    def leaving(self, ended: Int[Tensor, "batch"]) -> "_Leaving":
        """The rows that have ended."""
        rows = (ended != RUNNING).nonzero()[:, 0]
        at = _sent(rows, self.state.ids.device)
        state, sums = self.state[at].map(_fetched), _fetched(self.sums[at])
        known = torch.cat((self.index[rows, None], self.counts[rows, :3], ended[rows, None]), 1)
        done = torch.cuda.Event() if at.is_cuda else None
        if done is not None:
            done.record()
        return _Leaving(state, sums, known, [tuple(self.steps[row]) for row in rows.tolist()], done)

    def rows(self, kept: Int[Tensor, "rows"]) -> "_Batch":
        at, lengths, counts = _sent(kept, self.state.ids.device), self.lengths[kept], self.counts[kept]
        width, anchored = (max(of.tolist(), default=0) for of in (lengths, counts[:, 3]))
        state, anchor = narrowed(self.state[at], width), narrowed(self.anchor[at], anchored)
        steps = [self.steps[row] for row in kept.tolist()]
        alike = None if self.alike is None else self.alike[:width]
        return _Batch(state, anchor, self.sums[at], self.index[kept], lengths, counts, steps, alike, self.before)

    def join(self, other: "_Batch") -> "_Batch":
        """With the rows of another batch, that have just come."""
        if not len(self.index):
            return other
        both = self.alike is not None and other.alike is not None and torch.equal(self.alike, other.alike)
        return _Batch(
            concatenate(self.state, other.state),
            concatenate(self.anchor, other.anchor),
            torch.cat((self.sums, other.sums)),
            torch.cat((self.index, other.index)),
            torch.cat((self.lengths, other.lengths)),
            torch.cat((self.counts, other.counts)),
            self.steps + other.steps,
            self.alike if both else None,
            self.before,
        )


@dataclass(frozen=True)
class _Leaving:
    """Runs that have ended, on their way from the device, and there when `done`, which is None if there was no way.

    known: for each its index, time, space, work and stop reason.
    """

    state: State
    sums: Float[Tensor, "runs 2"]
    known: Int[Tensor, "runs 5"]
    steps: list[tuple[Step, ...]]
    done: torch.cuda.Event | None

    def runs(self) -> Iterator[Run]:
        for row, (index, time, space, work, stop) in enumerate(self.known.tolist()):
            sure, computed = self.sums[row].tolist()
            final, steps = self.state.sequence(row), self.steps[row]
            yield Run(index, final, time, space, work, int(computed), REASONS[stop], sure, steps)


def _arrived(leaving: list[_Leaving], wait: bool = False) -> Iterator[Run]:
    """The runs that are there already, or all of them, which are taken from the list."""
    while leaving and (wait or leaving[0].done is None or leaving[0].done.query()):
        if leaving[0].done is not None:
            leaving[0].done.synchronize()
        yield from leaving.pop(0).runs()
