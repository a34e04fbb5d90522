"""The built-in tasks, one folder each. The module `task` of a folder has the task in its variable `task`."""

import pkgutil


def names() -> list[str]:
    """The names of the built-in tasks, sorted. Nothing is imported."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if module.ispkg)
