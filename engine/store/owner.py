"""Which process is recording a run, and whether it is still alive.

A pid alone is not enough: pids are reused, and two containers may share a file but not a process table. An owner is
therefore a host (name, boot and pid namespace), a pid and the time that process started. A death can be seen only
on the same host; elsewhere the heartbeat has to do.
"""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psutil

#: Seconds without a heartbeat after which the owner on another host is presumed dead. Clocks differ by less.
SILENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class Owner:
    """A process, distinct from every other there ever was. `started` is empty if the system does not report it."""

    host: str
    pid: int
    started: str

    def alive(self, heartbeat: float) -> bool:
        """Whether the process still runs; `heartbeat` is its last sign of life in Unix seconds."""
        here = this_process()
        if self == here:
            return True
        if self.host != here.host or not self.started:
            return time.time() - heartbeat < SILENCE_S
        return process_started(self.pid) == self.started


def this_process() -> Owner:
    """The owner of what this process records (a forked child is not its parent)."""
    return _owner(os.getpid())


@cache
def _owner(pid: int) -> Owner:
    return Owner(_host(), pid, process_started(pid))


def _host() -> str:
    """This host's name, with the boot and the pid namespace where the system has them."""
    parts = [socket.gethostname()]
    try:
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        parts.append(os.readlink("/proc/self/ns/pid"))
    except OSError:
        pass
    return " ".join(parts)


def process_started(pid: int) -> str:
    """When process `pid` of this host started; empty if there is none (a zombie counts as none) or it is unknown."""
    try:
        process = psutil.Process(pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return ""
        return _ticks(pid) if psutil.LINUX else str(process.create_time())
    except (psutil.Error, OSError):
        return ""


def _ticks(pid: int) -> str:
    """Clock ticks between boot and start. psutil's time of day shifts on Linux whenever the clock is set."""
    # The second field is the command's name in brackets and may hold anything, including brackets.
    return Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[19].decode()
