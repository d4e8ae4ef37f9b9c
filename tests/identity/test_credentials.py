"""Credentials in use, as they are listed: all that calls present, their places, instances and counts."""

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.home import Home, open_home
from wardgate.core.keys import load_key
from wardgate.identity.credentials import CredentialUse, credentials
from wardgate.inventory.scope import Scope
from wardgate.lake.engine import embedded_place
from wardgate.lake.erasure import Subject, erase
from wardgate.lake.instances import kept
from wardgate.lake.store import Lake
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs

NOW = 1_770_000_000_000_000
SECRET = "k3Jd9sLq2WvXz7PbTn5YcRm8HgFt4Ua6"
Headers = dict[str, str]


def jwt(**claims: object) -> str:
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    return f"{part({'alg': 'RS256'})}.{part(claims)}.c2lnbmF0dXJl"


class Installed:
    """A home and its lake, and a way to take calls in."""

    def __init__(self, folder: Path) -> None:
        self.home: Home = open_home(folder / "home")
        self.lake = Lake(embedded_place(self.home))
        self._folder = folder
        self._files = 0

    def take(self, calls: list[Headers], status: int = 200) -> None:
        self._files += 1
        file = self._folder / f"{self._files}.jsonl"
        lines = [
            {"ts": f"2026-02-0{self._files}T00:00:00Z", "method": "GET", "url": "https://api.example/a",
             "status": status, "client_ip": "192.0.2.7", "request_headers": one}
            for one in calls
        ]  # fmt: skip
        file.write_text("\n".join(json.dumps(one) for one in lines))
        pipeline = Pipeline(self.lake, load_key(self.home.path), fixed_clock(NOW + self._files))
        for report in Ingest(pipeline, fixed_clock(NOW)).run(find_inputs([str(file)]), Reading(source="s")):
            assert report.rejected == 0

    def listed(self) -> dict[str, CredentialUse]:
        return {one.kind or "": one for one in credentials(self.lake, Scope()).rows}


@pytest.fixture
def installed(tmp_path: Path) -> Iterator[Installed]:
    made = Installed(tmp_path)
    yield made
    made.lake.close()


def test_every_credential_of_a_call_is_listed_with_its_calls(installed: Installed) -> None:
    token = jwt(sub="u", azp="shop", iss="https://id")
    both = {"Authorization": f"Bearer {token}", "Cookie": "session=abcdef123456", "X-API-Key": SECRET}
    installed.take([both, both, {"Cookie": "session=abcdef123456"}], status=403)
    found = installed.listed()
    assert {kind: (one.calls, one.errors) for kind, one in found.items()} == {
        "jwt": (2, 2), "api_key": (2, 2), "session": (3, 3),
    }  # fmt: skip
    assert found["session"].callers == 2
    rows = installed.lake.rows("SELECT sum(calls) AS n FROM lake.rollups")
    assert rows["n"][0].as_py() == 3


def test_places_are_gathered_however_late_they_come(installed: Installed) -> None:
    installed.take([{"X-API-Key": SECRET}])
    installed.take(
        [{"Authorization": f"Bearer {SECRET}"}, {"X-API-Key": SECRET, "Cookie": f"token={SECRET}"}]
    )
    (one,) = credentials(installed.lake, Scope()).rows
    assert one.places == ["cookie:token", "header:authorization", "header:x-api-key"]
    assert (one.place, one.calls, one.instances, one.renewed_at) == ("header:x-api-key", 3, 1, None)


def test_instances_are_counted_and_then_estimated(installed: Installed) -> None:
    tokens = [jwt(sub="u", azp="shop", iss="https://id", jti=n) for n in range(6_000)]
    installed.take([{"Authorization": f"Bearer {one}"} for one in tokens[:40]])
    one = installed.listed()["jwt"]
    assert (one.instances, one.instances_estimated) == (40, False)
    assert one.renewed_at is not None and one.renewed_at.day == 1
    installed.take([{"Authorization": f"Bearer {one}"} for one in tokens])
    one = installed.listed()["jwt"]
    assert one.instances_estimated and 5_000 < one.instances < 7_000
    assert one.renewed_at is not None and one.renewed_at.day == 2
    before = one.instances
    assert installed.lake.rows("SELECT count(*) AS n FROM lake.instances")["n"][0].as_py() <= 1_600
    folded = installed.lake.rows(f"SELECT count(*) AS n FROM ({kept('lake.instances')})")["n"][0].as_py()
    assert folded == 512 and before == installed.listed()["jwt"].instances


def test_an_erased_credential_leaves_nothing(installed: Installed) -> None:
    token = jwt(sub="u", azp="shop", iss="https://id")
    installed.take(
        [{"Authorization": f"Bearer {token}", "X-API-Key": SECRET}, {"X-API-Key": "other-key-123456"}]
    )
    listed = installed.listed()
    erase(installed.lake, Subject(credential_id=listed["jwt"].credential_id), fixed_clock(NOW))
    left = credentials(installed.lake, Scope()).rows
    assert [(one.kind, one.calls) for one in left] == [("api_key", 1), ("api_key", 1)]
    assert installed.lake.rows("SELECT * FROM lake.instances").num_rows == 0
