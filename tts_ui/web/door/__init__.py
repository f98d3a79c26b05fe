"""What stands between the network and the pages: who may ask for what, from where, and whose a run is."""

from tts_ui.web.door.functions import computes
from tts_ui.web.door.gradio_app import Look, serve_behind_door
from tts_ui.web.door.health import health_route
from tts_ui.web.door.server import Served
from tts_ui.web.door.visitors import Visitors

__all__ = ["Look", "Served", "Visitors", "computes", "health_route", "serve_behind_door"]
