"""The product in a made-up language, in which every text of the interface stands in brackets: what a page shows outside
of them was forgotten."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from support.explore_page import PATIENCE_MS, TREE, App, click_node
from support.other_language import left_out, outside, spoken
from support.small_sweep import swept

from engine.domains.builtin.problems import examples
from engine.domains.builtin.sets import SETS
from engine.models.catalogue.catalogue import Catalogue
from engine.runs.host import Host
from engine.runs.lab.solutions import RESPONSES
from engine.runs.limits import LIMITS, Limits
from engine.runs.teaching import TEACHING
from engine.search.params import PARAMETERS
from engine.search.selection import RULES
from engine.search.strategies import STRATEGIES
from engine.store import Store
from tts_ui.web.app import launch
from tts_ui.web.learn.document import document
from tts_ui.web.public.opening import Opening
from tts_ui.words import parameters
from tts_ui.words.interface import NAME
from tts_ui.words.texts import short, without_number

#: What is left out, and why. docs/translating.md says which sentences stay English.
DATA = [
    "math, .katex, code, kbd, pre, textarea",  # formulas, keys, commands and what people wrote
    ".st-plot, .st-text, .st-tip-text, #detail-text",  # steps
    ".fair, .scaling-ties, .scaling-compared > p",  # sentences that depend on more than a number
    "#stopped",
]

FORMATS = ("CSV", "SVG", "PNG", "JSON", "HTML", "GraphML")
#: What rules for a whole solution and a sweep of the tests are called; these are words that texts have, too.
MEASURED = (*RESPONSES, "small")


@dataclass(frozen=True)
class Told:
    """A server, and what was searched there."""

    app: App
    runs: tuple[str, str]
    sweep: str
    names: frozenset[str]

    def left(self, page: Any, data: Sequence[str] = (), texts: Collection[str] = ()) -> list[str]:
        """`data`: what is left out, too; `texts`: what may stand alone, besides the names of what was measured."""
        return left_out(page, [*DATA, *data], self.names | written(self.app.host.store), {*MEASURED, *texts})


def engine_texts() -> Iterator[str | None]:
    """What the engine declares, for the command line's help, too: parameters, limits, strategies, rules, examples."""
    for each in PARAMETERS.values():
        yield from (each.label, each.help, each.hint, each.short, each.fact, each.unit, each.kind, each.unset)
        yield from map(str, each.choices)
    for limit in LIMITS.values():
        yield from (limit.label, limit.help, limit.unset)
    for strategy in STRATEGIES.values():
        yield from (strategy.name, strategy.title)
    for rule in RULES:
        yield from (rule, parameters.words(rule))
    for lesson in TEACHING:
        yield from (lesson.title, lesson.teaches)


def models(catalogue: Catalogue) -> Iterator[str | None]:
    """What the catalogue calls its models, and notes of its judges."""
    for pair in catalogue.pairs.values():
        yield from (pair.name, pair.title, pair.policy.label)
    for judge in catalogue.scorers.values():
        yield from (judge.label, judge.title, judge.note)


def written(store: Store) -> frozenset[str]:
    """What models and people wrote into the store's runs, as pages show it: problems, steps, names of models."""
    store.flush()
    choices = store.choices()
    texts = set[str]((*choices.models, *choices.judges))
    for record in store.runs(limit=1000):
        texts |= steps_of(store, record.id) | {record.problem, short(record.problem, 60)}
    return frozenset(" ".join(text.split()) for text in texts if text.strip())


_STEPS = dict[str, frozenset[str]]()


def steps_of(store: Store, run_id: str) -> frozenset[str]:
    """The texts of a run's steps, with "Step 3:" before them and without."""
    if run_id not in _STEPS:
        nodes = store.tree(run_id).nodes[1:]
        _STEPS[run_id] = frozenset(
            text for node in nodes for text in (node.text, without_number(node.text, node.depth))
        )
    return _STEPS[run_id]


def pieces(lesson: Any) -> Iterator[str]:
    """A lesson's own words, which `--words` does not reach: the texts between its elements."""
    if isinstance(lesson, str):
        yield from (" ".join(unescape(piece).split()) for piece in re.split("<[^>]*>", outside(lesson)))
    elif isinstance(lesson, dict | list):
        for each in lesson.values() if isinstance(lesson, dict) else lesson:
            yield from pieces(each)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    with spoken(), Store.open(str(tmp_path_factory.mktemp("spoken") / "runs.db")) as store:
        host = Host(store)
        host.catalogue.load()
        served = launch(host)
        app = App(host, served.url)
        runs = app.solved(strategy="beam_search", seed=3, temperature=1.3), app.solved(strategy="best_of_n", seed=3)
        names = {
            NAME, *FORMATS, *SETS, *engine_texts(), *models(host.catalogue), *(each.text for each in examples()), *runs,
            *PARAMETERS,
        }  # fmt: skip
        yield Told(app, runs, swept(host), frozenset(filter(None, names)))
        served.close()
        host.close()


OpenPage = Callable[..., Any]


def nothing_is(left: list[str]) -> None:
    assert not left, "\n" + "\n".join(sorted(set(left)))


def test_explore(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{told.app.url}/?run={told.runs[0]}&node=1", height=1000)
    page.wait_for_selector(f"{TREE}[data-status=done][data-selected='1']", timeout=PATIENCE_MS)
    page.wait_for_selector("#detail-facts .prose *")
    left = told.left(page)
    for opener in ("#tree .st-find", "#tree .st-label", "details.share summary", "[data-do=help]"):
        page.click(opener)
        left += told.left(page)
    page.keyboard.press("Escape")
    for tab in page.locator("[role=tab]:visible").all():
        tab.click()
        left += told.left(page)
    for accordion in page.locator("button.label-wrap:visible").all():
        accordion.click()
    left += told.left(page)
    for view in ("outline", "icicle", "tree"):
        page.click(f"#tree [data-view={view}]")
        page.wait_for_selector(f"{TREE}[data-view={view}]")
        left += told.left(page)
    for key in "bwdxcghGf":
        page.keyboard.press(key)
        left += told.left(page)
    click_node(page, 2)
    page.click("#tree .rp-start")
    page.wait_for_selector("#strip .then")
    left += told.left(page)
    nothing_is(left)


def test_a_first_visit(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(told.app.url)
    page.wait_for_selector(f"{TREE}[data-status=done]", timeout=PATIENCE_MS)
    page.wait_for_selector("#detail-facts .prose *")
    nothing_is(told.left(page))


def test_compare(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{told.app.url}/compare?runs={','.join(told.runs)}")
    page.wait_for_selector("#tree-b .search-tree[data-status=done]", timeout=PATIENCE_MS)
    page.wait_for_selector("#comparison table")
    left = told.left(page)
    for tab in page.locator("[role=tab]:visible").all():
        tab.click()
        left += told.left(page)
    page.click("#replay-compare .rp-back")
    page.wait_for_selector("#head-a .then")
    left += told.left(page)
    nothing_is(left)


def test_runs(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{told.app.url}/runs")
    page.wait_for_selector(f"a[href*='{told.runs[0]}']")
    left = told.left(page)
    for box in page.locator("[data-part=tick]").all()[:2]:
        box.check()
    page.locator("[data-part=edit]").first.click()
    left += told.left(page)
    page.locator("[data-part=delete]").first.click()
    page.wait_for_selector(".runs-says button")
    left += told.left(page)
    page.locator(".runs-says button").first.click()
    page.click("[data-kind=comparisons]")
    page.wait_for_selector(".runs-list .hint")
    left += told.left(page)
    nothing_is(left)


def test_scaling(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{told.app.url}/scaling?sweep={told.sweep}&published=5-math-500")
    page.wait_for_selector(".scaling-curves .point", timeout=PATIENCE_MS, state="attached")
    page.wait_for_selector(".scaling[aria-busy=false]")
    left = told.left(page)
    for opener in (".scaling-all", ".scaling-new", ".scaling-more summary", ".scaling-guesses summary"):
        page.click(opener)
    page.wait_for_selector(".scaling-guesses p")
    page.locator(".scaling-table button.link").first.click()
    page.wait_for_selector(".scaling-point li")
    for place in (0, 1):
        page.locator(".scaling-table [type=checkbox]").nth(place).check()
        page.wait_for_selector(".scaling[aria-busy=false]")
    page.wait_for_selector(".scaling-compared h2")
    left += told.left(page)
    nothing_is(left)


def test_the_lab(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{told.app.url}/lab?tab=score&run={told.runs[0]}&node=2")
    page.wait_for_selector(".score-list li")
    page.wait_for_selector(".score-judges input")
    page.click(".score-score")
    page.wait_for_selector(".score-bill li")
    page.click(".score-cut")
    page.wait_for_selector(".score-cuts table")
    page.locator("[data-tool=edit]").first.click()
    left = told.left(page)
    for tab in page.locator("[role=tab]:visible").all():
        tab.click()
        left += told.left(page)
    nothing_is(left)


def test_learn(told: Told, chromium_page: OpenPage) -> None:
    page = chromium_page(f"{told.app.url}/learn?lesson=judge")
    page.emulate_media(reduced_motion="reduce")
    page.wait_for_function("document.querySelector('#learn-lesson :is(textarea, input)')?.value")
    texts = set(pieces(document("judge")["lesson"]))
    left = told.left(page, texts=texts)
    page.locator(".learn-top input[type=radio]").first.check()
    page.click(".learn-lock")
    page.click("#learn-watch")
    page.wait_for_selector("#tree-a .search-tree[data-status=done]", timeout=PATIENCE_MS)
    page.click(".learn-reveal")
    page.wait_for_selector(".learn-figures")
    left += told.left(page, texts=texts)
    nothing_is(left)


def test_an_exported_page(told: Told, chromium_page: OpenPage, tmp_path: Path) -> None:
    from tts_ui.web.share.page import page_of

    file = tmp_path / "page.html"
    left: list[str] = []
    for runs in (told.runs[:1], told.runs):
        file.write_bytes(page_of(told.app.host.store, runs, told.app.host.domains))
        page = chromium_page(file.as_uri())
        page.wait_for_selector(".search-tree[data-status=done]", timeout=PATIENCE_MS)
        page.wait_for_selector("#detail button.step")
        left += told.left(page, [".step-text, #problem, .step em"])
    nothing_is(left)


def amounts(limits: Limits) -> list[str]:
    """The ceilings in the engine's units, and these beside the fields for them."""
    values = [f"{getattr(limits, name):,} {each.unit}" for name, each in LIMITS.items() if getattr(limits, name)]
    return [*values, *(each.unit for each in LIMITS.values() if each.unit)]


def test_a_public_server(told: Told, chromium_page: OpenPage, tmp_path: Path) -> None:
    token = "the token of the owner"
    with Store.open(str(tmp_path / "public.db")) as store:
        host = Host(store, unwatched_limit_s=60)
        served = launch(host, public=True, opening=Opening(keep_s=7 * 24 * 3600, owner_token=token))
        page = chromium_page(f"{served.url}limits")
        page.wait_for_selector(".mine button:not(.sure)")
        left = told.left(page, texts=amounts(host.limits))
        page.goto(f"{served.url}owner")
        page.fill(".owner-in [name=token]", token)
        page.click(".owner-in button")
        page.wait_for_selector(".owner-limits form")
        left += told.left(page, texts=amounts(host.limits))
        served.close()
        host.close()
    nothing_is(left)
