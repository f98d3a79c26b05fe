"""What a phone on a slow line waits for: first and largest paint, when the tree is drawn, and bytes, page by page.

    python -m benchmarks.first_paint

A phone's screen, a CPU four times slower and the line that Lighthouse calls slow 4G (150 ms for a round trip,
1.6 Mbit/s down, 0.75 up), in headless Chromium and with nothing in its cache; then the same page once more, with what
it has kept.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from dataclasses import dataclass
from typing import Any

from engine.runs.host import Host
from engine.runs.question import Question
from engine.search.params import RunParams
from engine.store import Store
from tts_ui.web.app import launch

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
LINE = {"offline": False, "latency": 150, "downloadThroughput": 1.6e6 / 8, "uploadThroughput": 0.75e6 / 8}
CPU_SLOWER = 4
#: The pages, and what is on each once it is of use.
PAGES = {
    "Explore": ("/", "#tree .search-tree[data-status=done]"),
    "Runs": ("/runs", ".runs[aria-busy=false] tbody tr"),
    "Compare": ("/compare?runs={runs}", "#tree-b .search-tree[data-status=done]"),
}
PATIENCE_MS = 120_000

_PAINTS = """() => new Promise((done) => {
  const first = performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? 0;
  new PerformanceObserver((list) => done([first, list.getEntries().at(-1).startTime]))
    .observe({ type: "largest-contentful-paint", buffered: true });
  setTimeout(() => done([first, 0]), 5000);
})"""


@dataclass(frozen=True)
class Visit:
    """Milliseconds since the address was asked for, and what came over the line."""

    first_ms: float
    largest_ms: float
    ready_ms: float
    kilobytes: float
    requests: int


def visit(page: Any, url: str, ready: str) -> Visit:
    """Open `url` on a slow phone."""
    received: list[float] = []
    tools = page.context.new_cdp_session(page)
    tools.send("Network.enable")
    tools.send("Network.emulateNetworkConditions", LINE)
    tools.send("Emulation.setCPUThrottlingRate", {"rate": CPU_SLOWER})
    tools.on("Network.loadingFinished", lambda event: received.append(event["encodedDataLength"]))
    page.goto(url, wait_until="commit")
    page.wait_for_selector(ready, timeout=PATIENCE_MS, state="attached")
    ready_ms = page.evaluate("performance.now()")
    first, largest = page.evaluate(_PAINTS)
    tools.detach()
    return Visit(first, largest, ready_ms, sum(received) / 1000, sum(size > 0 for size in received))


def main() -> int:
    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as folder, Store.open(f"{folder}/runs.db") as store:
        host = Host(store)
        served = launch(host)
        runs = [
            host.submit(Question("Compute 18 * 19.", "342"), RunParams(strategy, n=8, width=4))
            for strategy in ("best_of_n", "beam_search")
        ]
        for run in runs:
            run.future.result(timeout=120)
            store.flush(run.id)
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            print("| page | visit | first paint, s | largest, s | of use, s | kB | requests |")
            print("| --- | --- | --- | --- | --- | --- | --- |")
            for name, (path, ready) in PAGES.items():
                context = chromium.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
                url = served.url.rstrip("/") + path.format(runs=",".join(run.id for run in runs))
                for which in ("first", "again"):
                    page = context.new_page()
                    seen = visit(page, url, ready)
                    seconds = [seen.first_ms / 1000, seen.largest_ms / 1000, seen.ready_ms / 1000]
                    times = " | ".join(f"{each:.1f}" for each in seconds)
                    print(f"| {name} | {which} | {times} | {seen.kilobytes:,.0f} | {seen.requests} |", flush=True)
                    page.close()
                context.close()
            chromium.close()
        served.close()
        host.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
