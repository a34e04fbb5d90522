"""Minimum cuts side by side: every paradigm learns from graphs of at most 10 nodes and meets larger ones."""

from dataclasses import replace
from random import Random

from apmdm.baselines.paradigms import arm, masked_arm, mdm
from apmdm.model.encoder import Shape
from apmdm.recipes.base import Recipe
from apmdm.recipes.comparison import Comparison, Entrant, ablated, baselines, within
from apmdm.recipes.graph import graph
from apmdm.state import Sequence
from apmdm.tasks.form import Verdict
from apmdm.tasks.graph.data import sized
from apmdm.tasks.graph.forms import forms, named, parse, to_text
from apmdm.tasks.graph.problem import decode, encode
from apmdm.tasks.graph.verify import is_minimum_cut, minimum_cut_size
from apmdm.train.trainer import Settings

SIZES = (range(4, 7), range(7, 11), range(11, 16), range(16, 21), range(21, 31))
GRAPHS, PROBLEM_SEED = 90, 1
TOKENS, BATCH_SIZE, SAMPLED = 2_000_000, 32, 16
MAX_STEPS, MAX_LENGTH = 1000, 1000


def compare_graph(tokens: int = TOKENS, seed: int = 0) -> Comparison:
    """ARM, masked ARM and MDM on text, without thought and with it, and AP-MDM with each operation switched off."""
    own, random = graph(), Random(PROBLEM_SEED)
    shape = Shape(own.shape.width, own.shape.layers, own.shape.heads, rotary=True)
    training = Settings(warmup=own.training.warmup, precision=own.training.precision)
    entrants = [
        entrant
        for form in forms()
        for entrant in baselines(form, [arm(form), masked_arm(), *mdm(1)], shape, training, (tokens, BATCH_SIZE, seed))
    ]
    trained = Entrant("AP-MDM", _ap_mdm(own, tokens, seed), _start, _verdict)
    shipped = Entrant("AP-MDM, shipped", "graph", _start, _verdict)
    problems = {
        f"{nodes[0]} to {nodes[-1]} nodes": [
            to_text(named(problem, random)) for kind in sized(nodes, GRAPHS, random).values() for problem in kind
        ]
        for nodes in SIZES
    }
    return Comparison(problems, [*entrants, trained, shipped, *ablated(shipped)], MAX_STEPS, MAX_LENGTH)


def _ap_mdm(own: Recipe, tokens: int, seed: int) -> Recipe:
    recipe = replace(own, seed=seed)
    batches = recipe.batches(recipe)
    return within(tokens, recipe, sum(int(batches(n).state.lengths.sum()) for n in range(SAMPLED)) / SAMPLED)


def _start(problem: str) -> Sequence:
    return encode(parse(problem))


def _verdict(problem: str, final: Sequence) -> Verdict:
    asked, left = parse(problem), decode(final)
    kept = left is not None and set(left) <= set(asked.edges) and len(set(left)) == len(left)
    right = left is not None and is_minimum_cut(asked, left, minimum_cut_size(asked))
    return Verdict(right, kept, float(right))
