"""The Scaling page: what sweeps measured, as curves, bars and tables, and the way from each number to its trees."""

from tts_ui.web.scaling.desk import ScalingDesk
from tts_ui.web.scaling.page import build

__all__ = ["ScalingDesk", "build"]
