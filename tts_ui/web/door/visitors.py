"""Whose a run is: the visitor's who started it. On a server that others can reach, nobody else but the owner may change
it.

A visitor is a browser, known by a cookie that lasts a year (`identity`); the store keeps which runs a hash of its id
started, so that they are found again after days. Where a page has no cookies (some browsers give none to one in another
site's frame), the page itself is the visitor: its name is drawn by the browser and known to that page alone, and is
forgotten when the server ends.
"""

from __future__ import annotations

import sys
from collections import OrderedDict
from threading import Lock

import gradio as gr
from starlette.requests import Request

from engine.errors import InvalidInput, StoreError
from engine.store import Store
from tts_ui.web.door.identity import OWNER, VISITOR
from tts_ui.web.door.streams import Streams

#: What a page asks through Gradio, or of a route of our own.
Asking = gr.Request | Request

#: Runs whose visitor is remembered without the store, and runs of a visitor that are listed.
_REMEMBERED = 10_000
_PAGE = "page "


class Visitors:
    """Who started which run, and whose page takes its stream.

    Attributes:
        strict: others can reach the server, so it matters whose a run is, and what only the owner of the server should
            know is not told.
        samples: nothing is computed here; recorded searches are shown.
    """

    def __init__(self, *, strict: bool = False, store: Store | None = None, samples: bool = False) -> None:
        self.strict, self.samples, self.streams = strict, samples, Streams()
        self._store = store if strict else None
        self._of_run: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    @staticmethod
    def name(request: Asking) -> str:
        """The visitor who asks; empty for a request that no page sends through Gradio and that has no cookie."""
        session = getattr(request, "session_hash", None)
        return request.headers.get(VISITOR) or (f"{_PAGE}{session}" if session else "")

    @staticmethod
    def is_owner(request: Asking) -> bool:
        """Whether whoever asks has signed in as the owner of the server."""
        return bool(request.headers.get(OWNER))

    def started(self, request: Asking, *run_ids: str) -> None:
        """Remember who started these runs. Waits for the store: on an event loop, call it through a thread."""
        visitor = self.name(request)
        self._remember(visitor, *run_ids)
        if self._store:
            try:
                self._store.started("" if visitor.startswith(_PAGE) else visitor, run_ids)
            except StoreError as error:  # the run goes on, and is remembered until the server ends
                print(f"tts-ui: {error}", file=sys.stderr, flush=True)

    def may_list(self, request: Asking) -> frozenset[str] | None:
        """The runs, besides the examples, that this visitor may find without knowing their ids: his own, and
        on a server of samples all that no visitor started. None for all: for the owner, and on one's own machine."""
        if not self.strict or self.is_owner(request):
            return None
        if self.samples:
            return frozenset(self._store.started_by_nobody(_REMEMBERED) if self._store else ())
        return self.own(request)

    def sweeps(self, request: Asking) -> frozenset[str] | None:
        """The sweeps that may be seen, None for all: they are the owner's, who shows them on a server of samples."""
        return None if not self.strict or self.samples or self.is_owner(request) else frozenset()

    def own(self, request: Asking) -> frozenset[str]:
        """The runs that this visitor started, the newest 10,000 of them."""
        visitor = self.name(request)
        if not visitor:
            return frozenset()  # nobody has runs: those of strangers without a name are not one another's
        with self._lock:
            own = {run_id for run_id, starter in self._of_run.items() if starter == visitor}
        return frozenset(own.union(self._store.started_by(visitor, _REMEMBERED) if self._store else ()))

    def may_change(self, request: Asking, run_id: str) -> bool:
        """Whether this visitor may stop the run, or change anything about it. On one's own machine everybody may."""
        return not self.strict or self.is_owner(request) or self._starter(run_id) == (self.name(request) or None)

    def check(self, request: Asking, run_id: str) -> None:
        """Raise `InvalidInput` where `may_change` says no."""
        if not self.may_change(request, run_id):
            raise InvalidInput("run", "only the browser that started a run may stop or change it")

    def forget(self, visitor: str) -> None:
        """Forget which runs a visitor started; nobody but the owner may change them any more."""
        with self._lock:
            for run_id in [run_id for run_id, starter in self._of_run.items() if starter == visitor]:
                del self._of_run[run_id]
        if self._store:
            self._store.forget_visitor(visitor)

    def _starter(self, run_id: str) -> str:
        """Empty where it is not known."""
        with self._lock:
            remembered = self._of_run.get(run_id)
        if remembered is None and self._store and (remembered := self._store.starter(run_id)):
            self._remember(remembered, run_id)
        return remembered or ""

    def _remember(self, visitor: str, *run_ids: str) -> None:
        with self._lock:
            self._of_run |= dict.fromkeys(run_ids, visitor)
            while len(self._of_run) > _REMEMBERED:
                self._of_run.popitem(last=False)
