"""What a page may send: one small JSON document of a known shape, in reasonable time.

A form is a list of texts, numbers and ticks. Gradio takes more (files by path or address, which it would fetch; calls
with a format of their own), and nothing here needs that.
"""

from __future__ import annotations

import asyncio
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, StrictStr, ValidationError
from starlette.types import Message, Receive, Scope

#: Bytes of a request. The longest form with a problem of 10,000 characters stays below the smaller.
STRICT_LIMIT, OWN_LIMIT = 64 * 1024, 1024 * 1024
#: Seconds in which a request must have come.
_COMES_WITHIN_S = 20.0

SESSION = r"[A-Za-z0-9-]{4,40}"  # a page draws letters and digits, gradio_client a UUID
Session = Annotated[str, Field(pattern=f"^{SESSION}$")]
_Value = StrictBool | StrictInt | StrictFloat | StrictStr | None


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


#: Of each run that is on the page.
_ByRun = Annotated[dict[Annotated[str, Field(max_length=200)], int | None], Field(max_length=16)]


#: Whose scores a tree shows, and whose they are compared with.
_Judges = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=2)]


class Moments(_Closed):
    """Which moments of their searches the trees show, and whose scores (`rejudged`: others' than before); when the page
    asked, in its own milliseconds (see `parts.moments.newest`)."""

    moments: _ByRun
    judges: _Judges | None = None
    rejudged: bool = False
    asked: float | None = None


class Selection(Moments):
    """A step that was selected in a tree, and what that means in the trees beside it."""

    index: int
    value: int
    selected: bool
    linked: _ByRun


class _Asked(_Closed):
    """Steps of a run whose whole texts a tree wants."""

    run: Annotated[str, Field(max_length=200)]
    ids: Annotated[list[int], Field(max_length=100)]


class _Rated(_Closed):
    """What a person says of steps of a tree: a rating each, or nothing any more."""

    run: Annotated[str, Field(max_length=200)]
    labeller: Annotated[str, Field(max_length=200)]
    ratings: Annotated[list[tuple[int, Literal[-1, 0, 1] | None]], Field(min_length=1, max_length=1000)]
    node: int


class Call(_Closed):
    """A page asks one of its functions."""

    data: Annotated[list[_Value], Field(max_length=64)]
    fn_index: int
    session_hash: Session
    event_data: Selection | _Asked | _Rated | Moments | None = None
    trigger_id: int | None = None


class Change(_Closed):
    """The page of runs asks to keep something with runs, to delete them, or to bring them back."""

    do: Literal["describe", "delete", "restore"]
    runs: Annotated[list[Annotated[str, Field(max_length=128)]], Field(min_length=1, max_length=200)]
    tags: Annotated[str, Field(max_length=2_000)] = ""
    note: Annotated[str, Field(max_length=10_000)] = ""


class Worked(_Closed):
    """The lab asks for the scores of a solution, or for what they would cost."""

    problem: Annotated[str, Field(max_length=1_000_000)]
    steps: Annotated[list[Annotated[str, Field(max_length=1_000_000)]], Field(max_length=400)]
    judges: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=16)]


class Swept(_Closed):
    """The page of curves asks for a sweep, or for what it would cost."""

    problems: Annotated[str, Field(max_length=100)]
    limit: Annotated[int, Field(ge=1, le=10_000)]
    models: Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=8)]
    strategies: Annotated[list[Annotated[str, Field(max_length=60)]], Field(max_length=32)]
    n: Annotated[list[Annotated[int, Field(ge=1, le=4096)]], Field(max_length=12)]
    seeds: Annotated[int, Field(ge=1, le=100)]


class Halt(_Closed):
    """It asks that a sweep be stopped."""

    sweep: Annotated[str, Field(max_length=200)]


class SignIn(_Closed):
    """Somebody says that he is the owner."""

    token: Annotated[str, Field(max_length=1_000)]


class Order(_Closed):
    """The owner asks for something: to stop or delete a run, to close or open the server for new ones, or another
    ceiling."""

    do: Literal["stop", "delete", "pause", "limit", "sign out"]
    run: Annotated[str, Field(max_length=128)] = ""
    paused: bool = False
    limit: Annotated[str, Field(max_length=60)] = ""
    value: Annotated[int, Field(ge=0, le=10**12)] | None = None


class Mine(_Closed):
    """A visitor asks to be forgotten, or that his runs be deleted."""

    do: Literal["forget", "delete"]


class Reset(_Closed):
    """What follows a `Cancel`; it does nothing."""

    event_id: Annotated[str, Field(pattern="^[0-9a-f]{32}$")]


class Cancel(Reset):
    """A page no longer wants what it asked for."""

    session_hash: Session
    fn_index: int


class Refused(Exception):
    """A request that is not answered: the status, and one line that says why."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status, self.reason = status, reason


async def body_of(scope: Scope, receive: Receive, limit: int) -> bytes:
    """The whole body. Raises `Refused` if it is longer than `limit` bytes, slow, of another type, or broken off."""
    headers = dict(scope["headers"])
    if headers.get(b"content-type", b"").split(b";")[0].strip().lower() != b"application/json":
        raise Refused(415, "send JSON")
    try:
        length = int(headers.get(b"content-length", b"0"))
    except ValueError:
        raise Refused(400, "the length is no number") from None
    if length > limit:
        raise Refused(413, f"the request is longer than {limit} bytes")
    body = bytearray()
    try:
        async with asyncio.timeout(_COMES_WITHIN_S):
            more = True
            while more:
                message = await receive()
                if message["type"] != "http.request":
                    raise Refused(400, "the request broke off")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > limit:
                    raise Refused(413, f"the request is longer than {limit} bytes")
    except TimeoutError:
        raise Refused(408, "the request did not come in time") from None
    return bytes(body)


Shape = TypeVar("Shape", bound=BaseModel)


def read(shape: type[Shape], body: bytes) -> Shape:
    """The document in `body`. Raises `Refused`."""
    try:
        return shape.model_validate_json(body)
    except ValidationError as error:
        where = ".".join(map(str, error.errors()[0]["loc"][:2]))[:60] or "document"
        raise Refused(400, f"not what a page sends: {where}") from None


def again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives `body` once more, and then what comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
