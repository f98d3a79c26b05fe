"""The Explore page under test: the app behind it, and what a person does and sees there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.domains.builtin.problems import examples
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.events import Event, RunStarted, Usage
from engine.search.params import RunParams

TREE = "#tree .search-tree"
PROBLEM = examples()[0].text
LONG = {"strategy": "Best of N", "n": "512"}  # long enough to be stopped, watched and left
PATIENCE_MS = 30_000
FOUR_FRAMES = """new Promise(done => {
  let frames = 4;
  const next = () => frames-- ? requestAnimationFrame(next) : done();
  next();
})"""

OpenPage = Callable[..., Any]


class App:
    """The product, and the runs that a test wants in its store."""

    def __init__(self, host: Host, url: str) -> None:
        self.host, self.url = host, url.rstrip("/")

    def solved(self, **params: Any) -> str:
        """A finished run; its id."""
        running = self.host.submit(Question(PROBLEM, examples()[0].answer), RunParams(**{"n": 8, "width": 4} | params))
        running.future.result(timeout=60)
        self.host.store.flush(running.id)
        return running.id

    def recorded(self, events: list[Event]) -> str:
        """A run written straight into the store; its id."""
        first = events[0]
        assert isinstance(first, RunStarted)
        self.host.store.record(events, Usage(generated_tokens=1240, flops_all=9e8, wall_s=0.4), first.run_id)
        self.host.store.flush(first.run_id)
        return first.run_id

    def runs(self) -> int:
        return len(self.host.store.runs(limit=1000))


def wait_for(page: Any, **state: object) -> None:
    """Waits until the tree's data attributes say this."""
    page.wait_for_selector(
        TREE + "".join(f'[data-{name}="{value}"]' for name, value in state.items()), timeout=PATIENCE_MS
    )


def wait_for_text(page: Any, selector: str, text: str) -> None:
    page.wait_for_function(
        "([selector, text]) => document.querySelector(selector)?.innerText.includes(text)", arg=[selector, text]
    )


def choose_strategy(page: Any, title: str) -> None:
    page.click("#strategy input")
    page.get_by_role("option", name=title).click()
    page.wait_for_function("title => document.querySelector('#strategy input').value === title", arg=title)


def fill(page: Any, field: str, value: str) -> None:
    """Types into a field. What an accordion holds is made when it is opened, and a few frames later Gradio sets it to
    its first value again: no person is as fast as that, a test is."""
    box = page.locator(f"#{field} textarea, #{field} input").first
    for _ in range(10):
        box.fill(value)
        box.blur()
        page.evaluate(FOUR_FRAMES)
        if box.input_value() == value:
            return
    raise AssertionError(f"{field} does not keep {value!r}")


def start(page: Any, *, strategy: str | None = None, **numbers: str) -> None:
    if strategy:
        choose_strategy(page, strategy)
    for field, value in numbers.items():
        fill(page, field, value)
    before = attribute(page, "run")
    page.click("#run")
    page.wait_for_function(
        f"before => document.querySelector('{TREE}').dataset.run !== before", arg=before, timeout=PATIENCE_MS
    )


def attribute(page: Any, name: str) -> str:
    return str(page.get_attribute(TREE, f"data-{name}"))


def click_node(page: Any, node: int) -> None:
    spot = page.evaluate(f"id => document.querySelector('{TREE}').searchTree.position(id)", node)
    page.mouse.click(spot["x"], spot["y"])
    wait_for(page, selected=node)


def begins_to_grow(page: Any) -> int:
    """Waits for the first steps of a running search; how many nodes there are."""
    page.wait_for_selector(f"{TREE}[data-status=running]:not([data-nodes='1'])", timeout=PATIENCE_MS)
    return int(attribute(page, "nodes"))


def grows_beyond(page: Any, nodes: int) -> None:
    grown = f"nodes => Number(document.querySelector('{TREE}').dataset.nodes) > nodes"
    page.wait_for_function(grown, arg=nodes, timeout=PATIENCE_MS)


def is_at_rest(page: Any) -> None:
    """The run button is ready and stop has nothing to stop."""
    page.wait_for_selector("#run:not([disabled])", timeout=PATIENCE_MS)
    page.wait_for_selector("#stop[disabled]", timeout=PATIENCE_MS)


def no_horizontal_scroll(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
