"""The lab: what judges believe about recorded trees, and when they are wrong."""

from tts_ui.web.lab.page import LabPage

__all__ = ["LabPage"]
