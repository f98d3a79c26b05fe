"""The Explore page: one problem, one search; its form."""

from tts_ui.web.explore.page import ExplorePage

__all__ = ["ExplorePage"]
