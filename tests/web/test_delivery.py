"""How answers travel: compressed where that helps, kept by browsers where the address says which version it is."""

from __future__ import annotations

import re

import httpx
import pytest
from support.site import Site

from tts_ui.web.components.search_tree import plotly_js, script_address


def _page(site: Site, path: str = "") -> httpx.Response:
    return httpx.get(site.url + path)


@pytest.mark.parametrize("path", ["", "compare", "scaling", "runs", "lab", "learn"])
def test_a_page_travels_compressed_and_whole(own: Site, path: str) -> None:
    address = own.url + path
    plain = httpx.get(address, headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    with httpx.stream("GET", address, headers={"accept-encoding": "gzip"}) as packed:
        size = len(b"".join(packed.iter_raw()))
    assert packed.headers["content-encoding"] == "gzip" and "accept-encoding" in packed.headers["vary"].lower()
    assert size < 48_000 and size < len(plain.content) / 3
    assert _page(own, path).text.startswith("<!doctype html>")
    assert packed.headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'")


@pytest.mark.parametrize("path", ["rte/learn", "config", "gradio_api/info", "rte/runs"])
def test_documents_travel_compressed(own: Site, path: str) -> None:
    answer = _page(own, path)
    assert answer.headers["content-encoding"] == "gzip" and answer.json()


def test_explore_brings_nothing_that_only_programs_ask_for(own: Site) -> None:
    page = _page(own).text
    assert "api_name" in page and '"/solve"' not in page and '"api_name":"solve"' not in page
    assert httpx.get(f"{own.url}programs").status_code == 404


def test_gradios_front_end_is_kept_for_ever(own: Site) -> None:
    page = _page(own).text
    (script,) = re.findall(r'src="\./(assets/index-[^"]+\.js)"', page)
    version = re.search(r'"theme_hash":\s*"([0-9a-f]+)"', page)
    assert version
    for path in (script, f"theme.css?v={version[1]}"):
        assert _page(own, path).headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize("path", ["static/js/iframeResizer.contentWindow.min.js", "favicon.ico"])
def test_of_what_may_change_a_browser_asks_again_and_is_told_that_it_has_not(own: Site, path: str) -> None:
    first = _page(own, path)
    assert first.headers["cache-control"] == "no-cache" and first.content
    for known in (first.headers["etag"], f'"other", {first.headers["etag"]}'):
        again = httpx.get(own.url + path, headers={"if-none-match": known})
        assert again.status_code == 304 and not again.content and again.headers["etag"] == first.headers["etag"]
    assert httpx.get(own.url + path, headers={"if-none-match": '"other"'}).status_code == 200


def test_what_is_not_there_is_not_kept(own: Site) -> None:
    assert "immutable" not in _page(own, "assets/index-AAAAAAAA.js").headers.get("cache-control", "")


@pytest.mark.parametrize("path", ["", "lab"])
def test_a_page_names_what_its_scripts_will_ask_for(own: Site, path: str) -> None:
    named = re.findall(r'<link rel="(modulepreload|preload)"[^>]* href="\./(assets/[^"]+)">', _page(own, path).text)
    assert len(named) > 40 and len(set(named)) == len(named)
    assert {"Blocks", "HTML"} <= {address.split("/")[1].split("-")[0] for _, address in named}
    for _, address in named:
        assert _page(own, address).headers["cache-control"].endswith("immutable")


def _packed(site: Site, path: str, accepted: str) -> tuple[httpx.Response, int]:
    with httpx.stream("GET", site.url + path, headers={"accept-encoding": accepted}) as answer:
        return answer, len(b"".join(answer.iter_raw()))


def test_scripts_travel_in_the_best_way_that_a_browser_knows_and_are_the_same_in_all(own: Site) -> None:
    path = f"rte/{script_address(plotly_js())}"
    plain = httpx.get(own.url + path, headers={"accept-encoding": "identity"}).content
    assert plain == plotly_js().read_bytes()
    sizes = {}
    for accepted, encoding in (("gzip, deflate, br, zstd", "br"), ("gzip, deflate", "gzip"), ("br;q=1.0", "br")):
        answer, sizes[encoding] = _packed(own, path, accepted)
        assert answer.headers["content-encoding"] == encoding and answer.headers["vary"] == "Accept-Encoding"
        assert int(answer.headers["content-length"]) == sizes[encoding]
        for _ in range(2):
            assert httpx.get(own.url + path, headers={"accept-encoding": accepted}).content == plain
    assert sizes["br"] < 1_300_000 and sizes["gzip"] < 1_480_000


def test_only_files_are_kept_in_memory(own: Site, public: Site) -> None:
    """An address that looks like one with a version, of an answer that is somebody's, is answered anew."""
    for path in ("rte/mine", "rte/owner", "rte/runs", "rte/runs/choices"):
        asked = httpx.get(public.url + path, params={"v": "0123456789ab"})
        assert asked.status_code == 200 and "immutable" not in asked.headers.get("cache-control", "")
    assert _page(own, "rte/nothing.js?v=0123456789ab").status_code == 404
    assert _page(own, "assets/nothing-01234567.js").status_code == 404
