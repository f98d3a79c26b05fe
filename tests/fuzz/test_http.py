"""Whatever is sent to a public server, a process of its own: an answer in time, none of them an error of its own, and
no traceback in its log."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
import schemathesis
from hypothesis import assume, example, given
from hypothesis import strategies as st
from support.odd import numbers, texts
from support.open_routes import PAGES, QUERY, STREAMS, addresses, described
from support.serving import serving
from support.visitor import Stream, Visitor

from engine.assets import assets
from tts_ui.web.door.routes import routes
from tts_ui.web.programs.tools import TOOLS

#: What `/v1` takes besides parameters of a search.
CHAT = ("model", "messages", "stream", "stream_options", "max_completion_tokens", "stop", "tools", "response_format")
#: Runs that every server has.
EXAMPLES = [json.loads(file.read_text())["run"]["id"] for file in (assets() / "examples").glob("beam_*.json")]
#: Seconds in which every request is answered, on a busy machine; the door waits 20 for one to come.
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the server; afterwards its log is read."""
    folder = tmp_path_factory.mktemp("http")
    with serving(folder) as serve:
        yield serve("--public", "--port", "0", "--max-n", "8", "--max-run-tokens", "400")
        log = (folder / "log").read_text(encoding="utf-8", errors="replace")
    assert "Traceback" not in log and "Error" not in log, log[-4000:]


@pytest.fixture(scope="module")
def visitor(site: str) -> Iterator[Visitor]:
    found = Visitor(site, "fuzzer")
    yield found
    found.close()


def answered(answer: httpx.Response) -> httpx.Response:
    """503 says that the server is busy, which it may be."""
    assert answer.status_code < 500 or answer.status_code == 503, (answer.request.url, answer.text[:500])
    assert "Traceback" not in answer.text and 'File "/' not in answer.text, answer.text[:2000]
    return answer


def test_every_route_is_described() -> None:
    """A route that is added to the door is fuzzed, too."""
    for strict in (True, False):
        for route in routes(PAGES, strict=strict):
            assert route.path.pattern in STREAMS or all(
                route.path.fullmatch(_filled(each)) for each in addresses(route)
            )


def _filled(address: str) -> str:
    return address.replace("{name}", "a.js").replace("{runs}", "a,b").replace("{format}", "json")


schema = schemathesis.openapi.from_dict(described(strict=True))


@schema.parametrize()
def test_what_the_description_allows_and_what_it_does_not(case: Any, site: str) -> None:
    answer = case.call(base_url=site.rstrip("/"), timeout=PATIENCE_S, allow_redirects=False)
    assert answer.status_code < 500 or answer.status_code == 503, answer.text[:500]
    assert b"Traceback" not in answer.content


_odd = st.none() | st.booleans() | numbers | texts


@given(number=st.integers(-1, 60), data=st.lists(_odd, max_size=40), queued=st.booleans(), event=st.data())
def test_functions_with_odd_arguments(
    visitor: Visitor, number: int, data: list[Any], queued: bool, event: st.DataObject
) -> None:
    told: Any = event.draw(st.none() | st.fixed_dictionaries({"moments": st.just({}), "judges": st.none()}))
    call = {"data": data, "fn_index": number, "session_hash": visitor.session, "event_data": told}
    try:
        answer = visitor.client.post(f"gradio_api/{'queue/join' if queued else 'run/predict'}", json=call)
    except ValueError:  # what is no JSON, NaN for example, is sent by the test below
        assume(False)
    if not queued:
        refused_in_words(answer)
    elif answered(answer).status_code == 200:
        Stream(visitor).ends()


@given(data=st.data())
def test_the_form_with_odd_fields(visitor: Visitor, data: st.DataObject) -> None:
    """One or two fields of Explore's form, the rest as usual: asked, and joined whether or not that was refused."""
    fields = visitor.form(problem="What is 2 + 3?", n=2, strategy="best_of_n")
    for _ in range(data.draw(st.integers(1, 2))):
        fields[data.draw(st.integers(0, len(fields) - 1))] = data.draw(_odd)
    ask = visitor.function("run")
    try:
        told = visitor.direct(ask, *fields)
    except ValueError:
        assume(False)
    refused_in_words(told)
    if answered(visitor.join(ask + 1, None, *fields)).status_code == 200:
        stream = Stream(visitor)
        stream.ends()
        assert "Traceback" not in stream.said


def refused_in_words(answer: httpx.Response) -> None:
    """Gradio answers a refusal of ours (`gr.Error`) with 500 and its sentence."""
    if answer.status_code == 500:
        said = answer.json()["error"]
        assert said and "Error" not in said and "line " not in said, said
    else:
        answered(answer)


@given(body=st.binary(max_size=300), path=st.sampled_from(["queue/join", "run/predict", "cancel", "reset"]))
@example(body=b"[" * 60_000, path="run/predict")
@example(body=b'{"data":' * 8_000, path="queue/join")
@example(body=b'{"data":[NaN],"fn_index":1,"session_hash":"aaaa"}', path="run/predict")
@example(body=b'{"data":[1e999],"fn_index":9,"session_hash":"aaaa"}', path="run/predict")
@example(body=b'{"data":["\\ud800"],"fn_index":9,"session_hash":"aaaa"}', path="run/predict")
def test_bodies(visitor: Visitor, body: bytes, path: str) -> None:
    headers = {"content-type": "application/json"}
    refused_in_words(visitor.client.post(f"gradio_api/{path}", content=body, headers=headers))


@given(asked=st.dictionaries(st.sampled_from([*TOOLS["solve"].parameters, *CHAT]), _odd, max_size=3))
@example(asked={"temperature": 10**400})
@example(asked={"answer": "\ud800"})
@example(asked={"messages": [{"role": "user", "content": []}]})
@example(asked={"stream_options": "include_usage"})
def test_what_a_client_of_the_openai_api_asks(visitor: Visitor, asked: dict[str, Any]) -> None:
    """In OpenAI's shape where it is refused, and only the caller is to blame."""
    usual = {"model": "best_of_n/builtin-xs", "n": 2, "messages": [{"role": "user", "content": "What is 2 + 3?"}]}
    body = json.dumps(usual | asked).encode()
    answer = visitor.client.post("v1/chat/completions", content=body, headers={"content-type": "application/json"})
    if answer.status_code != 200:
        assert answer.status_code in (400, 404, 429), answer.text[:500]
        assert answer.json()["error"]["message"] and "\n" not in answer.json()["error"]["message"]


@given(
    page=st.sampled_from(PAGES),
    asked=st.dictionaries(st.sampled_from(QUERY), texts | st.sampled_from(EXAMPLES), max_size=3),
)
def test_addresses_of_pages_and_tables(visitor: Visitor, page: str, asked: dict[str, str]) -> None:
    query = urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in asked.items()})
    answered(visitor.client.get(f"{page}?{query}"))
    for table in ("rte/runs", "rte/runs/choices", "rte/scaling", "rte/scaling/points.csv", "rte/lab/solution"):
        answered(visitor.client.get(f"{table}?{query}"))
    said = visitor.open(query) if not page else ""
    assert '"success":false' not in said and "Internal" not in said, said[-1000:]


@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "PUT", "OPTIONS", "TRACE", "X"]),
    path=st.text(st.characters(codec="latin-1", exclude_categories=["Cc", "Zs"]), max_size=60).map(quote)
    | st.sampled_from(["/..%2f..%2fetc/passwd", "/export/%00/json", "//x", "/%ff", "/rte/" + "a" * 60_000]),
    headers=st.dictionaries(
        st.sampled_from(["Host", "Cookie", "Origin", "Content-Length", "X-Forwarded-Host", "Content-Type", "Range",
                         "Transfer-Encoding", "X-Forwarded-Proto", "Accept-Encoding"]),
        st.text(st.characters(codec="latin-1", exclude_characters="\r\n\0"), max_size=40), max_size=3,
    ),
)  # fmt: skip
def test_requests(site: str, method: str, path: str, headers: dict[str, str]) -> None:
    """As bytes on the wire: httpx would mend them."""
    address = urlsplit(site)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=PATIENCE_S)
    try:
        connection.request(method, path if path.startswith("/") else f"/{path}", headers=headers)
        assert connection.getresponse().status < 500
    except (http.client.HTTPException, ConnectionError, ValueError):
        pass  # what is no request is not answered; a hang would be `TimeoutError`
    finally:
        connection.close()


def test_it_still_serves(visitor: Visitor) -> None:
    stream = visitor.start(problem="What is 3 + 4?", n=4)
    stream.ends()
    assert '"success":true' in stream.said
