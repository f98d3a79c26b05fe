"""The Runs page: every run and comparison, to be found, kept in order, compared and opened."""

from tts_ui.web.runs.desk import Desk
from tts_ui.web.runs.page import build

__all__ = ["Desk", "build"]
