"""The page: films, or the page that asks for a run, as one HTML file that needs nothing from anywhere else."""

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Any

SCRIPTS = ("film.js", "drawings.js", "player.js", "live.js", "start.js")
"""In the order in which they run, as one script."""
POLICY = "default-src 'none'; script-src '{script}'; style-src '{style}'; connect-src {connect}; base-uri 'none'"


def page(title: str, films: Iterable[dict[str, Any]], live: Mapping[str, Any] | None = None) -> str:
    """The whole page. films: what is played at once, beside each other. live: tasks that can be asked for.

    Everything in films and tasks is text: it cannot become a tag or a script, and the page may run only its own script.
    """
    script, style = "".join(map(_part, SCRIPTS)), _part("style.css")
    connect = "'none'" if live is None else "'self'"
    parts = {
        "title": html.escape(title),
        "policy": POLICY.format(script=_digest(script), style=_digest(style), connect=connect),
        "style": style,
        "script": script,
        "data": as_data({"films": list(films), "live": live}),
    }
    out, rest = [], _part("index.html")
    for name in ("policy", "title", "style", "title", "data", "script"):
        before, _, rest = rest.partition(f"{{{name}}}")
        out += [before, parts[name]]
    return "".join([*out, rest])


def as_data(value: Any) -> str:
    """JSON that may stand inside a script element."""
    return json.dumps(value, separators=(",", ":"), default=str).replace("<", "\\u003c")


def _part(name: str) -> str:
    return (resources.files("apmdm.viewer") / "page" / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
