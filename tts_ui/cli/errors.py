"""From errors to one line on stderr and an exit code: the command line's edge, and the only place that decides this.

The line for a caller's mistake names the argument as it is typed (`--max-tokens-total`, PROBLEM) and the fix. An
internal error shows its traceback only if TTS_UI_DEBUG is set.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

import typer

from engine.errors import InvalidInput, TtsError

OK, FAILED, MISTAKE, STOPPED = 0, 1, 2, 130

#: Arguments that are not spelled `--like-this`; those in capitals (FILE) are spelled as they are.
_TYPED = {"problem": "PROBLEM", "parameters": "FILE", "problem_option": "--problem", "run": "RUN", "output": "-o"}


def exit_code(command: Callable[[], object]) -> int:
    """Run `command` and return its exit code, complaining in one line where it failed."""
    try:
        code = command()
        sys.stdout.flush()  # now, not when the interpreter exits: a full disk is an error like others
    except (KeyboardInterrupt, typer.Abort):
        return STOPPED
    except (BrokenPipeError, SystemExit) as ended:
        if isinstance(ended, SystemExit) and not isinstance(ended.__context__, BrokenPipeError):
            raise
        _drop_output()  # the reader has seen enough: `tts-ui show RUN | head`; Typer turns that into an exit
        return OK
    except Exception as error:
        code, line = _verdict(error)
        if code == FAILED and os.environ.get("TTS_UI_DEBUG"):
            traceback.print_exc()
        complain(line)
        if isinstance(error, OSError):
            _drop_output()
    return code if isinstance(code, int) else OK


def complain(line: str) -> None:
    """Say what is wrong, in one line of printable characters whatever the arguments held."""
    from tts_ui.cli.terminal import one_line

    with suppress(OSError):  # the terminal is gone
        print(f"tts-ui: {one_line(line)}", file=sys.stderr, flush=True)


def _verdict(error: Exception) -> tuple[int, str]:
    match error:
        case InvalidInput():
            return MISTAKE, f"{_spelled(error.argument)}: {error.message}"
        case TtsError():
            return FAILED, str(error)
        case OSError():
            return FAILED, f"{error.filename or 'the output'}: {error.strerror}" if error.strerror else str(error)
    if hasattr(error, "format_message"):  # Typer's errors of usage: their base class has moved, its method has not
        return MISTAKE, _usage(error)
    return FAILED, f"internal error: {type(error).__name__}: {error}; TTS_UI_DEBUG=1 shows where"


def _spelled(argument: str) -> str:
    if argument.isupper():
        return argument
    return _TYPED.get(argument) or f"--{argument.replace('_', '-')}"


def _usage(error: Exception) -> str:
    """A line for an unknown option, a missing argument or a value of the wrong type."""
    said = error.format_message().rstrip(".")  # type: ignore[attr-defined]
    hint, parameter = getattr(error, "message", ""), getattr(error, "param", None)
    if hint and parameter is not None:  # "Invalid value for '--n': ..."
        options = [name for name in parameter.opts if name.startswith("-")]
        said = f"{options[-1] if options else parameter.metavar or parameter.name}: {hint.rstrip('.')}"
    context = getattr(error, "ctx", None)
    path = context.command_path if context else "tts-ui"
    formula = not getattr(error, "option_name", "a").lstrip("-")[:1].isalpha()  # "-3 + 5" was taken for an option
    dash = "put -- before a PROBLEM that begins with a dash, or " if formula else ""
    return f"{said}; {dash}see `{path} --help`"


def _drop_output() -> None:
    """Send what is still buffered nowhere, so that the interpreter does not fail on it again at exit."""
    with suppress(OSError, ValueError):  # it is not a real file
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
