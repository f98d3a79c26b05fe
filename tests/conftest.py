"""What all tests share: the built-in models, loaded once through the catalogue as the product loads them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.domains.maths.domain import Maths
from engine.models.catalogue.catalogue import Catalogue, Models
from engine.search.domain import Domain


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
