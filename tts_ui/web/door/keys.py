"""The secret with which cookies are signed: given, or made once and kept beside the database."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path

import platformdirs

from engine.errors import InvalidInput
from engine.store.address import is_sqlite_uri, resolve

#: Characters of a secret or token that a person gives, at least: no shorter one withstands guessing.
SHORTEST = 16


def check_secret(argument: str, given: str | None) -> None:
    """Raise `InvalidInput(argument, ...)` if it is too short to be one."""
    if given is not None and len(given.strip()) < SHORTEST:
        raise InvalidInput(argument, f"it has fewer than {SHORTEST} characters; make one with `openssl rand -hex 24`")


def secret_for(db: str | None, given: str | None) -> bytes:
    """`given`, else what is kept beside the database `db` (as `Store.open` takes it), which is made if need be.

    Where it cannot be kept it holds until the server ends, and one line on stderr says so.
    """
    check_secret("secret", given)
    if given is not None:
        return given.strip().encode()
    path = _path(db)
    try:
        return _kept(path)
    except OSError as error:
        print(
            f"tts-ui: {path} cannot be kept ({error.strerror}), so visitors are forgotten when the server ends;"
            " give TTS_UI_SECRET",
            file=sys.stderr, flush=True,
        )  # fmt: skip
        return secrets.token_bytes(32)


def _path(db: str | None) -> Path:
    url = resolve(db)
    if url.get_backend_name() == "sqlite" and not is_sqlite_uri(url):
        return Path(f"{url.database}.secret").absolute()
    return platformdirs.user_data_path("tts-ui", False) / "visitors.secret"


def _kept(path: Path) -> bytes:
    """What is in the file; it is made whole or not at all, and only its owner may read it."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
        with os.fdopen(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
            file.write(secrets.token_hex(32))
        try:
            os.link(fresh, path)
        except FileExistsError:  # another process was faster, and its secret holds
            pass
        except OSError:  # a disk without hard links
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    if path.stat().st_mode & 0o077:
        path.chmod(0o600)
    kept = path.read_text(encoding="ascii", errors="replace").strip()
    if len(kept) < SHORTEST:
        raise OSError(0, "it is damaged", str(path))
    return kept.encode()
