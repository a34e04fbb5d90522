"""The model card of trained weights: a README.md that says what they are, how to use them, and what was measured."""

from typing import Any

HEAD = """---
library_name: apmdm
tags:
- masked-diffusion
- any-process-generation
---
"""


def card(manifest: dict[str, Any], about: str, commands: list[str]) -> str:
    """The text of a card.

    manifest: how the weights were made. about: the task, in a sentence. commands: uses of the weights.
    """
    name, settings, steps = manifest["recipe"], manifest["settings"], f"{manifest['step']:,} steps"
    shape = ", ".join(f"{key} {value}" for key, value in settings["shape"].items() if value not in (0, False, ()))
    ended = "" if manifest["finished"] else f" of {settings['training']['steps']:,}; training is not finished"
    parts = [
        HEAD,
        f"# {name}",
        f"Weights for the task `{name}`. {about}".strip(),
        f"A model of {manifest['parameters']:,} parameters ({shape}), trained by `apmdm train` for {steps}{ended}, "
        f"with seed {manifest['seed']}. `manifest.json` has the whole recipe, the versions and the machine.",
    ]
    if commands:
        parts.append("\n".join(["FOLDER is the folder of this file:", "", "```", *commands, "```"]))
    figures = [f"| {key} | {value:.4f} |" for key, value in manifest["evaluation"].items()]
    if figures:
        parts.append("\n".join(["Measured at the last evaluation of training:", "", "| | |", "|---|---|", *figures]))
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
