"""What all tests share: the built-in models, loaded once through the catalogue as the product loads them, and finished
searches of theirs in a real store."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from support.finished_runs import Finished, Solve

from engine.domains.builtin.known_answers import reference_answer
from engine.domains.maths.domain import Maths
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.domain import Domain
from engine.search.params import RunParams
from engine.search.tree import Tree
from engine.store import Store
from tts_ui.web.parts.lessons import showcase_problem

REFERENCE = reference_answer(showcase_problem())


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: Playwright keeps an event loop running in this thread, and asyncio allows only one."""
    items.sort(key=lambda item: "browser" in item.path.parts)


@pytest.fixture(scope="session")
def catalogue() -> Iterator[Catalogue]:
    loaded = Catalogue()
    yield loaded
    loaded.close()


@pytest.fixture(scope="session")
def models(catalogue: Catalogue) -> Models:
    """The built-in policy and PRM."""
    return catalogue.load()


@pytest.fixture(scope="session")
def maths() -> Iterator[Domain]:
    domain = Maths()
    yield domain
    domain.close()


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
