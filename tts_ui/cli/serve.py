"""Mistakes in `tts-ui serve`, found before the app is imported."""

from __future__ import annotations

import errno
import os
import socket
from pathlib import Path

from engine.errors import InvalidInput
from engine.models.catalogue.catalogue import Catalogue


def check(host: str, port: int, models: Path | None) -> None:
    """Raise `InvalidInput` if the app could not listen there, or if the models file cannot be used."""
    if models is not None:
        Catalogue(models)
    _check_address(host, port)


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
