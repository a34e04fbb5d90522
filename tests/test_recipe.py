"""Recipes: complete and reproducible, changed by path=value, and nothing held out is trained on."""

from dataclasses import asdict
from functools import cache
from typing import Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from apmdm import tasks
from apmdm.objective.batch import Batch
from apmdm.objective.supervised import same_step
from apmdm.pairs.table import Pair
from apmdm.recipe import Recipe, override
from apmdm.registry import find
from apmdm.state import State, same_rows
from apmdm.step import transition
from apmdm.tasks.dyck_repair import task as dyck_repair
from apmdm.tasks.graph import task as graph
from apmdm.tasks.sudoku import task as sudoku
from apmdm.tasks.sudoku.grid import encode
from apmdm.tasks.sudoku.process import teacher

NAMES = tasks.names()
GIVEN = {
    "words": ("abba", "cab", "back", "bab"),
    "pairs": (Pair("ab", "abc"), Pair("b", "bc"), Pair("ca", "cac")),
    "inflection": (Pair("ab", "abc", "german;N;PL"), Pair("b", "b", "zulu;N")),
}
"""To learn from, for tasks that come without any data."""


def recipe_of(name: str) -> Recipe:
    return find(name).with_options({"given": GIVEN[name]} if name in GIVEN else {}).recipe()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """States are drawn by so many at once: fewer for speed."""
    monkeypatch.setattr(sudoku, "CHUNK", 2**12)
    monkeypatch.setattr(graph, "PROBLEMS", 100)
    monkeypatch.setattr(dyck_repair, "WORDS", 40)


@cache
def batch_of(name: str) -> Batch:
    return recipe_of(name).batches()(3)


@pytest.mark.parametrize("name", NAMES)
def test_a_batch_is_a_function_of_its_number_and_legal(name: str) -> None:
    first, again = batch_of(name), recipe_of(name).batches()(3)
    state, edits = first.state, first.edits
    assert bool(same_rows(state, again.state).all())
    assert bool(same_step(again.edits, state, edits).all())
    assert len(transition(state, edits)) == len(state)


def test_sudoku_batches_differ_and_are_labelled_by_the_teacher() -> None:
    recipe = find("sudoku").recipe()
    batch = recipe.batches()
    first, edits, second = batch(0).state, batch(0).edits, batch(1).state
    assert len(first) == recipe.data.batch_size
    assert not torch.equal(first.ids, second.ids)
    assert bool(same_rows(transition(first, edits), transition(first, teacher(first))).all())
    other = override(recipe, "seed", "1")
    assert not torch.equal(first.ids, other.batches()(0).state.ids)


@pytest.mark.parametrize("name", NAMES)
def test_multiply_adds_are_those_that_torch_counts(name: str) -> None:
    model, states = recipe_of(name).new_model(), batch_of(name).state
    with FlopCounterMode(display=False) as counter:
        model(states[:1])
    assert counter.get_total_flops() == 2 * model.multiply_adds(states.ids.shape[1])


@pytest.mark.parametrize("name", NAMES)
def test_hints_are_as_many_as_the_model_reads(name: str) -> None:
    assert_as_many_hints(recipe_of(name), batch_of(name).state)


def assert_as_many_hints(recipe: Recipe, state: State) -> None:
    said = recipe.new_model()(state).hints
    assert bool(said) == (recipe.source.hints is not None)
    if recipe.source.hints is not None:
        assert torch.cat(said, -1).shape == recipe.source.hints.of(state).shape


@pytest.mark.parametrize("board", ["4x4", "9x9", "16x16"])
def test_the_sudoku_model_is_within_its_parameters(board: Any) -> None:
    recipe = find("sudoku").with_options({"board": board}).recipe()
    assert recipe.new_model().num_parameters() <= 1_200_000


@pytest.mark.parametrize("layers", ["1", "2", "3"])
def test_16x16_has_as_many_hints_with_fewer_layers(layers: str) -> None:
    recipe = override(find("sudoku").with_options({"board": "16x16"}).recipe(), "shape.layers", layers)
    state = encode(torch.zeros(1, 256, dtype=torch.long))
    assert recipe.source.hints is not None
    assert_as_many_hints(recipe, state)


def test_the_recipe_of_small_boards_has_batches_too() -> None:
    recipe = find("sudoku").with_options({"board": "4x4"}).recipe()
    batch = recipe.batches()(5)
    state, edits = batch.state, batch.edits
    assert bool(same_rows(transition(state, edits), transition(state, teacher(state))).all())
    assert_as_many_hints(recipe, state)


def test_settings_are_changed_by_path() -> None:
    recipe = find("sudoku").recipe()
    changed = override(override(recipe, "shape.width", "32"), "training.precision", "bf16")
    assert (changed.shape.width, changed.training.precision) == (32, "bf16")
    assert asdict(changed.data) == asdict(recipe.data)


@pytest.mark.parametrize(
    ("path", "text", "message"),
    [
        ("colour", "1", "allowed are compute, data, seed, shape, training"),
        ("shape", "1", "group of settings, such as shape.width"),
        ("seed.x", "1", "single setting"),
        ("shape.colour", "1", "allowed are"),
        ("shape.width", "wide", "shape.width takes int, not 'wide'"),
        ("shape.width", "6.5", "takes int"),
        ("shape.rotary", "yes", "true, false"),
        ("shape.attention", "sideways", "full, causal, written, window, block"),
        ("training.steps", "0", "at least 1"),
        ("shape.width", "63", "multiple of heads"),
        ("data.batch_size", "0", "at least 1"),
    ],
)
def test_a_wrong_setting_is_refused(path: str, text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        override(find("sudoku").recipe(), path, text)


def test_all_but_the_first_layer_of_16x16_start_apart() -> None:
    starts = {
        board: find("sudoku").with_options({"board": board}).recipe().new_model().layers for board in ("9x9", "16x16")
    }
    avoids = {
        board: [bool((dict(layer.named_parameters())["relations.bias"] < 0).any()) for layer in layers]
        for board, layers in starts.items()
    }
    assert avoids == {"9x9": [False] * 5, "16x16": [False] + [True] * 5}
