"""Finished searches of the built-in models in a real store: one of each kind that the page's parts are tested with."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from support.finished_runs import Finished, Solve

from engine.domains.builtin.known_answers import reference_answer
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import Store
from tts_ui.web.lessons import showcase_problem

REFERENCE = reference_answer(showcase_problem())


@pytest.fixture(scope="session")
def solved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Solve]:
    """`solved("mcts", n=8)`: a finished run; asked for twice it is made once."""
    with Store.open(str(tmp_path_factory.mktemp("ui") / "runs.db")) as store:
        host = Host(store)

        @cache
        def solve(strategy: str, reference: str | None = REFERENCE, **params: Any) -> Finished:
            running = host.submit(Question(showcase_problem(), reference), RunParams(strategy, **params))
            running.future.result(timeout=300)
            store.flush(running.id)
            record, events = store.read(running.id)
            return Finished(record, events, Tree.from_events(events))

        yield solve
        host.close()
