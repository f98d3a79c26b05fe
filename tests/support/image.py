"""The Dockerfile without a container engine: its commands in a virtual environment, its server in a read-only one."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.places import ROOT


@dataclass(frozen=True)
class Instruction:
    word: str
    rest: str


def instructions() -> Iterator[Instruction]:
    """The Dockerfile's instructions, their continued lines joined."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.M)
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.strip():
            word, rest = line.split(maxsplit=1)
            yield Instruction(word, rest.strip())


def commands() -> list[str]:
    """What its RUN instructions run, without the options of the engine."""
    runs = [each.rest for each in instructions() if each.word == "RUN"]
    return [re.sub(r"^(--\S+\s+)+", "", run) for run in runs]


def environment() -> dict[str, str]:
    """What its ENV instruction sets."""
    pairs = [pair for each in instructions() if each.word == "ENV" for pair in shlex.split(each.rest)]
    return dict(pair.split("=", 1) for pair in pairs)


def context(folder: Path) -> None:
    """Copy what `.dockerignore` lets through of what git has."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    let_through = [line[1:] for line in lines if line.startswith("!")]
    tracked = subprocess.run(["git", "ls-files", "-z", *let_through], cwd=ROOT, capture_output=True, check=True)
    for name in tracked.stdout.decode().split("\0")[:-1]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)


def environment_without_us(folder: Path) -> Path:
    """A virtual environment with all that is installed here but ourselves, so that pip has nothing to fetch."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    site = next(folder.glob("lib/python*/site-packages"))
    for path in Path(sysconfig.get_path("purelib")).iterdir():
        if not re.match(r"(tts_ui|_tts_ui|_editable_impl_tts_ui|__editable__)", path.name):
            (site / path.name).symlink_to(path)
    pip = folder / "bin" / "pip"
    pip.write_text('#!/bin/sh\nexec "$(dirname "$0")/python" -m pip "$@"\n')
    pip.chmod(0o755)
    return folder / "bin"


def offline(programs: Path) -> dict[str, str]:
    """The variables of commands in that environment: what they install is here already, so pip may ask nobody, and a
    lock that names anything else fails."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return kept | {"PATH": f"{programs}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}


#: Everything that is mounted becomes read-only; /tmp and the folder of data are fresh and writable; what only root may
#: enter on this machine (its Python, say) is shown at its place. The command runs as user 1000 without a privilege.
_SANDBOX = """
set -eu
mount --make-rprivate /
number=0
for path in $SHOWN; do
  number=$((number + 1)); mkdir -p "$HOLD/$number"; mount --bind "$path" "$HOLD/$number"
done
for path in $HIDDEN; do mount -t tmpfs -o mode=755 covered "$path"; done
number=0
for path in $SHOWN; do
  number=$((number + 1)); mkdir -p "$path"; mount --move "$HOLD/$number" "$path"
done
awk '$2 !~ "^/(proc|sys|dev)(/|$)" { print $2 }' /proc/self/mounts | while read -r path; do
  mount -o remount,bind,ro "$path"
done
mount -t tmpfs -o mode=1777 tmp /tmp
mount -t tmpfs -o mode=700,uid=1000,gid=1000 data "$DATA"
cd "$DATA"
exec setpriv --reuid 1000 --regid 1000 --clear-groups --no-new-privs --bounding-set=-all "$@"
"""


def read_only(*command: str) -> list[str]:
    """`command` as a container runs it with `--read-only --user 1000`. For root, with `read_only_environment`."""
    return ["unshare", "--mount", "sh", "-c", _SANDBOX, "sh", *command]


def read_only_environment(folder: Path) -> dict[str, str]:
    """The variables of that; `folder / "data"` is the image's volume."""
    data, hold = folder / "data", folder / "hold"
    data.mkdir(exist_ok=True)
    hold.mkdir(exist_ok=True)
    needed = [Path(sys.base_prefix), Path(sysconfig.get_path("purelib"))]
    hidden = {top: path for path in needed if (top := _closed_to_others(path))}
    return {
        "PATH": os.environ["PATH"], "DATA": str(data), "HOLD": str(hold),
        "SHOWN": " ".join(str(path) for path in needed if _closed_to_others(path)),
        "HIDDEN": " ".join(map(str, hidden)),
        **{name: value.replace("/data", str(data)) for name, value in environment().items()},
    }  # fmt: skip


def _closed_to_others(path: Path) -> Path | None:
    """The first folder on the way to `path` that only its owner may enter."""
    return next((each for each in reversed((path, *path.parents)) if not each.stat().st_mode & 0o001), None)
