"""`make bench-bodies`: calls with 2 kB of JSON both ways, through the real `wardgate ingest`, per CPU-second.

Twelve operations of a shop, a clinic and a code host, every body of its own values: identifiers, stamps,
money, words, free text, and personal data in a third of the operations. The same calls without bodies are
ingested as well, so that what bodies cost is told apart. Rates are between a tenth of the calls and all of
them: what starting costs is in both.
"""

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median
from uuid import UUID

sys.path.insert(0, str(Path(__file__).parent))

from made_values import FIRST, LAST, STREETS, TOWNS, email, phone
from measure import made, run

LIMIT = 8_000
"""Calls a CPU-second, at least."""
WORDS = (
    "order delivery window package customer returned damaged replaced invoice payment received pending review"
    " shipped warehouse request response retry service upgrade account limit monthly report summary detail"
).split()
Make = Callable[[random.Random], dict[str, object]]


def uuid(r: random.Random) -> str:
    return str(UUID(int=r.getrandbits(128), version=4))


def stamp(r: random.Random) -> str:
    return f"2026-{r.randint(1, 12):02}-{r.randint(1, 28):02}T{r.randint(0, 23):02}:{r.randint(0, 59):02}:17Z"


def text(r: random.Random, words: int) -> str:
    return " ".join(r.choice(WORDS) for _ in range(words))


def money(r: random.Random) -> dict[str, object]:
    return {"amount": round(r.uniform(1, 900), 2), "currency": r.choice(("EUR", "USD", "GBP"))}


def person(r: random.Random) -> dict[str, object]:
    return {
        "id": uuid(r),
        "firstName": r.choice(FIRST),
        "lastName": r.choice(LAST),
        "email": email(r),
        "phone": phone(r) if r.random() < 0.7 else None,
        "address": {
            "street": f"{r.randint(1, 300)} {r.choice(STREETS)}",
            "city": r.choice(TOWNS),
            "postalCode": f"{r.randint(10000, 99999)}",
            "country": r.choice(("DE", "FR", "US")),
        },
        "createdAt": stamp(r),
        "isActive": r.random() < 0.9,
    }


def line_item(r: random.Random) -> dict[str, object]:
    return {
        "sku": f"SKU-{r.randint(1000, 99999)}",
        "title": text(r, 3),
        "quantity": r.randint(1, 9),
        "price": money(r),
        "taxRate": 0.19,
        "attributes": {"color": r.choice(("red", "green", "blue")), "size": r.choice("SML")},
    }


def commit(r: random.Random) -> dict[str, object]:
    return {
        "sha": f"{r.getrandbits(160):040x}",
        "url": f"https://code.example.com/api/repos/{r.choice(WORDS)}/commits/{r.getrandbits(40):010x}",
        "author": {"login": r.choice(LAST).lower(), "id": r.randint(1, 10**7), "type": "User"},
        "message": text(r, 9),
        "verified": r.random() < 0.5,
        "stats": {"additions": r.randint(0, 500), "deletions": r.randint(0, 500)},
        "date": stamp(r),
    }


def reading(r: random.Random) -> dict[str, object]:
    return {
        "at": stamp(r),
        "value": round(r.uniform(20, 180), 3),
        "unit": "mmHg",
        "device": f"d-{r.randint(1, 400)}",
    }


def filled(parts: dict[str, Make], size: int, name: str, each: Make) -> Make:
    """An object of these parts whose list `name` is long enough for `size` bytes."""

    def make(r: random.Random) -> dict[str, object]:
        whole: dict[str, object] = {key: one(r) for key, one in parts.items()}
        items: list[object] = []
        length = len(json.dumps(whole)) + 16
        while length < size:
            items.append(each(r))
            length += len(json.dumps(items[-1])) + 2
        return {**whole, name: items}

    return make


SIZE = 2_000
ORDER = filled(
    {
        "id": uuid,
        "status": lambda r: r.choice(("open", "paid", "shipped")),
        "total": money,
        "createdAt": stamp,
        "note": lambda r: text(r, 12),
        "page": lambda r: r.randint(1, 50),
    },
    SIZE,
    "items",
    line_item,
)
CUSTOMERS = filled({"total": lambda r: r.randint(1, 9999), "next": uuid}, SIZE, "data", person)
COMMITS = filled({"count": lambda r: r.randint(1, 99)}, SIZE, "commits", commit)
READINGS = filled(
    {"id": uuid, "patientId": uuid, "diagnosis": lambda r: text(r, 3)}, SIZE, "readings", reading
)
EVENTS = filled(
    {"batch": uuid},
    SIZE,
    "events",
    lambda r: {
        "id": uuid(r),
        "type": r.choice(("click", "view", "buy")),
        "at": stamp(r),
        "props": {"page": f"/p/{r.randint(1, 999)}", "ms": r.randint(1, 9999), "ref": None},
    },
)
PROFILE = filled(
    {"customer": person, "preferences": lambda r: {"locale": "de-DE", "newsletter": True}},
    SIZE,
    "orders",
    lambda r: {"id": uuid(r), "total": money(r), "state": r.choice(("open", "paid"))},
)
OPERATIONS: list[tuple[str, str, Make, Make]] = [
    ("POST", "/v1/orders", ORDER, ORDER),
    ("PUT", "/v1/orders/{}", ORDER, ORDER),
    ("POST", "/v1/customers/search", PROFILE, CUSTOMERS),
    ("PATCH", "/v1/customers/{}", PROFILE, PROFILE),
    ("POST", "/v1/repos/{}/commits", COMMITS, COMMITS),
    ("POST", "/v1/patients/{}/readings", READINGS, READINGS),
    ("POST", "/v1/events", EVENTS, EVENTS),
    ("POST", "/v1/carts/{}/items", ORDER, EVENTS),
    ("POST", "/v1/reports/query", EVENTS, COMMITS),
    ("PUT", "/v1/stock/{}", EVENTS, ORDER),
    ("POST", "/v1/imports/{}", ORDER, COMMITS),
    ("POST", "/v1/webhooks/{}/deliveries", EVENTS, EVENTS),
]


def write_calls(path: Path, calls: int, has_bodies: bool, seed: int) -> Path:
    """Calls as JSON Lines."""
    r = random.Random(seed)
    with path.open("w", encoding="utf-8") as out:
        for at in range(calls):
            method, template, request, response = r.choice(OPERATIONS)
            call = {
                "ts": 1_790_000_000_000 + at * 7,
                "method": method,
                "url": "https://api.example.com" + template.format(r.randint(1, 10**6)),
                "status": r.choice((200, 200, 200, 201, 404)),
                "duration_ms": round(r.random() * 300, 3),
                "client_ip": f"192.0.2.{r.randint(1, 254)}",
                "request_headers": {
                    "Authorization": f"Bearer {r.randrange(300):04x}Zk3vQ9xT7bW1mN5pR8sLfD2gH6jC4yXa",
                    "User-Agent": "okhttp/4.12.0",
                    "Content-Type": "application/json",
                },
                "response_headers": {"Content-Type": "application/json"},
            }
            asked, answered = request(r), response(r)
            if has_bodies:
                call |= {"request_body": asked, "response_body": answered}
            out.write(json.dumps(call, separators=(",", ":")) + "\n")
    return path


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=40_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--seed", type=int, default=7)
    asked = parser.parse_args()
    few = asked.calls // 10
    cpu: dict[tuple[int, bool], list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        inputs = {
            (calls, has): made(write_calls, place / f"{calls}-{has}.jsonl", calls, has, asked.seed)
            for calls in (few, asked.calls)
            for has in (True, False)
        }
        for number in range(asked.runs):
            for (calls, has), file in inputs.items():
                home = place / f"home-{number}-{calls}-{has}"
                done = run(
                    [sys.executable, "-m", "wardgate", "--home", str(home), "ingest", str(file), "--json"],
                    place / "log",
                )
                cpu.setdefault((calls, has), []).append(done.cpu)
                words = "with 2 kB bodies both ways" if has else "without bodies"
                print(
                    f"{calls:7,} calls {words}: {done.cpu:5.2f} CPU-s, {done.memory_mb:4.0f} MB", flush=True
                )
    whole = {key: median(times) for key, times in cpu.items()}
    each = {has: (whole[asked.calls, has] - whole[few, has]) / (asked.calls - few) for has in (True, False)}
    rate = 1 / each[True]
    print(
        f"calls with 2 kB bodies both ways: {rate:,.0f} per CPU-second, {rate / LIMIT:.2f} of {LIMIT:,} "
        f"(at least 1); {asked.calls / whole[asked.calls, True]:,.0f} with the start of the program"
    )
    print(
        f"bodies cost {1e6 * (each[True] - each[False]):.0f} µs a call; "
        f"without them it takes {1e6 * each[False]:.0f} µs"
    )
    return 0 if rate >= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
