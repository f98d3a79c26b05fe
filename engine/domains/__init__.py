"""What a problem is about: how answers are found in a text, graded and grouped, and the sets that come with it."""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType
from typing import Self

from engine.domains.maths.domain import Maths
from engine.errors import InvalidInput
from engine.search.domain import Domain

#: The domains by name, the default first. A new one is a class that fits `Domain`, and one line here.
DOMAINS: dict[str, Callable[[], Domain]] = {"maths": Maths}


class Domains:
    """The domains in use, each made when it is first asked for. Use it as a context manager, or `close` it."""

    def __init__(self) -> None:
        self._made: dict[str, Domain] = {}

    def __getitem__(self, name: str) -> Domain:
        """The domain of that name. Raises `InvalidInput` listing the known names."""
        if name not in self._made:
            if name not in DOMAINS:
                raise InvalidInput("domain", f"unknown domain {name!r}; choose one of {', '.join(DOMAINS)}")
            self._made[name] = DOMAINS[name]()
        return self._made[name]

    def close(self) -> None:
        """Stop what the domains have started. They may be used again."""
        for domain in self._made.values():
            domain.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: object, trace: TracebackType | None) -> None:
        self.close()
