"""Compiled weights in a folder: with a card that says how to run them, and a record of what they were compiled from."""

import hashlib
from pathlib import Path
from typing import Any

from apmdm import weights
from apmdm.model.encoder import Encoder
from apmdm.policy import Policy, Stochastic
from apmdm.theory.pram import Program

CARD = """# {name}, {form}, as weights

An encoder of `apmdm` whose weights were set by hand, not trained, by
`apmdm theory run {name} --as {form} --compiled --save FOLDER`. It decides what the policy of that name decides, for
sequences of up to {positions:,} tokens. It has {parameters:,} parameters, {nonzero:,} of them not 0.
Of a matrix that is mostly zero the file holds only the other entries.

Decoded by: {decoding}.

```python
from apmdm import weights

encoder = weights.load_encoder("FOLDER")
```

{how}
"""
RUN = """Other inputs, up to this size: `apmdm theory run {name} ... --as {form} --weights FOLDER`."""
FORMULA = """`apmdm.sampler.rollouts` runs them on what `apmdm.theory.tqbf` encodes a formula to."""
TASK = """It is a model of the task `{task}`: `apmdm.load("FOLDER")`, and `--weights FOLDER` on the command line."""


def save(encoder: Encoder, folder: Path, about: dict[str, Any], decoding: Policy, task: str = "") -> None:
    """Write weights, card and record into a folder.

    about: what they were compiled from, with `task` and `as`. task: the name of the task whose model they are, if any.
    """
    name, form = about["task"].partition("/")[2], about["as"]
    policy = {"policy": type(decoding).__name__}
    if isinstance(decoding, Stochastic):
        policy |= {"temperature": decoding.temperature, "cutoff": decoding.cutoff}
    told = ", ".join(f"{key} {value}" for key, value in policy.items())
    nonzero = sum(int(parameter.count_nonzero()) for parameter in encoder.parameters())
    how = (TASK if task else RUN if "program" in about else FORMULA).format(task=task, name=name, form=form)
    card = CARD.format(
        name=name,
        form=form,
        positions=about["positions"],
        parameters=encoder.num_parameters(),
        nonzero=nonzero,
        decoding=told,
        how=how,
    )
    (folder / "README.md").write_text(card, encoding="utf-8")
    encoder.save_pretrained(folder)
    if task:
        weights.write_task(folder, task, {})
    weights.write_manifest(folder, about | {"recipe": "set by hand: apmdm theory run --compiled", "decoding": policy})


def load(folder: Path, about: dict[str, Any]) -> tuple[Encoder, int]:
    """The weights that `save` wrote, and the bits of their words.

    about: what they have to be compiled from; raises ValueError if it was something else.
    """
    encoder, written = weights.load_encoder(str(folder)), weights.read_manifest(folder)
    other = {key: written.get(key) for key, value in about.items() if written.get(key) != value}
    if other:
        told = ", ".join(f"{key} {value}" for key, value in other.items())
        raise ValueError(f"the weights at {folder} were compiled from something else: {told}")
    return encoder, int(written["bits"])


def digest(program: Program) -> str:
    """What tells programs apart."""
    return hashlib.sha256(repr(program.instructions).encode()).hexdigest()[:16]
