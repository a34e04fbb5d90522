"""A user's process, which maps a list of symbols to the next one, turned into steps that the transition can do.

A symbol is any hashable value. A tuple is a product symbol, whose parts the model learns to combine. A token can only
change by becoming MASK first. Where two lists are more than one transition apart, states are put in between.
"""

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from collections.abc import Sequence as Seq
from dataclasses import dataclass
from functools import cached_property
from inspect import isgeneratorfunction
from itertools import islice, pairwise, product
from typing import Any

import torch

from apmdm.drawing import joined_text
from apmdm.edits import Edits, edits_between, one_step
from apmdm.finding import HIDDEN, Finding
from apmdm.objective.batch import Batch
from apmdm.state import Sequence, State
from apmdm.vocab import MASK, MASK_SYMBOL, PAD_SYMBOL, Vocab, readable, spelling

BEGIN, END = "<begin>", "<end>"
"""Every state stands between these two, so that tokens can be inserted in front and both ends are visible."""
MAX_STATES, AT_ONCE, ENOUGH = 10_000, 2048, 500
FAILING = {
    "run": "let every run end: on the last state the process returns the same list, or None",
    "symbol": "list every symbol in the argument `symbols`, or let the process write only those listed",
}
Symbols = list[Hashable]
Tokens = tuple[int, ...]


@dataclass(frozen=True)
class Alphabet:
    """The symbols of a task and their tokens.

    Raises ValueError for two symbols that are spelt alike, such as 1 and "1", and for reserved names.
    """

    symbols: Seq[Hashable]

    def __post_init__(self) -> None:
        names: dict[str, Hashable] = {}
        for symbol in self.symbols:
            twin = names.setdefault(spelling(symbol), symbol)
            if twin != symbol:
                raise ValueError(f"the symbols {twin!r} and {symbol!r} are spelt alike; rename one of them")
        reserved = {BEGIN, END, PAD_SYMBOL, MASK_SYMBOL} & names.keys()
        if reserved:
            raise ValueError(f"the symbol {min(reserved)!r} is reserved; rename it")

    @cached_property
    def vocab(self) -> Vocab:
        return Vocab.of(BEGIN, END, list(map(spelling, self.symbols)))

    @cached_property
    def ids(self) -> dict[Hashable, int]:
        return {symbol: self.vocab.ids[spelling(symbol)] for symbol in self.symbols} | {MASK_SYMBOL: MASK}

    def encode(self, symbols: Iterable[Hashable]) -> Tokens:
        """BEGIN, the symbols, END; raises ValueError for what is not a symbol of the task."""
        symbols = list(symbols)
        unknown = [symbol for symbol in symbols if symbol not in self.ids]
        if unknown:
            shown = ", ".join(map(repr, self.symbols[:12])) + (", ..." if len(self.symbols) > 12 else "")
            raise ValueError(f"{unknown[0]!r} is not a symbol of this task; its symbols are {shown}")
        return (self.vocab.ids[BEGIN], *(self.ids[symbol] for symbol in symbols), self.vocab.ids[END])

    def decode(self, tokens: Seq[int]) -> Symbols | None:
        """The symbols between BEGIN and END; None if these have been lost."""
        ends = (self.vocab.ids[BEGIN], self.vocab.ids[END])
        if len(tokens) < 2 or (tokens[0], tokens[-1]) != ends or set(ends) & set(tokens[1:-1]):
            return None
        names = {token: symbol for symbol, token in self.ids.items()}
        return [names[token] for token in tokens[1:-1]]


def states_of(process: Callable[..., Any], start: Symbols) -> list[Symbols]:
    """The states of a run, from the start to the one that the process leaves as it is.

    process: a function that returns the next state, or None to halt; or a generator function that yields the states.
    Raises ValueError if the run returns to an earlier state, or has not ended after MAX_STATES steps.
    """
    states, seen, taken = [list(start)], {tuple(start)}, 0
    generated = process(list(start)) if isgeneratorfunction(process) else None
    while True:
        taken += 1
        try:
            given = process(list(states[-1])) if generated is None else next(generated, None)
            state = None if given is None else list(given)
            known = generated is None and state is not None and tuple(state) in seen
        except Exception as error:
            failed = f"{type(error).__name__}: {error}"
            raise ValueError(f"the process fails after {shown(states[-1])}: {failed}") from error
        if state is None or (generated is None and state == states[-1]):
            return states
        if known:
            raise ValueError(f"the process never ends: it comes back to {shown(state)} after {len(states)} steps")
        if taken >= MAX_STATES:
            raise ValueError(f"the process has not ended after {MAX_STATES:,} steps, from {shown(states[0])}")
        if state != states[-1]:
            seen.add(tuple(state))
            states.append(state)


def told(symbol: Hashable) -> str:
    """A symbol as readable text."""
    return readable(spelling(symbol))


def shown(symbols: Iterable[Hashable]) -> str:
    """Symbols as a readable line."""
    return joined_text(map(told, symbols))


def stacked(rows: Iterable[Seq[int]]) -> State:
    return State.stack([Sequence(torch.tensor(row, dtype=torch.long)) for row in rows])


def with_ways(runs: list[list[Tokens]]) -> list[list[Tokens]]:
    """The runs, with states put in between wherever two neighbours are more than one transition apart."""
    steps = {step: core(*step) for run in runs for step in pairwise(run)}
    cores = list(dict.fromkeys((before, after) for _, before, after in steps.values()))
    legal = one_step(*(stacked(rows) for rows in zip(*cores, strict=True))).tolist() if cores else []
    ways = {ends: [] if direct else way(*ends) for ends, direct in zip(cores, legal, strict=True)}

    def between(before: Tokens, after: Tokens) -> list[Tokens]:
        start, own, other = steps[before, after]
        return [before[:start] + inner + before[start + len(own) :] for inner in ways[own, other]]

    return [[run[0], *(state for step in pairwise(run) for state in (*between(*step), step[1]))] for run in runs]


def core(before: Tokens, after: Tokens) -> tuple[int, Tokens, Tokens]:
    """Where two states begin to differ, and what of both is left without what is common to them at either end.

    One common token stays in front, after which MASKs may come in. What is common ends at a MASK, which may be any of
    several, and so do the edits that lead from one core to the other.
    """
    shorter = min(len(before), len(after))
    head = next((i for i in range(shorter) if not before[i] == after[i] != MASK), shorter)
    rest = shorter - head
    tail = next((i for i in range(rest) if not before[-1 - i] == after[-1 - i] != MASK), rest)
    start = max(0, head - 1)
    return start, before[start : len(before) - tail], after[start : len(after) - tail]


def way(before: Tokens, after: Tokens) -> list[Tokens]:
    """The states between two that are more than one transition apart.

    The tokens that both states share stay. Everything between two of them becomes MASK, and MASKs are inserted until
    there are as many as the second state needs. The last step unmasks them and deletes those that are left over.
    """
    stay = [(-1, -1), *_kept(before, after), (len(before), len(after))]
    masked = [i - previous - 1 for (previous, _), (i, _) in pairwise(stay)]
    wanted = [j - previous - 1 for (_, previous), (_, j) in pairwise(stay)]
    tokens, states = [before[i] for i, _ in stay[1:-1]], []
    while not states or any(have < want for have, want in zip(masked, wanted, strict=True)):
        masked = [max(have, min(want, 2 * have + 1)) for have, want in zip(masked, wanted, strict=True)]
        head, *rest = ([MASK] * have for have in masked)
        states.append((*head, *(t for token, gap in zip(tokens, rest, strict=True) for t in (token, *gap))))
    return states


def _kept(before: Tokens, after: Tokens) -> list[tuple[int, int]]:
    """The places in both of the tokens that stay when the fewest are replaced, inserted and deleted.

    Of several ways the one with the fewest stretches of changed tokens, so that what changes is close together.
    Dynamic programming from the end: `changed` and `stayed` are the cost of the rest after each pair of places, if the
    token before has changed or stays. A stretch costs less than any change.
    """
    n, m = len(before), len(after)
    change = n + m + 1
    changed, stayed = ([[math.inf] * (m + 2) for _ in range(n + 2)] for _ in range(2))
    changed[n][m] = stayed[n][m] = 0
    for i, j in islice(product(range(n, -1, -1), range(m, -1, -1)), 1, None):
        stays = stayed[i + 1][j + 1] if i < n and j < m and before[i] == after[j] else math.inf
        changes = change + min(changed[i][j + 1], changed[i + 1][j], changed[i + 1][j + 1])
        changed[i][j], stayed[i][j] = min(stays, changes), min(stays, changes + 1)
    kept, i, j, cost = [], 0, 0, stayed
    while i < n or j < m:
        if i < n and j < m and before[i] == after[j] and stayed[i + 1][j + 1] == cost[i][j]:
            kept.append((i, j))
            i, j, cost = i + 1, j + 1, stayed
        else:
            _, down, right = min((changed[i + x][j + y], x, y) for x, y in ((0, 1), (1, 0), (1, 1)))
            i, j, cost = i + down, j + right, changed
    return kept


def labelled(runs: Iterable[list[Tokens]]) -> Iterator[Batch]:
    """Every state of the runs with its edits, each pair once. A batch has states of similar length.

    The edits of the last state of a run are empty.
    """
    steps = list({step: None for run in runs for step in pairwise([*run, run[-1]])})
    cores = list({core(*step)[1:]: None for step in steps})
    before, after = (stacked(rows) for rows in zip(*cores, strict=True))
    decided = torch.stack([field.long() for field in edits_between(before, after).tensors], -1)
    edits = {one: row[: len(one[0])] for one, row in zip(cores, decided, strict=True)}
    steps.sort(key=lambda step: len(step[0]))
    for first in range(0, len(steps), AT_ONCE):
        part = steps[first : first + AT_ONCE]
        state = stacked(before for before, _ in part)
        fields = torch.zeros(*state.ids.shape, 4, dtype=torch.long)
        for row, (start, own, other) in enumerate(core(*step) for step in part):
            fields[row, start : start + len(own)] = edits[own, other]
        content, *bits = fields.unbind(-1)
        yield Batch(state, Edits(content, *(bit.bool() for bit in bits)))


def reach(batches: Iterable[Batch], most: int) -> int | None:
    """The least distance at which a position must see others for its edits to follow, as far as these states show.

    None if `most` is not enough, or if windows in which something happens come too seldom again to show anything.
    """
    facts = [fact for batch in batches for fact in decisions(batch)]
    for distance in range(1, most + 1):
        decided: dict[Tokens, tuple[int, ...]] = {}
        again, clash = 0, False
        for tokens, decided_here in facts:
            padded = (0,) * distance + tokens + (0,) * distance
            for i, decision in enumerate(decided_here):
                window = padded[i : i + 2 * distance + 1]
                before = decided.setdefault(window, decision)
                clash |= before != decision
                again += before is not decision and any(decision)
        if not clash:
            return distance if again >= ENOUGH else None
    return None


def decisions(batch: Batch) -> Iterator[tuple[Tokens, list[tuple[int, ...]]]]:
    """For each row its tokens, and for each token its content, remask, insert and delete."""
    edits = batch.edits
    fields = torch.stack((edits.content, edits.remask, edits.insert, edits.delete), -1).tolist()
    for row, length in enumerate(batch.state.lengths.tolist()):
        yield tuple(batch.state.ids[row, :length].tolist()), [tuple(bits) for bits in fields[row][:length]]


def examined(
    process: Callable[..., Any], start: Callable[[Any], Iterable[Hashable]], alphabet: Alphabet, problems: Iterable[Any]
) -> tuple[list[Finding], list[Any]]:
    """What is wrong with a process, one finding for each kind of mistake, and the problems whose runs are sound."""
    found: dict[str, Finding] = {}
    sound, steps = [], list[list[Tokens]]()
    for problem in problems:
        kind = "run"
        try:
            states = states_of(process, list(start(problem)))
            again, rest = states_of(process, list(start(problem))), states_of(process, states[-1])
            kind = "symbol"
            run = [alphabet.encode(state) for state in states]
        except ValueError as error:
            found.setdefault(kind, Finding(f"on {problem!r}: {error}", FAILING[kind]))
            continue
        if again != states:
            place = next((i for i, pair in enumerate(zip(states, again, strict=False)) if pair[0] != pair[1]), 0)
            story = [f"once:  {shown(states[place])}", f"again: {shown(again[place])}"]
            what = f"on {problem!r} a second run differs from the first at step {place}"
            found.setdefault("hidden", Finding(what, HIDDEN, True, story))
            continue
        if len(rest) > 1:
            story = [f"end:   {shown(states[-1])}", f"after: {shown(rest[1])}"]
            what = f"on {problem!r} the run ends, but from its last state the process would go on"
            remedy = "end where the process returns its state unchanged, or add a token that says that it has ended"
            found.setdefault("end", Finding(what, remedy, True, story))
        sound.append(problem)
        steps += map(list, pairwise(run))
    if bridged := [whole for whole in with_ways(steps) if len(whole) > 2]:
        story = [shown(alphabet.decode(state) or []) for state in bridged[0]]
        share = f"{len(bridged)} of {len(steps)} steps"
        what = f"{share} take more than one transition, so states are put in between, such as"
        remedy = "nothing, if each of these states still shows what its MASKs are to become"
        found["between"] = Finding(what, remedy, False, story)
    return list(found.values()), sound
