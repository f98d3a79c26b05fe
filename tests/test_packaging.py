"""What is installed is what is used: imports are declared, locks hold what the declared packages need, types ship."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support.places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS = PROJECT["optional-dependencies"]
OURS = {"engine", "tts_ui", "benchmarks", "tests", "support"}
#: Left to the platform: torch's own GPU libraries, and what `pip freeze` leaves out.
PLATFORM = re.compile(r"nvidia-.*|cuda-.*|triton|setuptools")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def imported(*roots: str) -> set[str]:
    """The packages that files under these folders import by name, anywhere in them."""
    found: set[str] = set()
    for path in (path for root in roots for path in (ROOT / root).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.partition(".")[0])
    return found - OURS - sys.stdlib_module_names


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


@pytest.mark.parametrize(("roots", "extras"), [(("engine", "tts_ui"), ["vllm"]), (("tests", "benchmarks"), ["dev"])])
def test_every_import_is_declared(roots: tuple[str, ...], extras: list[str]) -> None:
    lines = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    declared = {normal(Requirement(line).name) for line in lines}
    assert not {name for name in imported(*roots) if normal(name) not in declared}


def test_the_image_has_what_the_app_needs_and_no_tool() -> None:
    assert locked("requirements.lock") == closure(PROJECT["dependencies"] + EXTRAS["postgresql"])
    assert locked("requirements.lock").isdisjoint({"pytest", "mypy", "ruff", "playwright", "coverage"})
    assert "requirements-dev.lock" not in (ROOT / "Dockerfile").read_text(encoding="utf-8").rpartition("FROM ")[2]


def test_development_adds_its_tools_and_nothing_twice() -> None:
    assert locked("requirements-dev.lock") == closure(EXTRAS["dev"]) - locked("requirements.lock")


def loaded_by(code: str) -> set[str]:
    """The packages that are loaded once `code` has run in a process of its own."""
    script = f"{code}\nimport sys\nprint(*(name.partition('.')[0] for name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_the_front_door_opens_onto_one_room_at_a_time() -> None:
    heavy = {"torch", "transformers", "gradio", "sqlalchemy", "numpy"}
    assert loaded_by("from engine import RunParams; RunParams()").isdisjoint(heavy)
    assert loaded_by("from engine import Store") & heavy == {"sqlalchemy"}
    assert loaded_by("import engine, sys; assert not any(name.startswith('engine.') for name in sys.modules)")


def test_the_wheel_is_typed_and_whole(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(zipfile.ZipFile(wheel).namelist())
    assert {"engine/py.typed", "tts_ui/py.typed", "tts_ui/__main__.py"} <= held
    assert {
        path.relative_to(ROOT).as_posix() for room in ("engine", "tts_ui") for path in (ROOT / room).rglob("*.py")
    } <= held


def test_the_package_runs_as_a_module() -> None:
    run = [sys.executable, "-m", "tts_ui", "--version"]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.startswith("tts-ui ")
