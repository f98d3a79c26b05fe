"""What a check found, the machine it ran on, and how both are printed and written."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
import transformers


@dataclass(frozen=True, slots=True)
class Result:
    """`numbers` are unrounded; `passed` is None if nothing is promised."""

    section: str
    name: str
    said: str
    numbers: Mapping[str, float] = field(default_factory=dict)
    passed: bool | None = None


def machine(device: str) -> dict[str, str]:
    """The card, its driver and the versions, as far as they can be found out."""
    found = {
        "device": device, "card": "none", "driver": "none", "torch": torch.__version__,
        "cuda": str(torch.version.cuda or torch.version.hip or "none"), "transformers": transformers.__version__,
        "python": platform.python_version(), "processor": platform.machine(),
    }  # fmt: skip
    if device == "cuda":
        properties = torch.cuda.get_device_properties(0)
        found["card"] = f"{properties.name}, {properties.total_memory / 1e9:.0f} GB"
        found["driver"] = _driver()
    return found


def _driver() -> str:
    command = ["nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
        return done.stdout.splitlines()[0].strip()
    except (OSError, subprocess.SubprocessError, IndexError):
        return "unknown"


def table(results: Sequence[Result]) -> str:
    verdicts = {True: "ok", False: "FAILED", None: ""}
    rows = [(each.section, each.name, each.said, verdicts[each.passed]) for each in results]
    rows.insert(0, ("section", "check", "measured", ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def write(path: Path, about: Mapping[str, str], results: Sequence[Result], seconds: float) -> None:
    document = {
        "format": "tts-ui.gpu-check", "version": 1, "machine": dict(about), "seconds": round(seconds, 1),
        "results": [asdict(each) for each in results],
    }  # fmt: skip
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
