"""Trace: the states and edits of one run, in a JSON format that teacher, theory and sampler share."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import torch

from apmdm.edits import Edits
from apmdm.state import Sequence, State
from apmdm.step import transition
from apmdm.vocab import MASK, PAD, Vocab

FORMAT = "apmdm-trace"
VERSION = 1
NUM_BITS, RUNNER_UP = 3, 4
"""Of the probabilities at a position: how many are of control bits, and which is the token of the runner-up."""


Odds = tuple[float | int, ...]
"""How probable the decisions at one position were: remask, insert, delete; where content was written also that content,
the most probable other content, which is a token, and the probability of that."""


@dataclass(frozen=True)
class Step:
    """The tokens of one state and the edits that follow: content by position, and the positions of each bit.

    odds: by position, where a decision was not certain to three digits; None if they were not recorded.
    """

    tokens: tuple[int, ...]
    unmask: dict[int, int]
    remask: tuple[int, ...]
    insert: tuple[int, ...]
    delete: tuple[int, ...]
    odds: Mapping[int, Odds] | None = field(default=None, compare=False)

    @classmethod
    def of(cls, state: State, edits: Edits, row: int) -> "Step":
        """The step of one row of a batch."""
        length = int(state.lengths[row])
        written = edits.unmasked(state)[row, :length].nonzero()[:, 0].tolist()
        bits = (bit[row, :length].nonzero()[:, 0].tolist() for bit in (edits.remask, edits.insert, edits.delete))
        content = edits.content[row].tolist()
        tokens = tuple(state.ids[row, :length].tolist())
        remask, insert, delete = map(tuple, bits)
        return cls(tokens, {i: content[i] for i in written}, remask, insert, delete)

    def edits(self) -> Edits:
        """The edits as a batch of one row."""
        bits = torch.zeros(3, 1, len(self.tokens), dtype=torch.bool)
        for bit, positions in zip(bits, (self.remask, self.insert, self.delete), strict=True):
            bit[0, list(positions)] = True
        content = torch.full((1, len(self.tokens)), PAD)
        content[0, list(self.unmask)] = torch.tensor(list(self.unmask.values()), dtype=torch.long)
        return Edits(content, *bits)


@dataclass(frozen=True)
class Trace:
    """The steps of one run, the tokens that they lead to, and the coordinates of the first state, if it has any."""

    vocab: Vocab
    steps: tuple[Step, ...]
    final: tuple[int, ...]
    coordinates: tuple[tuple[int, ...], ...] | None = None
    info: Mapping[str, object] | None = None

    def states(self) -> list[Sequence]:
        """Every state from the first to the last, recomputed by the transition.

        Raises ValueError where a recorded state is not what the transition gives.
        """
        first = self.steps[0].tokens if self.steps else self.final
        grid = torch.tensor(self.coordinates, dtype=torch.long) if self.coordinates else None
        state = State.stack([Sequence(torch.tensor(first, dtype=torch.long), grid)])
        states = [state.sequence(0)]
        for number, step in enumerate(self.steps):
            if states[-1].ids.tolist() != list(step.tokens):
                raise ValueError(f"step {number} of the trace does not follow from the step before it")
            edits = step.edits()
            if Step.of(state, edits, 0) != step or not self._known(step):
                raise ValueError(f"step {number} of the trace does what its tokens do not allow")
            state = transition(state, edits)
            states.append(state.sequence(0))
        if states[-1].ids.tolist() != list(self.final) or not self._are_tokens(self.final):
            raise ValueError("the final state of the trace does not follow from its last step")
        return states

    def _known(self, step: Step) -> bool:
        contents = range(MASK + 1, len(self.vocab))
        told = (token for odds in (step.odds or {}).values() for token in odds[RUNNER_UP : RUNNER_UP + 1])
        return self._are_tokens(step.tokens) and all(y in contents for y in (*step.unmask.values(), *told))

    def _are_tokens(self, tokens: tuple[int, ...]) -> bool:
        return all(token in range(MASK, len(self.vocab)) for token in tokens)

    def to_json(self) -> str:
        whole = {"format": FORMAT, "version": VERSION, "vocab": self.vocab.symbols, "coordinates": self.coordinates}
        steps = [{name: value for name, value in asdict(step).items() if value is not None} for step in self.steps]
        return json.dumps(whole | {"info": self.info, "steps": steps, "final": self.final}, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> "Trace":
        """Raises ValueError if the text is not a trace, or if its states do not follow from one another."""
        try:
            whole = json.loads(text)
            if (whole["format"], whole["version"]) != (FORMAT, VERSION):
                raise ValueError(f"not an {FORMAT} of version {VERSION}")
            steps = tuple(_step(entry) for entry in whole["steps"])
            grid = whole["coordinates"]
            coordinates = None if grid is None else tuple(_integers(place) for place in grid)
            trace = cls(Vocab(whole["vocab"]), steps, _integers(whole["final"]), coordinates, whole["info"])
            trace.states()
        except (KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
            raise ValueError(f"not a trace: {error}") from error
        return trace


def _step(entry: dict[str, Any]) -> Step:
    unmask = dict(zip(map(int, entry["unmask"]), _integers(entry["unmask"].values()), strict=True))
    tokens, remask, insert, delete = (_integers(entry[name]) for name in ("tokens", "remask", "insert", "delete"))
    return Step(tokens, unmask, remask, insert, delete, _odds(entry.get("odds"), len(tokens)))


def _odds(entry: dict[str, Any] | None, length: int) -> dict[int, Odds] | None:
    if entry is None:
        return None
    odds = {int(position): tuple(values) for position, values in entry.items()}
    for position, values in odds.items():
        chances, token = (*values[:RUNNER_UP], *values[RUNNER_UP + 1 :]), values[RUNNER_UP : RUNNER_UP + 1]
        fits = len(values) in (NUM_BITS, RUNNER_UP + 2) and 0 <= position < length
        if not (fits and all(0 <= chance <= 1 for chance in chances) and all(type(one) is int for one in token)):
            raise ValueError(f"not a trace: {list(values)} are not the probabilities at position {position}")
    return odds


def _integers(values: Iterable[int]) -> tuple[int, ...]:
    integers = tuple(values)
    if not all(type(value) is int for value in integers):
        raise ValueError(f"not a trace: {list(integers)} are not integers")
    return integers
