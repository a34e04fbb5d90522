"""Beam search: the most probable runs of a model that decides one MASK a step, the leftmost."""

import math
from collections.abc import Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass, replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn.functional import logsigmoid

from apmdm.edits import Edits
from apmdm.prediction import Prediction
from apmdm.sampler import Run, StopReason
from apmdm.state import Sequence, State, trimmed
from apmdm.step import transition
from apmdm.trace import Step

HOPELESS = 8.0


def likeliest(
    model: Callable[[State], Prediction],
    starts: Seq[Sequence],
    width: int,
    *,
    max_steps: int = 10_000,
    record: bool = False,
    device: torch.device | str = "cpu",
) -> list[list[Run]]:
    """For each start about the `width` most probable runs, the most probable first.

    model: what it says at the leftmost MASK of each row, as a prediction of length 1.
    At every step the leftmost MASK is deleted, or written with another MASK after it or none, and of all that the runs
    of one start can become the `width` most probable are kept, unless they are hopeless: less probable than the best by
    more than HOPELESS nats. A run ends when no MASK is left, or after max_steps.
    """
    beam, found = _Beam.of(starts, device), [list[Run]() for _ in starts]
    for left in reversed(range(max_steps)):
        if not len(beam.number):
            break
        beam = beam.after_a_step(model, width, record)
        ended = ~beam.live.any(1) if left else torch.ones_like(beam.number, dtype=torch.bool)
        for row in ended.nonzero()[:, 0].tolist():
            found[int(beam.number[row])] = beam.runs(row)
        beam = beam.rows(~ended)
    return found


@dataclass(frozen=True)
class _Beam:
    """The runs under way: `width` rows of the state for each start, whose index is in `number`; at first one.

    score: log-probability of each run, -inf for none. counts: its time, space, work and how many positions were
    computed. steps: those recorded.
    """

    state: State
    number: Int[Tensor, "starts"]
    score: Float[Tensor, "starts width"]
    counts: Int[Tensor, "starts width 4"]
    steps: list[tuple[Step, ...]]

    @classmethod
    def of(cls, starts: Seq[Sequence], device: torch.device | str) -> "_Beam":
        state, number = State.stack(starts).to(device), torch.arange(len(starts), device=device)
        score = torch.zeros(len(starts), 1, device=device)
        counts = torch.zeros(len(starts), 1, 4, dtype=torch.long, device=device)
        counts[..., 1] = state.lengths.view_as(score)
        return cls(state, number, score, counts, [()] * len(state))

    @property
    def live(self) -> Bool[Tensor, "starts width"]:
        return self.state.masked.any(1).view_as(self.score) & self.score.isfinite()

    def after_a_step(self, model: Callable[[State], Prediction], width: int, record: bool) -> "_Beam":
        state, (starts, before), live = self.state, self.score.shape, self.live.flatten()
        with torch.no_grad():
            said = model(trimmed(state[live]))
            asked, weighed = _options(said, width)
        tokens = asked.new_zeros(len(state), asked.shape[1])
        options = weighed.new_full((len(state), weighed.shape[1]), -torch.inf)
        options[:, 0] = 0.0  # what has ended stays
        tokens[live], options[live] = asked, weighed
        computed = state.lengths.masked_fill(~live, 0)
        if said.computed is not None:
            computed[live] = said.computed
        at = state.masked.int().argmax(1)
        total = (self.score.view(-1, 1) + options).view(starts, -1)
        score, best = total.topk(min(width, total.shape[1]), 1)
        score = score.masked_fill(score < score[:, :1] - HOPELESS, -torch.inf)
        parent = (best // options.shape[1] + before * torch.arange(starts, device=best.device)[:, None]).flatten()
        choice = (best % options.shape[1]).flatten()
        state, at, going, computed = state[parent], at[parent], live[parent], computed[parent]
        here = (torch.arange(state.ids.shape[1], device=at.device) == at[:, None]) & going[:, None]
        written = tokens[parent, (choice - 1).clamp(min=0) // 2]
        insert, delete = (choice > 0) & (choice % 2 == 0), choice == 0
        edits = Edits(
            written[:, None].expand_as(state.ids),
            state.masked & ~here,
            here & insert[:, None],
            here & delete[:, None],
        )
        after, steps = transition(state, edits), [self.steps[row] for row in parent.tolist()]
        if record:
            steps = [
                (*past, Step.of(state, edits, row)) if moves else past
                for row, (past, moves) in enumerate(zip(steps, going.tolist(), strict=True))
            ]
        time, space, work, sum_computed = self.counts.flatten(0, 1)[parent].unbind(1)
        added = time + going, space.maximum(after.lengths), work + going * state.lengths, sum_computed + computed
        return _Beam(after, self.number, score, torch.stack(added, 1).view(*score.shape, 4), steps)

    def rows(self, kept: Bool[Tensor, "starts"]) -> "_Beam":
        width = self.score.shape[1]
        every = kept.repeat_interleave(width)
        steps = [steps for steps, keep in zip(self.steps, every.tolist(), strict=True) if keep]
        state = trimmed(self.state[every])
        return replace(
            self, state=state, number=self.number[kept], score=self.score[kept], counts=self.counts[kept], steps=steps
        )

    def runs(self, row: int) -> list[Run]:
        """The runs of one start."""
        first, found = row * self.score.shape[1], list[Run]()
        for at, score in enumerate(self.score[row].tolist()):
            if math.isfinite(score):
                final = self.state.sequence(first + at)
                number = int(self.number[row])
                stop: StopReason = "step budget" if bool(self.live[row, at]) else "fixed point"
                time, space, work, computed = self.counts[row, at].tolist()
                found.append(Run(number, final, time, space, work, computed, stop, score, self.steps[first + at]))
        return found


def _options(said: Prediction, width: int) -> tuple[Int[Tensor, "rows tokens"], Float[Tensor, "rows options"]]:
    """The likeliest tokens of each row, and the log-probability to delete and to write each, alone or with more.

    The options are: delete, write the first token, write it and insert a MASK, write the second token, and so on.
    """
    content, tokens = said.content[:, 0].float().log_softmax(-1).topk(min(width, said.content.shape[-1]), -1)
    insert, delete = said.insert[:, 0].float(), said.delete[:, 0].float()
    more = torch.stack((logsigmoid(-insert), logsigmoid(insert)), -1)
    written = logsigmoid(-delete)[:, None, None] + content[..., None] + more[:, None]
    return tokens, torch.cat((logsigmoid(delete)[:, None], written.flatten(1)), 1)
