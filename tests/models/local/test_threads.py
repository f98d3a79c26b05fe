"""How many threads a model gets and how they wait for each other, both decided before torch could decide otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from engine.models.local.placement import SMALL, cpu_threads

#: Prints the variables of OpenMP as they are when torch is first asked for, and ends there.
AT_TORCH = """
import json, os, sys
class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "torch":
            print(json.dumps({k: v for k, v in os.environ.items() if k.startswith(("OMP_", "GOMP_", "KMP_"))}))
            sys.stdout.flush()
            os._exit(0)
sys.meta_path.insert(0, Watch())
"""
LIBRARY = "from engine.models.catalogue.catalogue import Catalogue; Catalogue().load()"
COMMAND_LINE = "from tts_ui.cli.main import main; main(['solve', 'Compute 1 + 1.', '--db', sys.argv[1]])"
SETTINGS = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY", "OMP_NUM_THREADS")


def variables(code: str, folder: Path, **set_by_user: str) -> dict[str, str]:
    environment = {name: value for name, value in os.environ.items() if name not in SETTINGS}
    command = [sys.executable, "-c", AT_TORCH + code, str(folder / "runs.db")]
    done = subprocess.run(
        command, env=environment | set_by_user, capture_output=True, text=True, timeout=120, check=True
    )
    found: dict[str, str] = json.loads(done.stdout)
    return found


@pytest.mark.parametrize("code", [LIBRARY, COMMAND_LINE], ids=["library", "command_line"])
def test_threads_wait_without_spinning_unless_the_user_says_otherwise(code: str, tmp_path: Path) -> None:
    assert variables(code, tmp_path) == {"OMP_WAIT_POLICY": "passive"}
    for said in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "1000"}, {"KMP_BLOCKTIME": "5"}):
        assert variables(code, tmp_path, **said) == said


def test_importing_the_engine_changes_nothing(tmp_path: Path) -> None:
    assert variables("import engine; from engine import RunParams; import torch", tmp_path) == {}


def test_a_model_gets_the_cores_there_are_or_the_threads_the_user_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert cpu_threads(SMALL) == len(os.sched_getaffinity(0))
    monkeypatch.setenv("OMP_NUM_THREADS", "3,2")
    assert cpu_threads(SMALL) == 3
    assert cpu_threads(SMALL - 1) == 1
    for useless in ("", "0", "many"):
        monkeypatch.setenv("OMP_NUM_THREADS", useless)
        assert cpu_threads(SMALL) == len(os.sched_getaffinity(0))
