"""The one loop of generation, with continuous batching; every run carries its time, space, work and stop reason."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Literal, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from apmdm.edits import Edits
from apmdm.policy import Greedy, Policy, Stochastic
from apmdm.prediction import Prediction
from apmdm.state import Sequence, State, choose_rows, concatenate, same_rows, trimmed
from apmdm.trace import Step
from apmdm.transition import transition

StopReason = Literal["fixed point", "cycle", "step budget", "length budget"]
Model = Callable[[State], Prediction | Edits]


MAX_LENGTH = 2**20
"""Unless told otherwise; a process that inserts everywhere doubles its length at every step."""


@dataclass(frozen=True)
class Run:
    """The end of one sequence's generation.

    time: decoding steps that changed it; space: largest length reached; work: sum of the lengths over the steps.
    log_probability: of all its decisions together, halting included, in nats by the model's own account; 0 if the
    model gives edits and no prediction. steps: its trace, if recorded.
    """

    index: int
    final: Sequence
    time: int
    space: int
    work: int
    stop: StopReason
    log_probability: float = 0.0
    steps: tuple[Step, ...] = ()


def generate(
    model: Model,
    sequences: Iterable[Sequence],
    policy: Policy = Greedy(),  # noqa: B008
    *,
    batch_size: int = 64,
    max_steps: int = 10_000,
    max_length: int = MAX_LENGTH,
    record: bool = False,
    device: torch.device | str = "cpu",
) -> Iterator[Run]:
    """Run every sequence until it stops, and yield the runs as they end (Run.index tells which one it was).

    At most batch_size sequences are under way; the next one waiting takes a finished one's place. `model` is
    any callable from State to Prediction, or one straight to Edits (a teacher, a hand-written process); only then
    `policy` is not asked. A run stops at a fixed point (nothing fires), in a cycle (found under a deterministic
    policy by Brent's algorithm, so some steps after it has closed), at max_steps, or on growing beyond max_length.
    """
    if batch_size < 1 or max_steps < 1:
        raise ValueError(
            f"batch_size and max_steps are at least 1, got batch_size {batch_size} and max_steps {max_steps}"
        )
    waiting = enumerate(sequences)
    batch = _Batch.of(list(islice(waiting, batch_size)), device)
    while len(batch.state):
        with torch.no_grad():
            prediction = model(batch.state)
            edits = prediction if isinstance(prediction, Edits) else policy(prediction, batch.state)
            next_state = transition(batch.state, edits)
            halted, log_probability = same_rows(batch.state, next_state), None
            if isinstance(prediction, Prediction):
                log_probability = prediction.log_probability(batch.state, edits)
                if isinstance(policy, Stochastic):
                    halted &= ~policy.may_change(prediction, batch.state)
        if record:
            batch.record(edits, halted)
        grew = next_state.lengths > batch.state.lengths
        batch = batch.after(next_state, halted, log_probability)
        ended = torch.full_like(batch.index, RUNNING)
        ended.masked_fill_(grew & (batch.state.lengths > max_length), REASONS.index("length budget"))
        ended.masked_fill_(batch.time >= max_steps, REASONS.index("step budget"))
        if policy.deterministic:
            ended.masked_fill_(same_rows(batch.state, batch.anchor), REASONS.index("cycle"))
            batch = batch.anchored()
        ended.masked_fill_(halted, REASONS.index("fixed point"))
        if bool((ended != RUNNING).any()):
            yield from batch.runs(ended)
            batch = batch.rows(ended == RUNNING)
            arrived = list(islice(waiting, batch_size - len(batch.state)))
            if arrived:
                batch = batch.join(_Batch.of(arrived, device))


RUNNING = -1
REASONS: tuple[StopReason, ...] = get_args(StopReason)


@dataclass(frozen=True)
class _Batch:
    """The sequences under way: number, counts (time, space, work), log-probability, recorded steps, an earlier state.

    Brent's algorithm: the anchor is the state at the last power of two of the steps, so a cycle has closed when the
    state equals it.
    """

    state: State
    anchor: State
    index: Int[Tensor, "batch"]
    counts: Int[Tensor, "batch 3"]
    log_probability: Float[Tensor, "batch"]
    steps: list[list[Step]]

    @classmethod
    def of(cls, numbered: list[tuple[int, Sequence]], device: torch.device | str) -> "_Batch":
        state = State.stack([sequence for _, sequence in numbered]).to(device)
        index = torch.tensor([number for number, _ in numbered], dtype=torch.long, device=device)
        counts = torch.stack((torch.zeros_like(index), state.lengths, torch.zeros_like(index)), 1)
        log_probability = torch.zeros(len(index), dtype=torch.float64, device=device)
        return cls(state, state, index, counts, log_probability, [[] for _ in numbered])

    @property
    def time(self) -> Int[Tensor, "batch"]:
        return self.counts[:, 0]

    def record(self, edits: Edits, halted: Bool[Tensor, "batch"]) -> None:
        state, edits = self.state.to("cpu"), edits.to("cpu")
        for row in (~halted).nonzero()[:, 0].tolist():
            self.steps[row].append(Step.of(state, edits, row))

    def after(
        self, next_state: State, halted: Bool[Tensor, "batch"], log_probability: Float[Tensor, "batch"] | None
    ) -> "_Batch":
        time, space, work = self.counts.unbind(1)
        going = (~halted).long()
        counts = (time + going, space.maximum(next_state.lengths), work + going * self.state.lengths)
        total = self.log_probability if log_probability is None else self.log_probability + log_probability
        return replace(self, state=next_state, counts=torch.stack(counts, 1), log_probability=total)

    def anchored(self) -> "_Batch":
        power_of_two = (self.time & (self.time - 1)) == 0
        return replace(self, anchor=choose_rows(power_of_two, self.state, self.anchor))

    def runs(self, ended: Int[Tensor, "batch"]) -> Iterator[Run]:
        rows = (ended != RUNNING).nonzero()[:, 0]
        state = self.state[rows].to("cpu")
        fields = (rows, self.index[rows], self.counts[rows], ended[rows], self.log_probability[rows])
        for at, (row, index, counts, stop, sure) in enumerate(zip(*(field.tolist() for field in fields), strict=True)):
            time, space, work = counts
            yield Run(index, state.sequence(at), time, space, work, REASONS[stop], sure, tuple(self.steps[row]))

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
