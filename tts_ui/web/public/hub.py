"""Signing in with the account to which a Hugging Face Space belongs: OAuth 2 with PKCE, as a Space with
`hf_oauth: true` offers it. Nothing of the account is kept; the answer is whether it owns the Space.
"""

from __future__ import annotations

import base64
import hashlib
import os
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

import httpx

from tts_ui.loopback import is_loopback

#: Seconds that somebody may take to sign in there, and sign-ins that may be under way.
_WITHIN_S, _MOST = 600.0, 1000
_TIMEOUT_S = 15.0


class Refused(Exception):
    """The account is not the owner's, or the Hub did not say whose it is."""


@dataclass(frozen=True, slots=True)
class _Begun:
    visitor: str
    verifier: str
    until: float


class Hub:
    """Sign-ins at an OpenID provider.

    Args:
        provider: its address; the rest is found in its own description.
        owner: the name of the account or organisation that owns this server; of an organisation its admins do.
        back: the address to which the provider sends the browser back.
    """

    def __init__(
        self, provider: str, client: str, secret: str, owner: str, back: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._provider, self._client, self._secret = provider.rstrip("/"), client, secret
        self._owner, self._back, self._clock = owner.casefold(), back, clock
        self._begun: OrderedDict[str, _Begun] = OrderedDict()
        self._description: dict[str, str] = {}

    @classmethod
    def of_space(cls, environment: Mapping[str, str] = os.environ) -> Hub | None:
        """That of the Space in which this runs; None where it offers no sign-in."""
        names = ("OAUTH_CLIENT_ID", "OAUTH_CLIENT_SECRET", "SPACE_AUTHOR_NAME", "SPACE_HOST")
        client, secret, owner, host = (environment.get(name, "") for name in names)
        provider = environment.get("OPENID_PROVIDER_URL", "https://huggingface.co")
        if not (client and secret and owner and host and _trusted(provider)):
            return None
        scheme = "http" if is_loopback(urlsplit(f"//{host}").hostname or "") else "https"
        return cls(provider, client, secret, owner, f"{scheme}://{host}/rte/owner/back")

    async def begin(self, visitor: str) -> str:
        """Where the browser of this visitor signs in. Raises `Refused`."""
        state, verifier = secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        found = await self._described()
        self._begun[state] = _Begun(visitor, verifier, self._clock() + _WITHIN_S)
        while len(self._begun) > _MOST:
            self._begun.popitem(last=False)
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        asked = {
            "response_type": "code", "client_id": self._client, "redirect_uri": self._back, "scope": "openid profile",
            "state": state, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        return f"{found['authorization_endpoint']}?{urlencode(asked)}"

    async def finish(self, visitor: str, state: str, code: str) -> None:
        """Returns if whoever comes back, in the browser that went there, owns this server. Raises `Refused`."""
        begun = self._begun.pop(state, None)
        if begun is None or begun.visitor != visitor or not visitor or self._clock() > begun.until:
            raise Refused("this sign-in was not begun in this browser, or too long ago")
        found = await self._described()
        token = await self._asked(
            "POST", found["token_endpoint"], auth=(self._client, self._secret),
            data={"grant_type": "authorization_code", "code": code, "redirect_uri": self._back,
                  "code_verifier": begun.verifier},
        )  # fmt: skip
        bearer = {"authorization": f"Bearer {token.get('access_token', '')}"}
        user = await self._asked("GET", found["userinfo_endpoint"], headers=bearer)
        if not self._owns(user):
            raise Refused("this account does not own the Space")

    def _owns(self, user: Mapping[str, Any]) -> bool:
        orgs = user.get("orgs")
        admin_of = [
            org.get("preferred_username") for org in (orgs if isinstance(orgs, list) else [])
            if isinstance(org, dict) and org.get("roleInOrg") == "admin"
        ]  # fmt: skip
        return self._owner in [str(name).casefold() for name in (user.get("preferred_username"), *admin_of) if name]

    async def _described(self) -> dict[str, str]:
        """Where the provider is asked for what; it is asked once, as anybody may begin to sign in. Raises `Refused` for
        an address that is not safe to ask."""
        if self._description:
            return self._description
        found = await self._asked("GET", f"{self._provider}/.well-known/openid-configuration")
        names = ("authorization_endpoint", "token_endpoint", "userinfo_endpoint")
        if not all(isinstance(found.get(name), str) and _trusted(found[name]) for name in names):
            raise Refused("the provider's description cannot be used")
        self._description = {name: found[name] for name in names}
        return self._description

    async def _asked(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
                answer = await client.request(method, url, **more)
            document = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:
            raise Refused(f"the provider did not answer as it should: {type(error).__name__}") from error
        if not isinstance(document, dict):
            raise Refused("the provider did not answer as it should")
        return document


def _trusted(address: str) -> bool:
    """TLS, or this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
