"""Where a model runs, in which dtype and on how many threads: the one place that decides it.

Small models (the built-in ones) run in float32 on one CPU thread, GPU or not: for them a GPU's launches cost more than
the work, and the same seed gives the same tree everywhere. Larger ones run in bfloat16 on the GPU with the most free
memory; where GPUs are lent a call at a time, they wait on the CPU for theirs. Without a GPU they run on the CPU, in
bfloat16 if it has the instructions (twice as fast, but much slower without them), else in float32.
"""

from __future__ import annotations

import json
import math
import os
from dataclasses import dataclass
from pathlib import Path

from engine.errors import ModelError
from engine.models.local.lent_gpu import is_lent
from engine.models.local.memory import cores, free_gpus, free_ram, gigabytes

#: Below this many parameters a model is small: two threads cost more in waiting for each other than they save.
SMALL = 50_000_000

_BYTES = {"float32": 4, "bfloat16": 2}

#: What a model takes beyond its weights before it reads a token: buffers, and the tensors of a step.
_OVERHEAD = 1.05

_CPU_FLAGS = frozenset({"avx512_bf16", "amx_bf16"})
CPUINFO = Path("/proc/cpuinfo")


@dataclass(frozen=True, slots=True)
class Placement:
    """`free` is the memory there, in bytes; None if the system does not say."""

    device: str
    dtype: str
    free: int | None

    def needs(self, parameters: float) -> int:
        """Bytes that a model of this size takes here."""
        return int(parameters * _BYTES[self.dtype] * _OVERHEAD)

    def check(self, name: str, parameters: float) -> None:
        """Raise `ModelError` if the model does not fit."""
        needed = self.needs(parameters)
        if self.free is None or needed <= self.free:
            return
        gpu = self.device != "cpu"
        raise ModelError(
            f"{name} needs {gigabytes(needed)} of {'GPU memory' if gpu else 'memory'} ({self.dtype}), "
            f"{gigabytes(self.free)} are free; choose a smaller model"
            + (", or set CUDA_VISIBLE_DEVICES= to compute on the CPU" if gpu else "")
        )


def is_small(parameters: float) -> bool:
    """Whether a model is computed in float32 on one thread of the CPU, whatever else there is."""
    return parameters < SMALL


def place(parameters: float) -> Placement:
    """Where a model with this many parameters goes, on this machine right now."""
    if is_small(parameters) or is_lent():  # what is lent takes the model along, which must not be packed for the CPU
        return Placement("cpu", "float32", free_ram())
    gpus = free_gpus()
    if gpus:
        best = max(range(len(gpus)), key=gpus.__getitem__)
        return Placement(f"cuda:{best}", _gpu_dtype(best), gpus[best])
    return Placement("cpu", "bfloat16" if cpu_has_bfloat16() else "float32", free_ram())


def cpu_threads(parameters: float) -> int:
    """Threads for a model of this size: the user's `OMP_NUM_THREADS`, or else all cores that this process may use."""
    if is_small(parameters):
        return 1
    said = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    if said.isdecimal() and int(said):
        return int(said)
    return cores()


def stored_parameters(folder: Path) -> int:
    """Parameters in a checkpoint's files, from their headers; tied ones are stored once."""
    count = 0
    for path in folder.glob("*.safetensors"):
        with path.open("rb") as file:
            header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        count += sum(math.prod(entry["shape"]) for name, entry in header.items() if name != "__metadata__")
    return count


def cpu_has_bfloat16() -> bool:
    """Whether the CPU has instructions for bfloat16 matrices."""
    try:
        text = CPUINFO.read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return not _CPU_FLAGS.isdisjoint(flags.split())


def _gpu_dtype(device: int) -> str:
    import torch

    major, _ = torch.cuda.get_device_capability(device)
    return "bfloat16" if major >= 8 or torch.version.hip else "float32"  # Ampere is the first with bfloat16
