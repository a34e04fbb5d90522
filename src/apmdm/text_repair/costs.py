"""What each kind of repair costs: minus the logarithm of its probability, the first time in a document, and again."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

Costs = dict[str, list[float]]

PRIOR: dict[str, tuple[float, float]] = {
    "missing closer": (5.0, 3.0),
    "truncated": (3.5, 0.1),
    "cut off after a closer": (2.5, 2.5),
    "missing opener": (6.0, 5.0),
    "missing comma": (5.0, 2.0),
    "missing comma at a line's end": (3.5, 1.0),
    "missing colon": (5.0, 3.0),
    "missing value": (5.0, 3.0),
    "missing closing quote": (5.0, 3.5),
    "missing opening quote": (5.0, 3.5),
    "unquoted value": (4.5, 1.0),
    "unquoted key": (3.5, 0.1),
    "extra closer": (5.5, 4.0),
    "wrong closer": (5.0, 4.0),
    "extra opener": (5.5, 4.0),
    "trailing comma": (2.5, 0.5),
    "double comma": (4.0, 1.0),
    "wrong comma": (5.5, 3.0),
    "wrong colon": (5.0, 3.0),
    "comma for a colon": (6.5, 5.0),
    "extra colon": (6.0, 4.0),
    "extra quote": (4.8, 4.0),
    "stray text": (5.0, 1.5),
    "stray text for a value": (7.0, 4.0),
    "unescaped quote": (3.0, 1.0),
    "odd number of quotes": (2.0, 2.0),
    "added texts": (4.0, 1.0),
    "backslash at the end": (4.0, 1.0),
    "wide mark": (3.0, 0.05),
    "line break as text": (3.0, 0.02),
    "bad escape": (2.0, 0.3),
    "escape meant as text": (4.0, 0.7),
    "one backslash among others": (2.0, 2.0),
    "escaped closing quote": (5.0, 3.0),
    "raw newline": (3.5, 0.2),
    "raw tab": (2.0, 0.2),
    "comment": (3.0, 0.3),
    "single quotes": (3.0, 0.02),
    "smart quotes": (3.0, 0.05),
    "escaped quotes": (4.0, 0.02),
    "foreign literal": (2.5, 0.05),
    "fence": (1.5, 0.1),
    "prose": (3.5, 0.05),
    "ellipsis": (3.5, 0.5),
    "odd blank": (0.5, 0.1),
    "several documents": (4.0, 1.0),
    "no brackets around": (6.0, 6.0),
    "indentation": (2.5, 2.0),
    "line of its own": (0.7, 0.5),
    "same key": (4.0, 2.0),
    "mark in key": (1.5, 1.0),
    "mark in bare text": (1.5, 1.0),
    "quote in bare text": (6.0, 4.0),
    "mark in prose": (2.5, 1.5),
    "mark in comment": (4.0, 3.0),
    "quote after a quote": (1.0, 1.0),
    "text in single quotes": (0.7, 0.7),
}
"""Set by hand; what is used was learned from these (benchmarks/json_costs.py)."""
BITS = {kind: 1 << bit for bit, kind in enumerate(PRIOR)}


@cache
def read(name: str = "json_costs.json") -> Any:
    """What was learned: `costs`, `calibration`, and of JSON its `structure`."""
    return json.loads(files("apmdm.text_repair").joinpath(name).read_text())
