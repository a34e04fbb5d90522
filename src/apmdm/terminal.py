"""Where progress goes: standard error, so that output stays clean."""

from rich.console import Console

ECHO = 2
"""Columns of `^C`, which the terminal itself writes. In a full line it would push the rest of a bar into the next."""


def stderr() -> Console:
    console = Console(stderr=True)
    if console.is_terminal:
        console.width = max(1, console.width - ECHO)
    return console
