"""The tasks that come with the package, a folder each; its module `task` offers the task under the name `task`."""

import pkgutil


def names() -> list[str]:
    """Those of the tasks, sorted; nothing is imported."""
    return sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(__path__) if module.ispkg)
