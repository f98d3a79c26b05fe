"""A Hugging Face Space: its folder is what git has, its pins are the lock's, and it comes up as a Space starts it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from huggingface_hub import metadata_load
from packaging.version import Version
from support.places import ROOT
from support.project import PROJECT, closure, locked, normal
from support.waiting import until


def pins(name: str) -> dict[str, str]:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return {normal(line.partition("==")[0]): line.partition("==")[2] for line in lines if "==" in line}


def test_what_the_space_declares_is_what_the_lock_has() -> None:
    said = metadata_load(ROOT / "space" / "README.md")
    assert said
    assert said["sdk"] == "gradio" and said["sdk_version"] == pins("requirements.lock")["gradio"]
    assert said["license"] == str(PROJECT["license"]).lower()
    assert (ROOT / str(said["app_file"])).is_file()
    assert Version(str(said["python_version"])) >= Version(str(PROJECT["requires-python"]).removeprefix(">="))
    assert f"Programming Language :: Python :: {said['python_version']}" in PROJECT["classifiers"]
    assert len(str(said["short_description"])) <= 60  # the Hub takes no more


def test_its_requirements_are_the_locks_without_postgresql() -> None:
    wanted, lock = pins("space/requirements.txt"), pins("requirements.lock")
    asked = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["mcp"]]
    assert locked("space/requirements.txt") == closure(asked)
    assert {name: version.removesuffix("+cpu") for name, version in wanted.items()}.items() <= lock.items()
    assert wanted["torch"] == lock["torch"] + "+cpu"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make space` assembles."""
    made = tmp_path_factory.mktemp("space") / "folder"
    subprocess.run(["make", "--silent", "space", f"SPACE={made}"], cwd=ROOT, check=True, capture_output=True)
    return made


def test_its_folder_has_the_app_and_nothing_else(folder: Path) -> None:
    assert {path.name for path in folder.iterdir()} == {
        "LICENSE", "README.md", "app.py", "assets", "engine", "pyproject.toml", "requirements.txt", "tts_ui",
    }  # fmt: skip
    assert not list(folder.rglob("__pycache__"))
    assert (folder / "requirements.txt").read_bytes() == (ROOT / "space" / "requirements.txt").read_bytes()


def test_it_comes_up_as_a_space_starts_it(folder: Path, tmp_path: Path) -> None:
    log = tmp_path / "log"
    space = {"SPACE_ID": "someone/trees", "SPACE_HOST": "someone-trees.hf.space", "TTS_UI_DB": str(tmp_path / "r.db")}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "--port", "0"], cwd=folder, env=os.environ | space, stdout=output, stderr=output
        )
    try:
        until(lambda: process.poll() is not None or " on http" in log.read_text(), 120)
        found = re.search(r" on (http://\S+) \(for everybody", log.read_text())
        assert found, log.read_text()
        proxied = {"host": "someone-trees.hf.space", "x-forwarded-proto": "https"}
        page = httpx.get(found[1], headers=proxied, timeout=30)
        assert page.status_code == 200 and "Reasoning Tree Explorer" in page.text
        assert "https://huggingface.co" in page.headers["content-security-policy"]
        assert "Partitioned" in page.headers["set-cookie"]
        assert httpx.get(f"{found[1]}healthz", headers=proxied).json()["version"] == PROJECT["version"]
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=60)
