"""The Compare page under test: the app behind it, and what a person does and sees there."""

from __future__ import annotations

from typing import Any

from support.explore_page import PROBLEM, OpenPage

from engine.domains.builtin.problems import examples
from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.search.tree import Node, Tree

PATIENCE_MS = 60_000


class Comparisons:
    """The product, and the runs that a test wants in its store."""

    def __init__(self, host: Host, url: str) -> None:
        self.host, self.url = host, url.rstrip("/")
        self._solved: dict[tuple[object, ...], str] = {}

    def solved(self, strategy: str, **params: Any) -> str:
        """A finished run; its id. Asked for twice it is made once."""
        key = (strategy, *sorted(params.items()))
        if key not in self._solved:
            running = self.host.submit(Question(PROBLEM, examples()[0].answer), RunParams(strategy, n=8, **params))
            running.future.result(timeout=300)
            self.host.store.flush(running.id)
            self._solved[key] = running.id
        return self._solved[key]

    def three(self) -> list[str]:
        return [self.solved(strategy) for strategy in ("best_of_n", "beam_search", "majority_vote")]

    def tree(self, run_id: str) -> Tree:
        return self.host.store.tree(run_id)


def tree(place: str) -> str:
    return f"#tree-{place} .search-tree"


def wait_for(page: Any, place: str, **state: object) -> None:
    """Waits until the attributes of this tree say this."""
    wanted = "".join(f'[data-{name}="{value}"]' for name, value in state.items())
    page.wait_for_selector(tree(place) + wanted)


def choose(page: Any, place: str, title: str) -> None:
    page.click(f"#strategy-{place} input")
    page.get_by_role("option", name=title).click()
    page.wait_for_function(
        "([place, title]) => document.querySelector(`#strategy-${place} input`).value === title", arg=[place, title]
    )
    page.wait_for_selector("[role=option]", state="detached")


def click_node(page: Any, place: str, node: int) -> None:
    page.locator(tree(place)).scroll_into_view_if_needed()
    spot = page.evaluate("([tree, id]) => document.querySelector(tree).searchTree.position(id)", [tree(place), node])
    page.mouse.click(spot["x"], spot["y"])
    wait_for(page, place, selected=node)


def opened(compare: OpenPage, app: Comparisons, ids: list[str], more: str = "", **options: Any) -> Any:
    """The page with these finished runs on it."""
    page = compare(f"?runs={','.join(ids)}{more}", **options)
    for place, run_id in zip("abcd", ids, strict=False):
        wait_for(page, place, run=run_id, status="done", nodes=len(app.tree(run_id)))
    return page


def path_of(tree: Tree, node: Node) -> list[str]:
    return [" ".join(step.text.split()) for step in tree.path(node)]


def counterpart(there: Tree, wanted: list[str]) -> Node | None:
    return next((node for node in there.nodes[1:] if path_of(there, node) == wanted), None)
