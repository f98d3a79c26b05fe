"""What is installed is what is used: imports are declared, locks hold what the declared packages need, types ship."""

from __future__ import annotations

import ast
import importlib.metadata
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from support import image
from support.places import ROOT
from support.project import EXTRAS, PROJECT, closure, locked, normal

OURS = {"engine", "tts_ui", "benchmarks", "tests", "support"}
#: Any connection but to this machine, and any question for a name, is noted and refused. With arguments it is `tts-ui`;
#: without, the app is served and its first page asked for.
NO_NETWORK = """
import json, socket, sys
outbound = []
connect, getaddrinfo = socket.socket.connect, socket.getaddrinfo
LOCAL = {"127.0.0.1", "::1", "localhost"}
def refuse(host):
    if host not in LOCAL:
        outbound.append(str(host))
        raise OSError(f"no network: {host}")
def connecting(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6):
        refuse(address[0])
    return connect(self, address)
def resolving(host, *rest, **named):
    refuse(host)
    return getaddrinfo(host, *rest, **named)
socket.socket.connect, socket.getaddrinfo = connecting, resolving
from tts_ui.cli.main import main
if sys.argv[1:]:
    main(sys.argv[1:])
import httpx
import engine
from engine import Host, Store
from tts_ui.web.app import launch
with Store.open() as store:
    host = Host(store)
    host.catalogue.load()
    served = launch(host)
    status = httpx.get(served.url, trust_env=False).status_code
    served.close()
    host.close()
print(json.dumps({"status": status, "from": engine.__file__.partition("/lib/")[0], "outbound": outbound}))
"""


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


@pytest.mark.parametrize(
    ("roots", "extras"), [(("engine", "tts_ui"), ["vllm", "ray", "mcp"]), (("tests", "benchmarks"), ["dev"])]
)
def test_every_import_is_declared(roots: tuple[str, ...], extras: list[str]) -> None:
    lines = PROJECT["dependencies"] + [line for extra in extras for line in EXTRAS[extra]]
    declared = {normal(Requirement(line).name) for line in lines}
    brought_by = importlib.metadata.packages_distributions()  # PIL is imported, pillow is installed
    missing = {name for name in imported(*roots) if declared.isdisjoint(map(normal, brought_by.get(name, [name])))}
    assert not missing


def test_the_image_has_what_the_app_needs_and_no_tool() -> None:
    assert locked("requirements.lock") == closure(PROJECT["dependencies"] + EXTRAS["postgresql"] + EXTRAS["mcp"])
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


def test_what_is_built_from_the_sdist_runs_with_no_network(tmp_path: Path) -> None:
    """The wheel of the sdist, in an environment that has what it depends on: a search, and pages that are served."""
    build = [sys.executable, "-m", "hatchling", "build", "--target", "sdist", "--directory", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, capture_output=True, check=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    programs = image.environment_without_us(tmp_path / "venv")
    offline = image.offline(programs) | {"TTS_UI_DB": str(tmp_path / "runs.db")}
    install: list[str | Path] = [programs / "pip", "install", "--no-build-isolation", str(sdist)]
    subprocess.run(install, cwd=tmp_path, env=offline, capture_output=True, check=True)
    script = tmp_path / "no_network.py"
    script.write_text(NO_NETWORK)
    solve: list[str | Path] = [programs / "python", script, "solve", "Compute 18 * 19.", "--answer", "342"]
    solved = subprocess.run(solve, cwd=tmp_path, env=offline, capture_output=True, text=True, check=True)
    assert "342" in solved.stdout
    served = subprocess.run([programs / "python", script], cwd=tmp_path, env=offline, capture_output=True, text=True)
    assert served.returncode == 0, served.stderr
    assert json.loads(served.stdout.splitlines()[-1]) == {"status": 200, "from": str(tmp_path / "venv"), "outbound": []}


def test_the_package_runs_as_a_module() -> None:
    run = [sys.executable, "-m", "tts_ui", "--version"]
    assert subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout.startswith("tts-ui ")
