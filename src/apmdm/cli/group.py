"""Commands on a task, which is named by what follows: `apmdm VERB TASK ...`. Here no task is known by name."""

from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from apmdm import tasks
from apmdm.naming import refuse_unknown

NAMED = (
    "{names}, a Python file (my_task.py), module:name, a folder of weights, or a file of data: .tsv, .csv, .jsonl, .txt"
)


class OnTask(TyperGroup):
    """A verb: its commands are made for a task when that is named."""

    def list_commands(self, ctx: Any) -> list[str]:
        return tasks.names()

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Tasks"):
            formatter.write_text(NAMED.format(names=", ".join(tasks.names())))
        with formatter.section("Options of a task"):
            formatter.write_text(f"{ctx.command_path} TASK --help")

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name.startswith("-"):
            return None
        if not Path(cmd_name).is_dir():
            refuse_unknown(cmd_name)
        from apmdm.cli.verbs import command

        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(cmd_name)(command(str(self.name), cmd_name))
        return typer.main.get_command(app)


def verb(app: typer.Typer, name: str, about: str) -> None:
    """Add a verb to the application."""
    app.add_typer(
        typer.Typer(cls=OnTask, rich_markup_mode=None, help=about, subcommand_metavar="TASK [OPTIONS]"), name=name
    )
