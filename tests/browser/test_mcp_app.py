"""`show` as an MCP App in a host's sandboxed frame: the tree as text, the page of the run, no request at all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from support.finished_runs import Solve

from engine.domains import Domains
from engine.store import Store
from tts_ui.web.programs.results import summary
from tts_ui.web.programs.routes import APP_PAGE
from tts_ui.web.share.page import page_of

#: What hosts of Apps allow in the frame, and what a stricter one does.
USUAL = "default-src 'none'; script-src 'unsafe-inline' 'unsafe-eval' blob: data:; style-src 'unsafe-inline'; " \
        "img-src data: blob:; font-src data:; connect-src 'none'"  # fmt: skip
STRICT = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data:; connect-src 'none'"


def _host(page: Any, app: str, whole: str, result: dict[str, Any]) -> None:
    """Show the App in a frame without an origin, and play the host as the specification of MCP Apps has it: it answers
    the App's requests and hands it the result of a tool."""
    page.evaluate(
        """([app, whole, result]) => {
          window.heard = [];
          const frame = document.createElement("iframe");
          frame.sandbox = "allow-scripts";
          frame.style = "width: 1200px; height: 900px; border: 0";
          frame.srcdoc = app;
          window.addEventListener("message", ({ source, data }) => {
            if (source !== frame.contentWindow || data?.jsonrpc !== "2.0") return;
            window.heard.push(data.method);
            const answer = (result) => source.postMessage({ jsonrpc: "2.0", id: data.id, result }, "*");
            if (data.method === "ui/initialize") {
              answer({ protocolVersion: "2026-01-26", hostInfo: { name: "test", version: "1" }, hostCapabilities: {},
                       hostContext: {} });
            } else if (data.method === "ui/notifications/initialized") {
              source.postMessage({ jsonrpc: "2.0", method: "ui/notifications/tool-result", params: result }, "*");
            } else if (data.method === "resources/read") {
              window.read = data.params.uri;
              answer({ contents: [{ uri: data.params.uri, mimeType: "text/html;profile=mcp-app", text: whole }] });
            }
          });
          document.body.append(frame);
        }""",
        [app, whole, result],
    )


@pytest.mark.parametrize("policy", [USUAL, STRICT], ids=["usual", "strict"])
def test_the_run_is_shown_in_a_hosts_frame(chromium: Any, solved: Solve, tmp_path: Path, policy: str) -> None:
    found = solved("beam_search", n=8, width=4)
    with Store.open(str(tmp_path / "runs.db")) as store, Domains() as domains:
        store.record(found.events, found.record.usage, found.record.id)
        store.flush()
        whole = page_of(store, [found.record.id], domains).decode()
    structured = json.loads(json.dumps(summary(found.record, found.events, "", drawn=True)))
    result = {"content": [{"type": "text", "text": "the tree"}], "structuredContent": structured}
    app = APP_PAGE.read_text(encoding="utf-8")
    app = app.replace("<head>", f'<head><meta http-equiv="Content-Security-Policy" content="{policy}">')
    context = chromium.new_context(offline=True, viewport={"width": 1240, "height": 940})
    page = context.new_page()
    page.set_default_timeout(60_000)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    host = tmp_path / "host.html"
    host.write_text("<!doctype html><title>a host</title><body></body>", encoding="utf-8")
    page.goto(host.as_uri())  # hosts have an address, which is the base of the frame's
    asked.clear()
    _host(page, app, whole, result)
    frame = page.frame_locator("iframe")
    if policy == USUAL:
        frame.locator(".search-tree:not([data-nodes='0'])").wait_for()
        assert found.record.problem in frame.locator("#problem").inner_text()
        assert page.evaluate("window.read") == f"ui://tts-ui/runs/{found.record.id}"
    else:
        frame.locator("#tree:not([hidden])").wait_for()
        assert structured["tree"] == frame.locator("#tree").inner_text()
        assert page.evaluate("window.read") is None
    assert not [url for url in asked if not url.startswith(("blob:", "data:", "about:"))], asked
    page.screenshot(path=str(tmp_path / "app.png"))
    context.close()


def test_texts_of_a_run_are_text_in_the_app(chromium: Any) -> None:
    harm = "<img src=x onerror=\"document.title='hacked'\"><script>document.title='hacked'</script>"
    context = chromium.new_context(offline=True)
    page = context.new_page()
    page.goto("about:blank")
    _host(page, APP_PAGE.read_text(encoding="utf-8"), "", {"content": [{"type": "text", "text": harm}]})
    frame = page.frame_locator("iframe")
    frame.locator("#tree:not([hidden])").wait_for()
    assert frame.locator("#tree").inner_text() == harm
    assert not frame.locator("#tree img").count()
    context.close()
