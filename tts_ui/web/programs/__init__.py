"""What programs may ask, whichever way they come: the same six tools as named endpoints, through MCP, and the search
alone as an OpenAI-compatible server."""

from tts_ui.web.programs.desk import Desk
from tts_ui.web.programs.endpoints import named_endpoints
from tts_ui.web.programs.routes import program_routes

__all__ = ["Desk", "named_endpoints", "program_routes"]
