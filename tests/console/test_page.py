"""The plain page, as a browser without scripts gets it."""

import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from threading import Thread

import pytest
import uvicorn
from fastapi import FastAPI

from wardgate.console.app import router
from wardgate.console.recent import Recent
from wardgate.core.clock import fixed_clock, system_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import Key
from wardgate.core.settings import Config
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service import specifications
from wardgate.service.health import HealthFile, SourceHealth
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs
from wardgate.state.specifications import Specifications
from wardgate.state.store import open_state

CLOCK = fixed_clock(1_772_366_400_000_000)
EVIL = "<script>alert(1)</script>\x1b[31m\u202e"


@dataclass(frozen=True)
class Answer:
    status_code: int
    headers: dict[str, str]
    text: str


class Browser:
    """A real server on a free port, and what gets pages from it."""

    def __init__(self, lake: Lake, home: Home, config: Config | None = None) -> None:
        app = FastAPI()
        app.include_router(router)
        app.state.lake, app.state.home, app.state.config = lake, home, config or Config()
        self._lake = lake
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
        self._thread = Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)
        self._thread.start()

    def get(self, path: str) -> Answer:
        connection = HTTPConnection("127.0.0.1", self._socket.getsockname()[1], timeout=60)
        connection.request("GET", path)
        answer = connection.getresponse()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Answer(answer.status, headers, answer.read().decode())

    def close(self) -> None:
        self._server.should_exit = True
        self._thread.join(60)
        self._socket.close()
        self._lake.close()


def page_on(folder: Path, calls: list[object], config: Config | None = None) -> Browser:
    home = open_home(folder / "home")
    lake = Lake(embedded_place(home))
    if calls:
        log = folder / "gateway.jsonl"
        log.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in calls) + "\n")
        pipeline = Pipeline(lake, Key(bytes(32)), CLOCK)
        list(Ingest(pipeline, CLOCK).run(find_inputs([str(log)]), Reading()))
    return Browser(lake, home, config)


def call(path: str, *, status: int = 200, agent: str = "curl/8", **headers: str) -> dict[str, object]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return {
        "ts": "2026-03-01T10:00:00Z", "method": "GET", "url": f"https://api.test{path}", "status": status,
        "duration_ms": 12, "request_headers": {"user-agent": agent, **named},
    }  # fmt: skip


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    calls: list[object] = [
        call(f"/v1/thing-{'abcdefghijklmnopqrstuvwxyz'[n % 26]}{'xyz'[n // 26]}") for n in range(70)
    ]
    calls += [call("/v1/orders/1"), call("/v1/orders/2", status=503, x_api_key="key-0123456789abcdefghij")]
    calls += [call(f"/v1/{EVIL}", agent=f"curl/{EVIL}"), call("/app.js"), f"nonsense {EVIL}"]
    browser = page_on(tmp_path_factory.mktemp("full"), calls)
    yield browser
    browser.close()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    browser = page_on(tmp_path_factory.mktemp("empty"), [])
    yield browser
    browser.close()


class Page(HTMLParser):
    """The texts of the table cells below each section's id, and every tag."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: dict[str, list[list[str]]] = {}
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._section = ""
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag == "section":
            self._section = dict(attrs).get("id") or ""
        if tag == "tr":
            self.rows.setdefault(self._section, []).append([])
        if tag in ("td", "th"):
            self._in_cell = True
            self.rows[self._section][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[self._section][-1][-1] += data

    def table(self, section: str) -> list[dict[str, str]]:
        """The section's first table, by its headings."""
        head, *body = self.rows[section]
        return [dict(zip(head, map(str.strip, row), strict=True)) for row in body if len(row) == len(head)]


def test_the_empty_page_says_exactly_how_to_fill_it(empty: Browser) -> None:
    text = empty.get("/").text
    assert "wardgate ingest /var/log/nginx/access.log" in text
    assert "wardgate doctor" in text
    assert "<table" not in text


def test_the_numbers_services_credentials_callers_and_sources(full: Browser) -> None:
    page = Page(full.get("/").text)
    (service,) = page.table("services")
    assert (service["Service"], service["Calls"], service["5xx"], service["Credentials"]) == (
        "api.test",
        "74",
        "1",
        "1",
    )
    (credential,) = page.table("credentials")
    assert (credential["Kind"], credential["Place"], credential["Calls"]) == (
        "api_key",
        "header:x-api-key",
        "1",
    )
    assert {one["Kind"] for one in page.table("callers")} == {"service"}
    source = page.table("sources")[0]
    assert (source["Source"], source["Read"], source["Accepted"], source["Rejected"]) == (
        "gateway",
        "75",
        "74",
        "1",
    )
    assert "the line is not a JSON object" in full.get("/").text


def test_operations_come_in_pages_and_filters_hold_on_each(full: Browser) -> None:
    first = Page(full.get("/").text).table("operations")
    second = Page(full.get("/?page=2").text).table("operations")
    every = {one["Operation"] for one in first + second}
    assert (len(first), len(second), len(every)) == (50, 22, 72)
    found = Page(full.get("/?search=orders").text).table("operations")
    assert [(one["Operation"], one["Calls"], one["p50"]) for one in found] == [
        ("GET /v1/orders/{orderId}", "2", "12 ms")
    ]
    static = Page(full.get("/?static=static").text).table("operations")
    assert [one["Operation"] for one in static] == ["GET /app.js ends in .js"]
    linked = full.get("/?search=thing&sort=name").text
    assert re.search(r'href="\?search=thing&amp;sort=name&amp;page=2#operations"', linked)
    assert "No operation fits." in full.get("/?service=nowhere").text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("since=yesterday", "[time-unreadable]"),
        ("page=zero", "[page-unknown]"),
        ("page=0", "[page-unknown]"),
        ("sort=colour", "[sort-unknown]"),
        ("static=maybe", "[static-unknown]"),
        ("since=1d&until=2d", "[time-order]"),
    ],
)
def test_a_question_that_makes_no_sense_is_told_and_everything_else_shown(
    full: Browser, query: str, told: str
) -> None:
    answer = full.get(f"/?{query}")
    assert answer.status_code == 400
    assert told in answer.text
    assert Page(answer.text).table("services")


def test_what_traffic_wrote_stays_text(full: Browser) -> None:
    for path in ("/", "/?search=%3Cscript%3E", "/?service=%22%3E%3Cscript%3E"):
        text = full.get(path).text
        assert "<script" not in text
        assert not any(one in text for one in "\x1b\u202e")
    names = {tag for tag, _ in Page(full.get("/").text).tags}
    assert not names & {"script", "style", "img", "iframe", "object", "embed"}


def test_nothing_comes_from_elsewhere_and_the_browser_is_told_so(full: Browser) -> None:
    answer = full.get("/")
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"
    page = Page(answer.text)
    links = [
        value for _, attrs in page.tags for key, value in attrs.items() if key in ("href", "src", "action")
    ]
    assert links and all(value and not re.match(r"(?:[a-z]+:)?//", value) for value in links)
    assert not [
        attrs for _, attrs in page.tags if any(key == "style" or key.startswith("on") for key in attrs)
    ]
    style = full.get("/page.css")
    assert style.headers["content-type"].startswith("text/css")
    assert "url(" not in style.text and "@import" not in style.text


def test_every_narrow_cell_has_its_label(full: Browser) -> None:
    assert all(attrs.get("data-label") for tag, attrs in Page(full.get("/").text).tags if tag == "td")


def test_a_page_that_takes_long_is_made_at_most_a_tenth_of_the_time() -> None:
    now = 0.0

    def make() -> float:
        nonlocal now
        now += 0.5
        return now

    recent: Recent[float] = Recent(lambda: now)
    assert recent.answer("a", make) == 0.5
    now = 5.0
    assert recent.answer("a", make) == 0.5
    assert recent.answer("b", make) == 5.5
    assert recent.answer("a", make) == 6.0
    for n in range(100):
        recent.answer(n, make)
    assert recent.answer("b", make) == now


def test_standings_and_owners_are_shown_counted_and_asked_for(tmp_path: Path) -> None:
    browser = page_on(tmp_path, [call("/v1/orders"), call(f"/v1/{EVIL}"), call("/v1/.env", status=404)])
    try:
        assert "wardgate spec add FILE tells" in browser.get("/").text
    finally:
        browser.close()
    home = open_home(tmp_path / "home")
    state = open_state(home)
    file = tmp_path / "shop.yaml"
    file.write_text(
        "{openapi: 3.1.0, info: {title: x, version: '1', contact: {name: 'Team <script>'}}, "
        "servers: [{url: 'https://api.test'}], paths: {/v1/orders: {get: {}}, /never: {get: {}}}}"
    )
    list(specifications.add(Specifications(state, CLOCK), file))
    state.close()
    browser = Browser(Lake(embedded_place(home)), home)
    try:
        text = browser.get("/").text
        page = Page(text)
        shown = {one["Operation"]: (one["Standing"], one["Owner"]) for one in page.table("operations")}
        assert shown["GET /v1/orders"] == ("documented", "Team <script>")
        assert shown["GET /v1/.env"] == ("unknown", "")
        assert shown["GET /never"] == ("unused", "Team <script>")
        assert sorted(shown.values())[2:4] == [("unknown", ""), ("unused", "Team <script>")]
        (service,) = page.table("services")
        assert service["Standing"].split() == "1 documented 1 shadow 1 unused 1 unknown".split()
        assert 'title="called (gateway), and not in shop.yaml"' in text and "<script" not in text
        (only,) = Page(browser.get("/?standing=unused").text).table("operations")
        assert only["Operation"] == "GET /never"
        assert len(Page(browser.get("/?owner=none").text).table("operations")) == 2
        assert "[standing-unknown]" in browser.get("/?standing=odd").text
    finally:
        browser.close()


def test_what_is_followed_now_is_shown_at_once_with_what_to_do(tmp_path: Path) -> None:
    config = Config.model_validate({"source": [{"name": "edge", "path": "/var/log/edge.log"}]})
    browser = page_on(tmp_path, [call("/v1/a")], config)
    try:
        (row,) = Page(browser.get("/").text).table("live")
        assert (row["Source"], row["State"]) == ("edge", "not running")
        assert "wardgate up" in row["What to do"]
        second = 1_000_000
        HealthFile(open_home(tmp_path / "home"), "files", system_clock).write(
            [
                SourceHealth("edge", "files", "following", "nginx", inputs=2, read=12, accepted=12,
                             last_record_at_us=system_clock() - 90 * second),
                SourceHealth(f"evil {EVIL}", "files", "failing", error=f"[input-unreadable] cannot {EVIL}."),
            ]
        )  # fmt: skip
        text = browser.get("/").text
        edge, evil = Page(text).table("live")
        assert (edge["State"], edge["Inputs"], edge["Read"], edge["Last line"]) == (
            "up to date", "2", "12", "90 s ago",
        )  # fmt: skip
        assert evil["State"] == "failing" and "file's group" in evil["What to do"]
        assert "<script" not in text and "\x1b" not in text
    finally:
        browser.close()


def test_a_page_without_calls_shows_what_is_followed(tmp_path: Path) -> None:
    config = Config.model_validate({"source": [{"name": "edge", "path": "/var/log/edge.log"}]})
    browser = page_on(tmp_path, [], config)
    try:
        text = browser.get("/").text
        assert [row["Source"] for row in Page(text).table("live")] == ["edge"]
        assert "wardgate ingest" in text
    finally:
        browser.close()
