"""Standings of many operations: what it costs to list, filter, count and own them.

    python bench/standings.py [--operations 100000]

Makes a lake of operations on five services and a description of each that has half of them, deprecated ones
and some that nobody calls. Prints CPU-seconds, and the same listing without judging as a ratio's other side.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.inventory.covering import Given
from wardgate.inventory.specifications.reading import read_content
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Batch, Lake
from wardgate.lake.tables import PATHS, ROLLUPS
from wardgate.service import reading
from wardgate.service.given import Knowledge
from wardgate.service.reading import Asked
from wardgate.service.standings import Standings

SERVICES, NEVER = 5, 200
MOMENT = datetime(2026, 3, 1)  # noqa: DTZ001 - the lake's times are naive and in UTC


def template(n: int) -> str:
    return f"/g{n // 500}/r{n % 500}/{{id}}"


def fill(lake: Lake, number: int) -> None:
    """`number` operations with three calls each; every third was never found."""
    nothing = {field.name: 0 for field in ROLLUPS}
    paths, rollups = [], []
    for n in range(number):
        service = f"svc{n % SERVICES}.example"
        found = {"service": service, "protocol": "http", "method": "GET", "template": f"/v1{template(n)}"}
        paths.append(
            {
                "path_id": n + 1,
                "version": 1,
                "path": f"/v1{template(n)}",
                "operation_id": n + 1,
                "static": False,
            }
            | found
        )
        outcome = {"status_2xx": 3} if n % 3 else {"status_4xx": 3}
        when = {"minute_us": MOMENT, "first_us": MOMENT, "last_us": MOMENT}
        rollups.append(
            {**nothing, **when, **outcome, "source": "edge", "path_id": n + 1, "caller_id": 1, "calls": 3}
        )
    lake.commit(
        Batch(
            1,
            {
                "paths": pa.Table.from_pylist(paths, schema=PATHS),
                "rollups": pa.Table.from_pylist(rollups, schema=ROLLUPS),
            },
        )
    )


def given(number: int) -> list[Given]:
    """A description of each service, with every second of its operations."""
    out = []
    for s in range(SERVICES):
        paths: dict[str, object] = {
            template(n): {"get": {"deprecated": n % 7 == 0}} for n in range(s, number, SERVICES) if n % 2
        }
        paths |= {f"/never{n}": {"get": {}} for n in range(NEVER)}
        servers = [{"url": f"https://svc{s}.example/v1"}]
        document = {"openapi": "3.1.0", "info": {"title": "x"}, "servers": servers, "paths": paths}
        out.append(Given(f"{s}.json", 1, read_content(json.dumps(document).encode(), "a.json")))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--operations", type=int, default=100_000)
    number = parser.parse_args().operations
    with tempfile.TemporaryDirectory() as folder:
        lake = Lake(embedded_place(open_home(Path(folder) / "home")))
        fill(lake, number)
        knowledge = Knowledge(given(number))
        page = Asked(limit=50, static=False)

        def listing(**more: str) -> Callable[[], object]:
            asked = Asked(limit=50, static=False, **more)  # type: ignore[arg-type]
            return lambda: Standings(lake, knowledge).listing(asked, system_clock)

        for what, work in (
            ("a page, not judged", lambda: reading.operations(lake, page, system_clock)),
            ("a page", listing()),
            ("a page of shadows", listing(standing="shadow")),
            ("a page of unused ones", listing(standing="unused")),
            ("a page that nobody owns", listing(owner="none")),
            ("counts by standing", lambda: Standings(lake, knowledge).counts()),
        ):
            began = time.process_time()
            work()
            print(f"{what:<26}{time.process_time() - began:>8.2f}  CPU-seconds")
        lake.close()
    print(f"of {number:,} operations and {SERVICES} descriptions")


if __name__ == "__main__":
    main()
