"""How the door says no: in one line, and in the shape that whoever asks can read."""

from __future__ import annotations

from typing import Any

from starlette.responses import JSONResponse

from tts_ui.web.door.bodies import Refused

#: Where clients of the OpenAI API ask.
_OPENAI = "/v1"
#: What such a client finds beside the message, by status.
_CODES = {
    403: "forbidden", 404: "not_found", 405: "method_not_allowed", 408: "request_timeout", 413: "request_too_large",
    415: "unsupported_media_type", 421: "unknown_host", 429: "rate_limit_exceeded", 503: "overloaded",
}  # fmt: skip


def refusal(path: str, refused: Refused) -> JSONResponse:
    """The answer to a request for `path`; what else its connection brings is not read."""
    told = _of_openai(refused) if f"{path}/".startswith(f"{_OPENAI}/") else {"detail": refused.reason}
    return JSONResponse(told, refused.status, headers={"connection": "close"})


def openai_error(message: str, kind: str, code: str | None, param: str | None = None) -> dict[str, Any]:
    """An error as clients of the OpenAI API expect one; `param` names what is wrong in their request."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _of_openai(refused: Refused) -> dict[str, Any]:
    kind = "rate_limit_error" if refused.status == 429 else "invalid_request_error"
    return openai_error(
        refused.reason, "server_error" if refused.status >= 500 else kind, _CODES.get(refused.status, "invalid_request")
    )
