"""Runs shown as films: in a browser, or in a file of one's choice."""

from collections.abc import Sequence as Seq
from pathlib import Path
from typing import Any

import typer

from apmdm import outputs

MOST = 2
FORMS = ".html", ".svg"


def view(traces: Seq[Path], out: Path | None, named: str | None) -> None:
    """Show one recorded run, or two beside each other."""
    from apmdm.viewer.traces import film_of

    if len(traces) > MOST:
        raise ValueError(f"one run is shown, or two beside each other, not {len(traces)}")
    if out is not None:
        writable(out)
    films = [film_of(path, named) for path in traces]
    titles = [path.stem for path in traces]
    if len(films) == MOST and films[0]["about"]["title"] == films[1]["about"]["title"]:
        for film, title in zip(films, titles, strict=True):
            film["about"]["title"] = title
    show(films, out)


def show(films: list[dict[str, Any]], out: Path | None = None) -> None:
    """Open a page with the films, or write it."""
    from apmdm.viewer import local, picture
    from apmdm.viewer.page import page

    if out is not None and out.suffix == ".svg":
        out.write_text(picture.animated(films), encoding="utf-8")
        return
    html = page(" and ".join(dict.fromkeys(str(film["about"]["title"]) for film in films)), films)
    if out is None:
        local.show(html, typer.echo)
    else:
        out.write_text(html, encoding="utf-8")


def writable(out: Path) -> Path:
    """The path, if a film can be written there."""
    if out.suffix not in FORMS:
        raise ValueError(f"a film is written as {' or '.join(FORMS)}, not as {out.name}")
    return outputs.writable(out)
