"""The product's version, as it is recorded with each run."""

from functools import cache
from importlib.metadata import PackageNotFoundError, version


@cache
def product_version() -> str:
    """The installed distribution's version; "unknown" in a checkout that was never installed."""
    try:
        return version("tts-ui")
    except PackageNotFoundError:
        return "unknown"
