"""`apmdm certify`: what a model can do at every length, proved."""

import json
from collections.abc import Iterable
from dataclasses import asdict

import typer

from apmdm import weights
from apmdm.tasks.dyck import certify as dyck
from apmdm.tasks.dyck.process import VOCAB as DYCK_VOCAB
from apmdm.tasks.parity import certify as parity
from apmdm.tasks.parity.process import VOCAB as PARITY_VOCAB


def certify_dyck(model_name: str, languages: Iterable[str], as_json: bool) -> bool:
    """Check every window for each language; True if all proofs go through."""
    model, holds = weights.load(model_name, DYCK_VOCAB), True
    for language in languages:
        proof = dyck.certify(model, language)
        holds &= proof.holds
        if as_json:
            typer.echo(json.dumps(asdict(proof) | {"certified": proof.holds}))
        elif proof.holds:
            typer.echo(
                f"{language} certified: these {proof.windows:,} windows are all that can occur; every word of the "
                "language can be generated, whatever its length, and nothing else"
            )
        else:
            typer.echo(f"{language} not certified: wrong on {proof.failures:,} of {proof.windows:,} windows, such as")
            for example in proof.examples:
                typer.echo(f"  {example}")
    return holds


def certify_parity(model_name: str, as_json: bool) -> bool:
    """Print every block that can occur; True if the proof goes through."""
    blocks = parity.certify(weights.load(model_name, PARITY_VOCAB))
    holds = all(block.holds for block in blocks)
    if as_json:
        typer.echo(json.dumps({"certified": holds, "blocks": [asdict(b) | {"holds": b.holds} for b in blocks]}))
        return holds
    typer.echo("block  becomes  should  margin in logits   (_ is MASK)")
    for block in blocks:
        verdict = "" if block.holds else "  FAILS"
        typer.echo(f"{block.before:5}  {block.after:7}  {block.expected:6}  {block.margin:6.1f}{verdict}")
    typer.echo(
        "certified: these are all the blocks this model can ever see, so it computes the parity of every string "
        "of every length in at most 4 steps"
        if holds
        else "not certified: the model is wrong, or too close to a threshold, on a block that occurs"
    )
    return holds
