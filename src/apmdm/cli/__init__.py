"""The command line. Nothing heavy is imported before a command runs."""

import io
import os
import sys
from traceback import print_exception

from apmdm import processes

SHARED = "train", "eval", "run", "solve", "generate"
"""Commands whose work several processes share."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line; whatever the user got wrong is one line on stderr and exit code 2."""
    _prepare_streams()
    try:
        from apmdm.cli.app import UsageError, app

        try:
            given = sys.argv[1:] if arguments is None else arguments
            _refuse_several_processes(given[:1])
            status = app(given or ["--help"], "apmdm", standalone_mode=False)
            sys.stdout.flush()
        except UsageError as error:
            command = error.ctx.command_path if error.ctx else "apmdm"
            status = refusal(f"{error.format_message()} ({command} --help tells more)")
        except (ValueError, ImportError) as error:
            status = refusal(str(error))
        except OSError as error:
            status = refusal(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
        except (MemoryError, OverflowError) as error:
            status = refusal(f"too large for this machine: {str(error) or 'out of memory'}")
        except RuntimeError as error:
            if not any(sign in str(error) for sign in ("allocate memory", "out of memory", "overflow")):
                raise
            status = refusal(f"too large for this machine: {error}")
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)


def _refuse_several_processes(verb: list[str]) -> None:
    """Raise ValueError if there are several processes and the command's work is not shared."""
    if processes.number() > 1 and verb and verb[0] not in SHARED:
        raise ValueError(
            f"{verb[0]} runs in one process: start it without accelerate launch and torchrun, which are for "
            f"{', '.join(SHARED)}"
        )


def _prepare_streams() -> None:
    """Output that was closed before the start leads nowhere, and what an encoding lacks is printed as its number.

    Of several processes the first one alone prints.
    """
    silent = processes.rank() > 0
    if silent:
        sys.excepthook = lambda kind, error, trace: print_exception(kind, error, trace, file=sys.__stderr__)
    for name in ("stdout", "stderr"):
        if silent or getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def refusal(message: str) -> int:
    """Print one line. Of several processes the first one that fails prints, since the others follow from it."""
    if processes.is_first_to_tell():
        print("error:", " ".join(message.split()), file=sys.stderr if processes.rank() == 0 else sys.__stderr__)
    return 2
