"""The one loop of generation, with continuous batching. Every run reports its time, space, work and stop reason."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.policy import Greedy, Policy, RandomPolicy
from apmdm.prediction import Prediction
from apmdm.state import Sequence, State, choose_rows, concatenate, same_rows, trimmed
from apmdm.step import transition
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
    log_probability: of all decisions together, halting included, in nats. It is 0 if the model gives edits directly.
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
    batch = _Batch.of(list(islice(waiting, batch_size)), device)
    while len(batch.state):
        state = batch.state
        with torch.no_grad():
            said = model(state)
            prediction, edits = (None, said) if isinstance(said, Edits) else (said, policy(said, state))
            next_state = transition(state, edits)
            halted, log_probability = same_rows(state, next_state), torch.zeros_like(batch.log_probability)
            if prediction is not None:
                log_probability += prediction.log_probability(state, edits)
                if not policy.deterministic and isinstance(policy, RandomPolicy):
                    halted &= ~policy.may_change(prediction, state)
        stopped = torch.zeros_like(halted)
        if on_step is not None:
            answer = on_step(Observation(batch.index, state, prediction, edits))
            stopped |= False if answer is None else answer
            next_state, halted = choose_rows(stopped, state, next_state), halted & ~stopped
        if record:
            batch.record(edits, halted | stopped)
        batch = batch.after(
            next_state, halted | stopped, log_probability.masked_fill(stopped, 0.0), _computed(said, state)
        )
        ended = torch.full_like(batch.index, RUNNING)
        grew = batch.state.lengths > state.lengths
        ended.masked_fill_(grew & (batch.state.lengths > max_length), REASONS.index("length budget"))
        ended.masked_fill_(batch.time >= max_steps, REASONS.index("step budget"))
        if policy.deterministic:
            ended.masked_fill_(same_rows(batch.state, batch.anchor), REASONS.index("cycle"))
            batch = batch.anchored()
        ended.masked_fill_(halted, REASONS.index("fixed point")).masked_fill_(stopped, REASONS.index("stopped"))
        if bool((ended != RUNNING).any()):
            yield from batch.runs(ended)
            batch = batch.rows(ended == RUNNING)
            arrived = list(islice(waiting, batch_size - len(batch.state)))
            batch = batch.join(_Batch.of(arrived, device)) if arrived else batch


def _computed(said: Prediction | Edits, state: State) -> Int[Tensor, "batch"]:
    told = said.computed if isinstance(said, Prediction) else None
    return state.lengths if told is None else told


RUNNING = -1
REASONS: tuple[StopReason, ...] = get_args(StopReason)


@dataclass(frozen=True)
class _Batch:
    """The sequences under way, each with its number, its log-probability and its recorded steps.

    counts: time, space, work and computed, as in Run.
    The anchor is the state at the last step whose number is a power of two. A cycle has closed when the state equals it
    (Brent's algorithm).
    """

    state: State
    anchor: State
    index: Int[Tensor, "batch"]
    counts: Int[Tensor, "batch 4"]
    log_probability: Float[Tensor, "batch"]
    steps: list[list[Step]]

    @classmethod
    def of(cls, numbered: list[tuple[int, Sequence]], device: torch.device | str) -> "_Batch":
        state = State.stack([sequence for _, sequence in numbered]).to(device)
        index = torch.tensor([number for number, _ in numbered], dtype=torch.long, device=device)
        counts = torch.nn.functional.pad(state.lengths[:, None], (1, 2))
        log_probability = torch.zeros(len(index), dtype=torch.float64, device=device)
        return cls(state, state, index, counts, log_probability, [[] for _ in numbered])

    @property
    def time(self) -> Int[Tensor, "batch"]:
        return self.counts[:, 0]

    def record(self, edits: Edits, idle: Bool[Tensor, "batch"]) -> None:
        state, edits = self.state.to("cpu"), edits.to("cpu")
        for row in (~idle).nonzero()[:, 0].tolist():
            self.steps[row].append(Step.of(state, edits, row))

    def after(
        self,
        next_state: State,
        idle: Bool[Tensor, "batch"],
        log_probability: Float[Tensor, "batch"],
        computed: Int[Tensor, "batch"],
    ) -> "_Batch":
        """The batch after a step, which is counted for the rows that are not idle."""
        time, space, *work = self.counts.unbind(1)
        going = (~idle).long()
        work = (before + going * now for before, now in zip(work, (self.state.lengths, computed), strict=True))
        counts = torch.stack((time + going, space.maximum(next_state.lengths), *work), 1)
        return replace(self, state=next_state, counts=counts, log_probability=self.log_probability + log_probability)

    def anchored(self) -> "_Batch":
        power_of_two = (self.time & (self.time - 1)) == 0
        return replace(self, anchor=choose_rows(power_of_two, self.state, self.anchor))

    def runs(self, ended: Int[Tensor, "batch"]) -> Iterator[Run]:
        rows = (ended != RUNNING).nonzero()[:, 0]
        state = self.state[rows].to("cpu")
        fields = (rows, self.index[rows], self.counts[rows], ended[rows], self.log_probability[rows])
        for at, (row, index, counts, stop, sure) in enumerate(zip(*(field.tolist() for field in fields), strict=True)):
            final, (time, space, work, computed) = state.sequence(at), counts
            yield Run(index, final, time, space, work, computed, REASONS[stop], sure, tuple(self.steps[row]))

    def rows(self, chosen: Bool[Tensor, "batch"]) -> "_Batch":
        steps = [steps for steps, keep in zip(self.steps, chosen.tolist(), strict=True) if keep]
        state, anchor = trimmed(self.state[chosen]), trimmed(self.anchor[chosen])
        kept = (self.index[chosen], self.counts[chosen], self.log_probability[chosen])
        return _Batch(state, anchor, *kept, steps)

    def join(self, other: "_Batch") -> "_Batch":
        return _Batch(
            concatenate(self.state, other.state),
            concatenate(self.anchor, other.anchor),
            torch.cat((self.index, other.index)),
            torch.cat((self.counts, other.counts)),
            torch.cat((self.log_probability, other.log_probability)),
            self.steps + other.steps,
        )
