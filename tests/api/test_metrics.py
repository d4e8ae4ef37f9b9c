"""`/metrics` as Prometheus reads it: true figures, bounded labels, shown to whom the page is shown."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

CANARY = "sk_live_canaryMetrics33Xy"
Figures = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def figures(server: Any) -> Figures:
    answer = server.ask("GET", "/metrics")
    assert answer.status == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    assert CANARY not in answer.body.decode()
    return {
        (one.name, tuple(sorted(one.labels.items()))): one.value
        for family in text_string_to_metric_families(answer.body.decode())
        for one in family.samples
    }


def of(found: Figures, name: str, **labels: str) -> float | None:
    return found.get((name, tuple(sorted(labels.items()))))


@pytest.fixture(scope="module")
def scraped(starting: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder = tmp_path_factory.mktemp("metrics")
    log = folder / "access.log"
    log.write_text(
        f'203.0.113.1 - - [14/Nov/2025:10:00:00 +0000] "GET /{CANARY} HTTP/1.1" 200 1 "-" "{CANARY}"\n'
        f"no such line {CANARY}\n"
    )
    (folder / "home").mkdir()
    (folder / "home" / "wardgate.toml").write_text(
        '[push]\nskip = { health-check = ["/healthz"] }\n'
        f'[[source]]\nname = "web"\npath = "{log}"\nformat = "nginx"\n'
    )
    server = starting(folder / "home")
    yield server
    assert server.stop() == 0


def test_figures_are_true(scraped: Any) -> None:
    calls = [
        {"method": "GET", "url": f"https://{CANARY}.example/{CANARY}/{n}", "status": 200} for n in range(7)
    ]
    calls.append({"method": "GET", "url": "https://api.example/healthz", "status": 200})
    body = b"".join(json.dumps(one).encode() + b"\n" for one in calls) + b"no json\n"
    assert scraped.push(body, "edge").status == 200
    refused = {"Authorization": f"Bearer {CANARY}", "Content-Type": "application/x-ndjson"}
    answered = {"path": "/v1/calls", "status": "401"}
    before = of(figures(scraped), "wardgate_push_answers_total", **answered) or 0  # other tests ask, too
    assert [scraped.ask("POST", "/v1/calls", body, refused).status for _ in range(2)] == [401, 401]
    scraped.ask("POST", f"/v1/calls/{CANARY}", body, refused)
    deadline = time.monotonic() + 60
    found = figures(scraped)
    while of(found, "wardgate_source_up", source="web", kind="files") is None or (
        of(found, "wardgate_calls_total", source="edge", outcome="accepted") is None
        or of(found, "wardgate_calls_total", source="web", outcome="accepted") is None
    ):
        assert time.monotonic() < deadline
        time.sleep(0.5)
        found = figures(scraped)
    counts = {
        (source, outcome): of(found, "wardgate_calls_total", source=source, outcome=outcome)
        for source in ("edge", "web")
        for outcome in ("accepted", "rejected", "skipped")
    }
    assert counts == {
        ("edge", "accepted"): 7,
        ("edge", "rejected"): 1,
        ("edge", "skipped"): 1,
        ("web", "accepted"): 1,
        ("web", "rejected"): 1,
        ("web", "skipped"): 0,
    }
    assert of(found, "wardgate_push_answers_total", path="/v1/calls", status="200") == 1
    assert of(found, "wardgate_push_answers_total", **answered) == before + 2
    assert of(found, "wardgate_pending_calls") == 0
    assert (of(found, "wardgate_commit_seconds_count") or 0) >= 1
    assert of(found, "wardgate_lake_readable") == 1
    assert of(found, "wardgate_disk_full") == 0
    assert of(found, "wardgate_source_lag_bytes", source="web", kind="files") == 0
    assert (of(found, "wardgate_disk_free_bytes") or 0) > 0
    assert (of(found, "process_resident_memory_bytes") or 0) > 1 << 20


def test_every_figure_is_documented(scraped: Any) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "run-as-a-service.md").read_text()
    answer = scraped.ask("GET", "/metrics").body.decode()
    for family in text_string_to_metric_families(answer):
        if family.name.startswith("wardgate_") and not family.name.endswith("_created"):
            name = f"{family.name}_total" if family.type == "counter" else family.name
            assert f"`{name}" in page


def test_labels_are_of_closed_sets(scraped: Any) -> None:
    """Whatever is sent: no path, host, address or token makes a line."""
    for n in range(20):
        scraped.ask("GET", f"/{n}")
        scraped.ask("POST", f"/v1/calls?x={n}", b"", {"Authorization": f"Bearer {n}"})
    deadline = time.monotonic() + 60
    while of(figures(scraped), "wardgate_source_up", source="web", kind="files") is None:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    labels: dict[str, set[str]] = {}
    for _, given in figures(scraped):
        for name, value in given:
            labels.setdefault(name, set()).add(value)
    assert labels["path"] <= {"/v1/calls", "/v1/traces"}
    assert labels["source"] <= {"web", "edge"}
    assert labels.keys() <= {"path", "status", "source", "outcome", "state", "kind", "table", "le", "version"}


def test_they_are_shown_to_whom_the_page_is_shown(scraped: Any) -> None:
    elsewhere = scraped.ask("GET", "/metrics", headers={"Host": "evil.example"})
    assert (elsewhere.status, elsewhere.json()["code"]) == (421, "host-unknown")
    far = scraped.ask("GET", "/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert (far.status, far.json()["code"]) == (403, "page-elsewhere")


def test_health_readiness_and_metrics_are_in_the_contract(scraped: Any) -> None:
    paths = scraped.ask("GET", "/openapi.json").json()["paths"]
    assert paths["/metrics"]["get"]["responses"].keys() == {"200", "403", "421"}
    assert paths["/readyz"]["get"]["responses"].keys() == {"200", "503"}
    assert paths["/healthz"]["get"]["responses"].keys() == {"200"}


def test_a_lake_that_cannot_be_read_is_said_and_the_rest_goes_on(
    starting: Callable[..., Any], tmp_path: Path
) -> None:
    server = starting(tmp_path)
    for one in (tmp_path / "lake").iterdir():
        if one.name.startswith("catalog"):
            one.unlink()
    ready = server.ask("GET", "/readyz")
    assert (ready.status, ready.json()["status"]) == (503, "not ready")
    assert "lake-write-failed" in ready.json()["reasons"]
    assert server.ask("GET", "/healthz").status == 200
    assert of(figures(server), "wardgate_pending_calls") == 0
    server.process.kill()
    server.process.wait()
