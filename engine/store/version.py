"""The product's version, as it is recorded with each run."""

import tomllib
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROJECT = Path(__file__).resolve().parents[2] / "pyproject.toml"


@cache
def product_version() -> str:
    """The installed distribution's version; in a folder that was never installed, as in a Space, what its
    `pyproject.toml` says, and "unknown" where there is none."""
    try:
        return version("tts-ui")
    except PackageNotFoundError:
        if not _PROJECT.is_file():
            return "unknown"
        return str(tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"])
