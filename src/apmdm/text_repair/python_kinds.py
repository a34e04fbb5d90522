"""What can be wrong in Python, and what each kind costs before anything is learned."""

BEFORE: dict[str, tuple[float, float]] = {
    "at a line's end": (3.5, 3.0),
    "before a comma": (4.5, 4.0),
    "before a colon": (4.5, 4.0),
    "before a closer": (4.5, 4.0),
    "before an operator": (5.5, 4.5),
    "before a term": (6.5, 5.5),
}
"""Where closing brackets and quotes may be missing."""
BEHIND: dict[str, tuple[float, float]] = {
    "at a line's end": (5.0, 4.0),
    "before a closer": (6.5, 5.5),
    "between two words": (4.5, 4.0),
    "after a word": (5.0, 4.0),
    "after an opener": (6.0, 5.0),
    "after a comma": (6.0, 5.0),
    "after a mark": (5.0, 4.5),
}
"""Where opening brackets may be missing."""
PRIOR: dict[str, tuple[float, float]] = {
    **{f"missing closer {place}": costs for place, costs in BEFORE.items()},
    **{f"missing closing quote {place}": costs for place, costs in BEFORE.items()},
    **{f"missing opener {place}": costs for place, costs in BEHIND.items()},
    "closed while empty": (1.0, 1.0),
    "other than round": (1.0, 1.0),
    "missing opener within a word": (3.0, 3.0),
    "word not known": (2.0, 2.0),
    "extra closer": (5.0, 4.0),
    "extra opener": (5.5, 4.5),
    "wrong closer": (4.5, 4.0),
    "missing colon": (3.0, 2.5),
    "missing colon in brackets": (5.0, 4.0),
    "missing colon of an annotation": (6.0, 5.0),
    "missing comma at a line's end": (4.0, 3.0),
    "missing comma": (5.0, 4.0),
    "missing opening quote before a word": (4.5, 4.0),
    "missing opening quote before a mark": (5.5, 5.0),
    "missing opening quote after a prefix": (4.0, 3.5),
    "wrong quote": (4.0, 3.5),
    "quote within quotes": (5.0, 4.0),
    "missing closing quotes": (4.0, 3.5),
    "missing closing quotes on a blank line": (4.0, 3.5),
    "missing opening quotes": (5.0, 4.5),
    "missing opening quotes on a blank line": (5.0, 4.5),
    "missing indentation": (4.0, 3.5),
    "wrong indentation": (3.5, 3.0),
    "wrong indentation by far": (5.0, 4.5),
    "indentation that fits": (5.5, 5.0),
    "other indentation than usual": (1.0, 0.1),
    "little indentation in brackets": (1.5, 0.02),
    "assignment in brackets": (1.0, 0.05),
    "outside of a function": (3.0, 3.0),
    "outside of a loop": (3.0, 3.0),
    "print or exec as a statement": (2.0, 0.1),
}
"""Set by hand; what is used was learned from these (benchmarks/python_costs.py), but for the last one."""
BITS = {kind: 1 << bit for bit, kind in enumerate(PRIOR)}
