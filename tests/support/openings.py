"""Which files in a folder are opened, by whatever program and however: the kernel tells (Linux only)."""

from __future__ import annotations

import ctypes
import os
import struct
from pathlib import Path

_OPENED, _NON_BLOCKING = 0x20, 0o4000
_HEAD = struct.Struct("iIII")


class Openings:
    """Watches the files of `folder` (not those below its subfolders)."""

    def __init__(self, folder: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._file = libc.inotify_init1(_NON_BLOCKING)
        watched = libc.inotify_add_watch(self._file, os.fsencode(folder), _OPENED)
        if self._file < 0 or watched < 0:
            raise OSError(ctypes.get_errno(), f"{folder} cannot be watched")

    def names(self) -> list[str]:
        """The files that were opened since this was asked last, by their names; folders that were listed are none."""
        try:
            told = os.read(self._file, 1 << 16)
        except BlockingIOError:
            return []
        names, place = [], 0
        while place < len(told):
            *_, length = _HEAD.unpack_from(told, place)
            place += _HEAD.size
            names.append(told[place : place + length].rstrip(b"\0").decode())
            place += length
        return [name for name in names if name]

    def close(self) -> None:
        os.close(self._file)
