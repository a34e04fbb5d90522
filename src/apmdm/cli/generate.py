"""`apmdm generate`: sequences drawn from a model, one line or one JSON object each."""

import json

import typer

from apmdm import weights
from apmdm.cli.solve import cost
from apmdm.tasks.dyck.process import VOCAB, encode
from apmdm.tasks.dyck.words import draw


def generate_dyck(language: str, length: int, num: int, model_name: str, device: str, seed: int, as_json: bool) -> bool:
    """Print words as they are finished; True if every one was verified."""
    encode(language, length)
    model = weights.load(model_name, VOCAB).to(device)
    all_valid = True
    for word in draw(model, language, length, num, seed, device=device):
        all_valid &= word.valid
        if as_json:
            record = {"word": word.text, "language": language, "length": length, "verified": word.valid}
            typer.echo(json.dumps(record | cost(word.run)))
        else:
            typer.echo(word.text if word.valid else f"no word; stopped: {word.run.stop}")
    return all_valid
