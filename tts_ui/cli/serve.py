"""Mistakes in `tts-ui serve`, found before the app is imported."""

from __future__ import annotations

import errno
import os
import re
import socket
from collections.abc import Sequence
from pathlib import Path

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue
from tts_ui.words.interface import choose
from tts_ui.words.interface.translation import translation

_HOST_NAME = re.compile(r"[\w.-]+|\[?[0-9a-fA-F:]+\]?")
#: Characters that a token has at least.
_SHORTEST_TOKEN = 16
_ROOT_PATH = re.compile(r"(/[\w.~-]+)*/?")


def check(host: str, port: int, models: Path | None, allowed: Sequence[str] = (), root_path: str = "") -> None:
    """Raise `InvalidInput` if the app could not listen there, if the models file cannot be used, or if one of the names
    that are allowed, or `root_path`, is none."""
    if not _ROOT_PATH.fullmatch(root_path):
        raise InvalidInput("root_path", f"{root_path!r} is not a path of an address; give one like /trees")
    if models is not None:
        Catalogue(models)
    for name in allowed:
        if not _HOST_NAME.fullmatch(name):
            raise InvalidInput("allow_host", f"{name!r} is not a host's name; give it without scheme, port and path")
    _check_address(host, port)


def check_token(token: str | None) -> None:
    """Raise `InvalidInput` for a write token that can be guessed."""
    if token and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable() or " " in token):
        raise InvalidInput(
            "write_token", f"it needs {_SHORTEST_TOKEN} or more letters and digits, without blanks; make one with: "
            "python -c 'import secrets; print(secrets.token_urlsafe())'"
        )  # fmt: skip


def speak(words: Path | None) -> None:
    """Let the pages, which are not built yet, say what this translation says. Raises `InvalidInput`."""
    if words is not None:
        choose(translation(words))


def _check_address(host: str, port: int) -> None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as trial:
            if os.name == "posix":  # a port that was ours a moment ago is free; elsewhere this means something else
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trial.bind(address)
    except (socket.gaierror, UnicodeError) as error:
        raise InvalidInput("host", f"{host!r} is not an address; give this machine's name or IP") from error
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            raise InvalidInput("host", f"{host} is not an address of this machine; try 127.0.0.1") from error
        why = "in use" if error.errno == errno.EADDRINUSE else f"not available ({error.strerror})"
        raise InvalidInput("port", f"{port} is {why}; choose another") from error
