"""The Compare page: several strategies on one problem, their trees side by side, and what each of them spent."""

from tts_ui.web.compare.page import ComparePage

__all__ = ["ComparePage"]
