"""How much there is of this machine or container: memory, processor cores, and what is free on its GPUs.

torch is asked only where there is a GPU to ask about, so that listing models stays quick without one.
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import psutil

#: Present where a driver of NVIDIA, of WSL or of AMD is loaded.
GPU_NODES = ("/dev/nvidiactl", "/dev/dxg", "/dev/kfd")

_CGROUP = Path("/sys/fs/cgroup")


def free_ram(cgroup: Path = _CGROUP) -> int:
    """Bytes a process may still take without swapping. psutil knows the machine, but not a container's limit."""
    available = psutil.virtual_memory().available
    left = _left_to_container(cgroup)
    return available if left is None else min(available, left)


def total_ram(cgroup: Path = _CGROUP) -> int:
    """Bytes that there are, in use or not."""
    there = psutil.virtual_memory().total
    try:
        return min(there, int((cgroup / "memory.max").read_text(encoding="ascii")))
    except (OSError, ValueError):
        return there


def cores(cgroup: Path = _CGROUP) -> int:
    """Processor cores that this process may use. A container's share of time is no affinity: with more threads than
    that they wait for each other."""
    there = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = (cgroup / "cpu.max").read_text(encoding="ascii").split()
        return max(1, min(there, math.ceil(int(share) / int(period))))
    except (OSError, ValueError, ZeroDivisionError):
        return there


def free_gpus() -> Sequence[int]:
    """Free bytes of each CUDA device, what torch holds unused included; empty without one."""
    if not any(os.path.exists(node) for node in GPU_NODES) and os.name != "nt":
        return []
    import torch

    if not torch.cuda.is_available():
        return []
    devices = range(torch.cuda.device_count())
    return [torch.cuda.mem_get_info(device)[0] + _unused(device) for device in devices]


def gigabytes(count: float) -> str:
    """Bytes for people: `15.2 GB`, `2 MB` (decimal, as model cards and shops count)."""
    return f"{count / 1e9:.1f} GB" if count >= 1e8 else f"{count / 1e6:.0f} MB"


def _unused(device: int) -> int:
    import torch

    return torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)


def _left_to_container(cgroup: Path) -> int | None:
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        stat = dict(line.split() for line in (cgroup / "memory.stat").read_text(encoding="ascii").splitlines())
        return max(0, limit - used + int(stat.get("inactive_file", 0)))  # cached files give way
    except (OSError, ValueError):
        return None
