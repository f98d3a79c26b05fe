"""The options of `tts-ui serve` that say how it is open to others, as a caller wrote them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from engine.errors import InvalidInput
from tts_ui.loopback import is_loopback

if TYPE_CHECKING:  # the command line's help needs no page
    from tts_ui.web.public.opening import Opening


def opening(
    host: str, db: str | None, *, public: bool, keep: str | None, secret: str | None, owner_token: str | None,
    examples_only: bool,
) -> Opening:  # fmt: skip
    """What was asked for. Raises `InvalidInput` before anything is opened; the secret is made if need be."""
    from engine.store.retention import span
    from tts_ui.web.door.keys import check_secret, secret_for
    from tts_ui.web.public.hub import Hub
    from tts_ui.web.public.opening import Opening

    keep_s = span(keep, "keep") if keep is not None else None
    check_secret("secret", secret)
    check_secret("owner_token", owner_token)
    strict = public or examples_only or not is_loopback(host)
    if examples_only and keep_s is not None:
        raise InvalidInput("keep", "a server of recorded searches keeps what it shows; leave it out")
    if strict and owner_token is None and Hub.of_space() is None:
        print("tts-ui: nobody can sign in as the owner; give TTS_UI_OWNER_TOKEN to be able to", file=sys.stderr)
    made = secret_for(db, secret) if strict else None
    return Opening(keep_s, owner_token, samples=examples_only, secret=made)
