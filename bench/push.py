"""`make bench-push`: pushed calls, durable when answered, while the inventory is read each second.

A real `wardgate up` with its defaults; eight clients, each with one connection, push batches of 500 calls
without bodies, every batch under a key of its own, and wait for the answer. Another reads the inventory once
a second. Clients have processes of their own, whose CPU is told apart: on a machine of two cores they take
from the server, so the rate is given as measured, and as it is with their share of the cores given back.

At the end the ledger is asked: what was answered must be there, once.
"""

import argparse
import http.client
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.synchronize import Barrier
from pathlib import Path
from statistics import median, quantiles

from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.service.reading import Asked, operations
from wardgate.state.store import open_state
from wardgate.state.tokens import PushTokens

CLIENTS = 8
BATCH = 500
RATE, P99_S = 20_000, 0.5
CORES = 2
"""Limits of the figure: calls a second on so many cores, and the 99th percentile of the answer."""
_BODIES = 40  # distinct batches of each client
_AGENTS = ["curl/8.5.0", "python-requests/2.31.0", "okhttp/4.12.0", "Go-http-client/2.0", "axios/1.6.8"]


@dataclass(frozen=True, slots=True)
class Figures:
    """One run. CPU in core-seconds a second."""

    rate: float
    rate_alone: float
    p50: float
    p99: float
    read: float
    server_cpu: float
    clients_cpu: float
    per_cpu_second: float


def batches(client: int) -> list[bytes]:
    """A client's batches: 20,000 objects, 300 keys, 4,000 addresses between all clients."""
    rng = random.Random(client)
    now = int(time.time() * 1000)
    out = []
    for number in range(_BODIES):
        lines = []
        for i in range(BATCH):
            noun = rng.choice(("users", "orders", "items", "carts", "invoices"))
            call = {
                "ts": now + number * BATCH + i,
                "method": rng.choice(("GET", "GET", "GET", "POST", "PUT")),
                "url": f"https://api.example.com/v1/{noun}/{rng.randrange(20_000)}",
                "status": rng.choice((200, 200, 200, 201, 304, 404, 500)),
                "duration_ms": round(rng.random() * 300, 3),
                "client_ip": f"10.{rng.randrange(16)}.0.{rng.randrange(250)}",
                "request_headers": {
                    "Authorization": f"Bearer {rng.randrange(300):04x}Zk3vQ9xT7bW1mN5pR8sLfD2gH6jC4yXa",
                    "User-Agent": rng.choice(_AGENTS),
                },
            }
            lines.append(json.dumps(call))
        out.append(("\n".join(lines) + "\n").encode())
    return out


def push(client: int, port: int, token: str, seconds: float, ready: Barrier, sink: str) -> None:
    """One client: push until the time is over, and write down what was answered and how long it took."""
    bodies = batches(client)
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    ready.wait(120)
    before = resource.getrusage(resource.RUSAGE_SELF)
    start = time.monotonic()
    waits, answered, refused = [], 0, 0
    while time.monotonic() - start < seconds:
        number = len(waits)
        asked = time.monotonic()
        connection.request(
            "POST",
            "/v1/calls",
            bodies[number % _BODIES],
            {**headers, "Idempotency-Key": f"{client}-{number}"},
        )
        answer = connection.getresponse()
        body = answer.read()
        waits.append((asked - start, time.monotonic() - asked))
        if answer.status == 200:
            answered += json.loads(body)["accepted"]
        else:
            refused += 1
            time.sleep(float(answer.headers.get("Retry-After", 1)))
    after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with Path(sink, f"client-{client}.json").open("w") as file:
        json.dump({"waits": waits, "answered": answered, "refused": refused, "cpu": used}, file)


def read(port: int, home: Path, seconds: float, ready: Barrier, sink: str) -> None:
    """Read the inventory once a second: the page, and (it keeps what took long) the operations anew."""
    lake = Lake(embedded_place(open_home(home)))
    ready.wait(120)
    waits = []
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        asked = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/")
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 200
        operations(lake, Asked(limit=50), system_clock)
        waits.append(time.monotonic() - asked)
        time.sleep(max(0.0, 1 - waits[-1]))
    lake.close()
    with Path(sink, "reads.json").open("w") as file:
        json.dump(waits, file)


def measure(folder: Path, seconds: float, warm: float) -> Figures:
    """One run on a fresh home."""
    home = open_home(folder / "home")
    state = open_state(home)
    _, token = PushTokens(state, load_key(home.path), system_clock).create("bench")
    state.close()
    server = subprocess.Popen(
        [sys.executable, "-m", "wardgate", "--home", str(home.path), "up", "--json", "--port", "0"],
        stdout=subprocess.PIPE,
    )
    assert server.stdout is not None
    port = int(json.loads(server.stdout.readline())["url"].rstrip("/").rsplit(":", 1)[1])
    context = get_context("spawn")
    ready = context.Barrier(CLIENTS + 2)
    whole = warm + seconds
    started = [
        context.Process(target=push, args=(n, port, token, whole, ready, str(folder))) for n in range(CLIENTS)
    ]
    started.append(context.Process(target=read, args=(port, home.path, whole, ready, str(folder))))
    for one in started:
        one.start()
    ready.wait(120)  # clients make their batches
    time.sleep(warm)
    before = cpu_of(server.pid)
    time.sleep(seconds)
    server_cpu = (cpu_of(server.pid) - before) / seconds
    for one in started:
        one.join()
    server.send_signal(signal.SIGTERM)
    assert server.wait(60) == 0
    found = [json.loads((folder / f"client-{n}.json").read_text()) for n in range(CLIENTS)]
    check(home.path, sum(one["answered"] for one in found))
    waits = [took for one in found for asked, took in one["waits"] if asked >= warm]
    rate = len(waits) * BATCH / seconds
    clients_cpu = sum(one["cpu"] for one in found) / whole
    reads = json.loads((folder / "reads.json").read_text())
    assert sum(one["refused"] for one in found) == 0, "nothing is refused at this load"
    return Figures(
        rate=rate,
        rate_alone=rate * CORES / (CORES - clients_cpu),
        p50=median(waits),
        p99=quantiles(waits, n=100)[98],
        read=median(reads),
        server_cpu=server_cpu,
        clients_cpu=clients_cpu,
        per_cpu_second=rate / server_cpu,
    )


def cpu_of(pid: int) -> float:
    """Core-seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check(home: Path, answered: int) -> None:
    """What was answered is there, once: in the ledger, in the calls and in the rollups."""
    lake = Lake(embedded_place(open_home(home)))
    (found,) = lake.rows(
        "SELECT (SELECT count(*) FROM lake.calls) AS calls, "
        "(SELECT sum(calls) FROM lake.rollups)::BIGINT AS rolled_up, "
        "(SELECT sum(accepted) FROM lake.ledger)::BIGINT AS accepted"
    ).to_pylist()
    lake.close()
    assert set(found.values()) == {answered}, f"answered {answered}, found {found}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--warm", type=float, default=5, help="seconds that are left out at the start")
    parser.add_argument("--runs", type=int, default=3)
    arguments = parser.parse_args()
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    runs = []
    for _ in range(arguments.runs):
        folder = Path(tempfile.mkdtemp(prefix="wardgate-bench-"))
        try:
            runs.append(measure(folder, arguments.seconds, arguments.warm))
        finally:
            shutil.rmtree(folder)
        one = runs[-1]
        print(
            f"{one.rate:,.0f} calls/s ({one.rate_alone:,.0f} without the clients), "
            f"p50 {one.p50 * 1000:.0f} ms, p99 {one.p99 * 1000:.0f} ms, read {one.read * 1000:.0f} ms, "
            f"server {one.server_cpu:.2f} cores, clients {one.clients_cpu:.2f}, "
            f"{one.per_cpu_second:,.0f} calls per CPU-second",
            flush=True,
        )
    rate = median(one.rate_alone for one in runs)
    p99 = median(one.p99 for one in runs)
    print(f"rate: {rate:,.0f} calls/s, {rate / RATE:.2f} of the {RATE:,} it must reach")
    print(f"p99: {p99 * 1000:.0f} ms, {p99 / P99_S:.2f} of the {P99_S * 1000:.0f} ms it may take")
    sys.exit(0 if rate >= RATE and p99 <= P99_S else 1)


if __name__ == "__main__":
    main()
