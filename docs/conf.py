"""Settings of the documentation site; `make docs` builds it into build/docs, offline, warnings being errors."""

import re
import shutil
import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any, TypeVar

HERE = Path(__file__).parent

project = "apmdm"
author = "The apmdm developers"
version = release = version_of("apmdm")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary"]
templates_path = ["_templates"]
exclude_patterns = ["README.md"]
default_role = "code"
nitpicky = True
highlight_language = "none"

# Pages are plain Markdown that GitHub shows too; headings get the anchors that GitHub gives them.
myst_heading_anchors = 3

html_theme = "furo"
html_title = "apmdm"
html_static_path = ["_static"]
html_css_files = ["tables.css"]
html_copy_source = False
html_show_copyright = False

# One page for every module, drawn anew at each build, since modules come and go.
REFERENCE = HERE / "reference"
shutil.rmtree(REFERENCE, ignore_errors=True)
autosummary_generate = True
autodoc_default_options = {"members": True, "member-order": "bysource", "ignore-module-all": True}
autodoc_inherit_docstrings = False
autodoc_preserve_defaults = True
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 100
toc_object_entries_show_parents = "hide"

# Only names of this package are links: other projects' pages are not fetched.
nitpick_ignore_regex = [("py:.*", r"(?!apmdm\.).*")]

ITEM = re.compile(r"\s*(- |\d+\. )")
LISTED = re.compile(r"\s|- |\d+\. ")


def separate_lists(app: Any, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    """Docstrings need no blank line before and after a list; reStructuredText does."""
    separated: list[str] = []
    in_list = False
    for number, line in enumerate(lines):
        following = lines[number + 1] if number + 1 < len(lines) else ""
        is_item = bool(ITEM.match(line)) and (in_list or not following or bool(LISTED.match(following)))
        goes_on = in_list and line.startswith(" ")
        if in_list != (is_item or goes_on):
            separated.append("")
        separated.append(line)
        in_list = is_item or goes_on
    lines[:] = separated


def keep_type_variables(app: Any, env: Any, node: Any, text: Any) -> Any:
    """A type variable in a signature is no link, and none is missing."""
    module, _, name = node.get("reftarget", "").rpartition(".")
    return text if isinstance(getattr(sys.modules.get(module), name, None), TypeVar) else None


def setup(app: Any) -> None:
    app.connect("autodoc-process-docstring", separate_lists)
    app.connect("missing-reference", keep_type_variables)
