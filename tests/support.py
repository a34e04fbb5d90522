"""From plain Python to the package's batches and back; random batches; a way past the checks of shapes."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import jaxtyping
import torch
from hypothesis import strategies as st
from torch.nn.functional import pad

from apmdm.edits import Edits
from apmdm.state import NOWHERE, Sequence, State
from apmdm.vocab import MASK, PAD

Tokens = tuple[int, ...]
Places = tuple[tuple[int, ...], ...] | None

FIRST, LAST = 2, 4
TOKENS = range(MASK, LAST + 1)


class Edit(NamedTuple):
    """What happens at one position: content y, remask r, insert e, delete d."""

    content: int = PAD
    remask: bool = False
    insert: bool = False
    delete: bool = False


@contextmanager
def unchecked() -> Iterator[None]:
    """As outside of tests, where nothing checks shapes and types before the package."""
    jaxtyping.config.update("jaxtyping_disable", True)
    try:
        yield
    finally:
        jaxtyping.config.update("jaxtyping_disable", False)


def sequence(tokens: Tokens, places: Places = None, axes: int = 1) -> Sequence:
    """axes: the number of coordinates where there is no token to show it."""
    ids = torch.tensor(tokens, dtype=torch.long)
    if places is None:
        return Sequence(ids)
    return Sequence(ids, torch.tensor(places, dtype=torch.long).reshape(len(tokens), -1 if tokens else axes))


def stack(*rows: Tokens) -> State:
    return State.stack([sequence(row) for row in rows])


def tokens_of(state: State, row: int) -> Tokens:
    return tuple(state.ids[row].tolist()[: int(state.lengths[row])])


def places_of(state: State, row: int) -> Places:
    if state.coordinates is None:
        return None
    return tuple(map(tuple, state.coordinates[row].tolist()[: int(state.lengths[row])]))


def edits_of_rows(state: State, rows: list[list[Edit]]) -> Edits:
    """One list of edits per row as a padded batch; nothing happens on padding."""
    width = state.ids.shape[1]
    grid = [[*row, *[Edit()] * (width - len(row))] for row in rows]
    fields = torch.tensor(grid, dtype=torch.long).reshape(len(rows), width, 4).unbind(-1)
    return Edits(fields[0], *(field.bool() for field in fields[1:]))


def rows_of_edits(state: State, edits: Edits) -> list[list[Edit]]:
    """The edits of every row, without padding."""
    fields = [field.tolist() for field in (edits.content, edits.remask, edits.insert, edits.delete)]
    sizes = enumerate(state.lengths.tolist())
    return [[Edit(*(field[row][i] for field in fields)) for i in range(size)] for row, size in sizes]


def batched(process: Callable[[Tokens], list[Edit]]) -> Callable[[State], Edits]:
    """A process on the tokens of one sequence, as the sampler wants it."""
    return lambda state: edits_of_rows(state, [process(tokens_of(state, row)) for row in range(len(state))])


def padded_more(state: State, columns: int) -> State:
    grid = None if state.coordinates is None else pad(state.coordinates, (0, 0, 0, columns), value=NOWHERE)
    return State(pad(state.ids, (0, columns), value=PAD), state.lengths, grid)


@st.composite
def states(draw: st.DrawFn, max_rows: int = 4, max_length: int = 6) -> State:
    """Some rows, empty ones too, with or without coordinates, sometimes padded more than needed."""
    axes = draw(st.sampled_from([0, 1, 2]))
    lengths = draw(st.lists(st.integers(0, max_length), min_size=1, max_size=max_rows))
    width = max(lengths) + draw(st.integers(0, 2))
    ids, grid = [], []
    for length in lengths:
        tokens = draw(st.lists(st.sampled_from(TOKENS), min_size=length, max_size=length))
        places = draw(st.lists(st.integers(NOWHERE, 2), min_size=length * axes, max_size=length * axes))
        ids.append(tokens + [PAD] * (width - length))
        grid.append(places + [NOWHERE] * (width - length) * axes)
    shape = len(lengths), width
    coordinates = torch.tensor(grid, dtype=torch.long).reshape(*shape, axes) if axes else None
    return State(torch.tensor(ids, dtype=torch.long).reshape(shape), torch.tensor(lengths), coordinates)


@st.composite
def edits_of(draw: st.DrawFn, state: State) -> Edits:
    """Anything at every position, padding included."""
    shape = state.ids.shape
    codes = torch.tensor(list(draw(st.binary(min_size=shape.numel(), max_size=shape.numel()))), dtype=torch.long)
    content = FIRST + codes // 8 % (LAST - FIRST + 1)
    return Edits(content.view(shape), *((codes // 2**bit % 2 == 1).view(shape) for bit in range(3)))


def states_with_edits() -> st.SearchStrategy[tuple[State, Edits]]:
    return states().flatmap(lambda state: st.tuples(st.just(state), edits_of(state)))
