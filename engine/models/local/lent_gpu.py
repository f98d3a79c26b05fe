"""A GPU that is lent for the length of a call: a Hugging Face Space with ZeroGPU. Elsewhere nothing here does anything.

Such a Space has no GPU of its own. The package `spaces` runs a decorated function in a process that is forked for it
and has one; what goes in and comes out is pickled, and what the call leaves in memory is gone with it. So models are
loaded on the CPU, and a call takes its own to the GPU (`engine.models.policies.lent`).
"""

from __future__ import annotations

import os
from collections.abc import Callable
from importlib import import_module
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

#: Seconds that a call may take: rounds of long searches are well below, and shorter calls wait less for their turn.
_CALL_S = 60


def is_lent() -> bool:
    """Whether this is a Space that lends GPUs; it says so itself."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def on_lent_gpu(function: F) -> F:
    """Decorates a function of plain data that needs a GPU; it is returned as it is where none is lent."""
    if not is_lent():
        return function
    decorated: F = import_module("spaces").GPU(function, duration=_CALL_S)
    return decorated


def begin() -> None:
    """For the start of the process, before anything else imports torch: tell the Space that its GPU will be asked for.
    Gradio's `launch`, which we do not use, would do so; a Space where nobody does is stopped."""
    if is_lent():
        import_module("spaces")
        import_module("engine.models.policies.lent")
        import_module("spaces.zero").startup()
