"""The lessons: predict, run, see the effect over many problems. Words, figures and recorded runs are data beside it."""

from tts_ui.web.learn.desk import LearnDesk
from tts_ui.web.learn.page import LearnPage

__all__ = ["LearnDesk", "LearnPage"]
