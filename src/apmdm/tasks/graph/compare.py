"""Minimum cuts side by side: every paradigm learns from graphs of at most 10 nodes and meets larger ones."""

from dataclasses import replace
from random import Random

from apmdm.model.encoder import Shape
from apmdm.paradigms.comparison import Budget, Comparison, Entrant, ablated, baselines, within
from apmdm.paradigms.form import Verdict
from apmdm.paradigms.paradigm import arm, masked_arm, mdm
from apmdm.state import Sequence
from apmdm.task import Task
from apmdm.tasks.graph.data import sized
from apmdm.tasks.graph.forms import forms, named, parse, to_text
from apmdm.tasks.graph.problem import decode, encode
from apmdm.tasks.graph.verify import is_minimum_cut, minimum_cut_size
from apmdm.training.trainer import Settings

SIZES = (range(4, 7), range(7, 11), range(11, 16), range(16, 21), range(21, 31))
GRAPHS, PROBLEM_SEED = 90, 1
TOKENS, BATCH_SIZE = 2_000_000, 32
MAX_STEPS, MAX_LENGTH = 1000, 1000


def compare_graph(task: Task, tokens: int | None, seed: int) -> Comparison:
    """ARM, masked ARM and MDM on text, without thought and with it, and AP-MDM with each operation switched off."""
    own, random, budget = task.recipe(), Random(PROBLEM_SEED), Budget(tokens or TOKENS, BATCH_SIZE, seed)
    shape = Shape(own.shape.width, own.shape.layers, own.shape.heads, rotary=True)
    training = Settings(warmup=own.training.warmup, precision=own.training.precision)
    entrants = [
        entrant
        for form in forms()
        for entrant in baselines(form, [arm(form), masked_arm(), *mdm(1)], shape, training, budget)
    ]
    trained = Entrant("AP-MDM", within(budget.tokens, replace(own, seed=seed)), _start, _verdict)
    shipped = replace(trained, name="AP-MDM, shipped", source="graph")
    problems = {
        f"{nodes[0]} to {nodes[-1]} nodes": [
            to_text(named(problem, random)) for kind in sized(nodes, GRAPHS, random).values() for problem in kind
        ]
        for nodes in SIZES
    }
    return Comparison(problems, [*entrants, trained, shipped, *ablated(shipped)], MAX_STEPS, MAX_LENGTH)


def _start(problem: str) -> Sequence:
    return encode(parse(problem))


def _verdict(problem: str, final: Sequence) -> Verdict:
    asked, left = parse(problem), decode(final)
    kept = left is not None and set(left) <= set(asked.edges) and len(set(left)) == len(left)
    right = left is not None and is_minimum_cut(asked, left, minimum_cut_size(asked))
    return Verdict(right, kept, float(right))
