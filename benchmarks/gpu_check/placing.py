"""Loading checkpoints to a device and a dtype that the product would not choose for them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest.mock import patch

from engine.models.local.placement import Placement


def placed(device: str, dtype: str) -> AbstractContextManager[object]:
    """What is loaded meanwhile goes there. The product keeps small models on the CPU, in float32."""
    return patch("engine.models.local.checkpoint.place", lambda parameters: Placement(device, dtype, None))
