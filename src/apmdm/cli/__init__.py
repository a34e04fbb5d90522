"""The command line. Nothing heavy is imported before a command runs."""

import sys


def main() -> None:
    """Run the command line; whatever the user got wrong is one line on stderr and exit code 2."""
    from apmdm.cli.app import app

    try:
        app()
    except (ValueError, OSError) as error:
        print(f"error: {' '.join(str(error).split())}", file=sys.stderr)
        sys.exit(2)
