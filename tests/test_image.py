"""The image, as far as it can be tried without a container engine: its Dockerfile is linted, its commands run, its
server answers as user 1000 where nothing but two folders can be written, and its health check sees it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support import image
from support.places import ROOT
from support.project import PROJECT
from support.visitor import visiting
from support.waiting import until

HADOLINT = Path(sys.executable).with_name("hadolint")


def test_the_dockerfile_is_what_hadolint_likes() -> None:
    linted = subprocess.run([HADOLINT, "Dockerfile"], cwd=ROOT, capture_output=True, text=True)
    assert linted.returncode == 0, linted.stdout


def test_the_image_says_what_it_is() -> None:
    said = {each.word: each.rest for each in image.instructions()}
    assert f'VERSION="{PROJECT["version"]}"' in [each.rest for each in image.instructions() if each.word == "ARG"]
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in said["LABEL"]
    assert said["USER"] == "1000" and "--uid 1000 " in image.commands()[-1]
    written = {"HOME", "TTS_UI_DB", "HF_HOME"}
    assert all(image.environment()[name].startswith(said["VOLUME"]) for name in written)


@pytest.fixture(scope="module")
def built() -> Iterator[Path]:
    """A folder with the image's `bin`, made by the commands of the Dockerfile from the files that it is given.

    Everybody may enter it, unlike pytest's own folders.
    """
    folder = Path(tempfile.mkdtemp(prefix="tts-image-", dir="/var/tmp"))
    folder.chmod(0o755)
    try:
        build, final = folder / "build", folder / "final"
        image.context(build)
        programs = image.environment_without_us(folder / "venv")
        offline = image.offline(programs)
        wheel, packages, ours, _user = image.commands()
        subprocess.run(["sh", "-ec", wheel], cwd=build, env=offline, check=True, capture_output=True)
        final.mkdir()
        shutil.copy(build / "requirements.lock", final)
        (build / "dist").rename(final / "dist")
        for command in (packages, ours):
            subprocess.run(["sh", "-ec", command], cwd=final, env=offline, check=True, capture_output=True)
        yield folder
    finally:
        shutil.rmtree(folder)


def test_the_commands_of_the_dockerfile_install_the_app(built: Path) -> None:
    programs = built / "venv" / "bin"
    asked: dict[str, Any] = {
        "cwd": "/",
        "env": image.offline(programs),
        "capture_output": True,
        "text": True,
    }
    said = subprocess.run([programs / "tts-ui", "--version"], **asked, check=True)
    assert said.stdout == f"tts-ui {PROJECT['version']}\n"
    where: list[str | Path] = [
        programs / "python",
        "-c",
        "import engine, tts_ui.cli; print(engine.__file__, tts_ui.cli.__file__)",
    ]
    for path in subprocess.run(where, **asked, check=True).stdout.split():
        assert Path(path).is_relative_to(built)


@pytest.mark.skipif(os.geteuid() != 0 or not shutil.which("setpriv"), reason="only root makes all read-only")
def test_it_serves_as_user_1000_with_two_folders_to_write_to(built: Path) -> None:
    serve = next(each.rest for each in reversed(list(image.instructions())) if each.word == "CMD")
    command = re.findall(r'"([^"]+)"', serve)
    command[0], command[command.index("7860")] = str(built / "venv" / "bin" / "tts-ui"), "0"
    log = built / "log"
    with log.open("w") as output:
        process = subprocess.Popen(
            image.read_only(*command), env=image.read_only_environment(built), stdout=output, stderr=output
        )
    try:
        until(lambda: process.poll() is not None or " on http" in log.read_text(), 120)
        found = re.search(r" on (http://\S+) \(for everybody", log.read_text())
        assert found, log.read_text()
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(r"^Uid:\t1000\t1000\t", status, re.M) and re.search(r"^CapEff:\t0+$", status, re.M)
        with visiting(found[1], "container") as page:
            stream = page.start(n=4)
            stream.ends()
        assert "342" in stream.said
        _check_health(built, found[1], 0)
    finally:
        process.terminate()
        process.wait(timeout=60)
    _check_health(built, found[1], 1)
    assert "Traceback" not in log.read_text() and "rror" not in log.read_text(), log.read_text()


def _check_health(built: Path, url: str, code: int) -> None:
    """Run the HEALTHCHECK against this address."""
    check = next(each.rest for each in image.instructions() if each.word == "HEALTHCHECK")
    program = re.findall(r'"([^"]+)"', check)[-1].replace("http://127.0.0.1:7860/", url)
    python = built / "venv" / "bin" / "python"
    assert subprocess.run([python, "-c", program], stderr=subprocess.DEVNULL).returncode == code
