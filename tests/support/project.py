"""What pyproject.toml declares, what that installs, and what the locks name."""

from __future__ import annotations

import importlib.metadata
import re
import tomllib
from collections.abc import Iterable

from packaging.requirements import Requirement
from support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
#: Left to the platform: torch's own GPU libraries, and what `pip freeze` leaves out.
PLATFORM = re.compile(r"nvidia-.*|cuda-.*|triton|setuptools")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def closure(requirements: Iterable[str]) -> set[str]:
    """The names of all distributions that these requirements install here."""
    waiting, seen = [Requirement(each) for each in requirements], set()
    while waiting:
        wanted = waiting.pop()
        key = (normal(wanted.name), *sorted(wanted.extras))
        if key in seen:
            continue
        seen.add(key)
        for line in importlib.metadata.requires(wanted.name) or []:
            further = Requirement(line)
            if not further.marker or any(further.marker.evaluate({"extra": each}) for each in ("", *wanted.extras)):
                waiting.append(further)
    return {name for name, *_ in seen if not PLATFORM.fullmatch(name)}


def locked(name: str) -> set[str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {normal(line.partition("==")[0]) for line in lines if "==" in line}
