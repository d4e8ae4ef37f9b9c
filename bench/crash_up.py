"""`wardgate up` as the crash rig runs it, and those who push to it.

The product is started by its command line in a home with a `wardgate.toml`: it follows a folder of logs,
takes pushes and maintains the lake. Senders do what a sender should: they keep a batch until its answer is
200, and send it again, under the same key, after anything else.
"""

import http.client
import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Lock, Thread
from urllib.parse import urlsplit

from crash_worker import Folder
from wardgate.core.keys import load_key
from wardgate.state.store import open_state
from wardgate.state.tokens import PushTokens

BATCH = 60
"""Calls of a pushed batch."""
CONFIGURATION = """
[lake]
memory = "200MB"
maintenance_interval_s = 1
[push]
gather_ms = 10
[[source]]
name = "followed"
path = {logs}
format = "nginx"
"""


class Product:
    """Starts `wardgate` on the rig's home. `url` is where it answers now; None while it does not."""

    def __init__(self, folder: Folder) -> None:
        self.folder = folder
        self.url: str | None = None
        self.answered: list[float] = []
        """Seconds from each start to the first answer that it is ready."""
        home = folder.home
        home.config.write_text(CONFIGURATION.format(logs=json.dumps(str(folder.logs))))
        state = open_state(home)
        self.token = PushTokens(state, load_key(home.path), folder.clock).create("pusher", source="pushed")[1]
        state.close()

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", "wardgate", "--home", str(self.folder.home_path), *arguments]

    @property
    def environ(self) -> dict[str, str]:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("WARDGATE_")}
        clock = str(Path(__file__).with_name("crash_clock"))
        path = os.pathsep.join(one for one in (clock, os.environ.get("PYTHONPATH", "")) if one)
        return kept | {"PYTHONPATH": path, "CRASH_CLOCK": str(self.folder.path / "clock")}

    def ingest(self, path: Path, name: str) -> str:
        """`wardgate ingest`; what was wrong, if anything."""
        done = subprocess.run(
            self.command("ingest", str(path), "--name", name, "--format", "nginx"),
            env=self.environ,
            capture_output=True,
            text=True,
            check=False,
        )
        return f"wardgate ingest ended with {done.returncode}: {done.stderr}" if done.returncode else ""

    def start(self, stderr: int) -> "subprocess.Popen[bytes]":
        """`wardgate up`, the first of a process group of its own."""
        self.url = None
        start = time.monotonic()
        process = subprocess.Popen(
            self.command("up", "--port", "0", "--json"),
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=stderr,
            start_new_session=True,
        )
        Thread(target=self._hear, args=[process, start], daemon=True).start()
        return process

    def _hear(self, process: "subprocess.Popen[bytes]", start: float) -> None:
        """Wait for its address and its first answer."""
        assert process.stdout is not None
        with suppress(OSError, ValueError, http.client.HTTPException):
            url = json.loads(process.stdout.readline())["url"]
            if ask(url, "GET", "/readyz")[0] == 200:
                self.answered.append(time.monotonic() - start)
                self.folder.tell("up.log", str(process.pid))
            self.url = url


class Pusher:
    """Pushes batch after batch from a thread, until it is told to stop and the last one is acknowledged."""

    def __init__(self, product: Product, number: int) -> None:
        self.acknowledged: list[str] = []
        self.refusals: dict[str, int] = {}
        """Answers other than 200, by status and code."""
        self.failures: list[str] = []
        self._product = product
        self._number = number
        self._stop = Event()
        self._lock = Lock()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()

    def join(self) -> None:
        self._thread.join(120)
        if self._thread.is_alive():
            self.failures.append(f"a batch was never acknowledged; refused: {self.refusals}")

    def _run(self) -> None:
        while not self._stop.is_set():
            batch = f"{self._number}-{len(self.acknowledged)}"
            self._push(batch, is_new=True)
            self.acknowledged.append(batch)
            if len(self.acknowledged) % 8 == 0:  # as if its answer had been lost
                self._push(batch, is_new=False)

    def _push(self, batch: str, *, is_new: bool) -> None:
        """Until it is acknowledged."""
        body = "".join(
            f'{{"method":"GET","url":"https://api.example/push/{batch}/{n}","ts":{1_790_000_000 + n}}}\n'
            for n in range(BATCH)
        )
        headers = {
            "Authorization": f"Bearer {self._product.token}",
            "Content-Type": "application/x-ndjson",
            "Idempotency-Key": f"batch {batch}",
        }
        while True:
            url = self._product.url
            try:
                status, answer = ask(url, "POST", "/v1/calls", body, headers) if url else (0, {})
            except (OSError, http.client.HTTPException, ValueError):
                status, answer = 0, {}  # it was killed
            if status == 200:
                if answer["accepted"] != BATCH or not (is_new or answer["duplicate"]):
                    self.failures.append(f"batch {batch} was answered with {answer}")
                return
            if status:
                said = f"{status} {answer.get('code')}: {answer.get('title')}"
                self.refusals[said] = self.refusals.get(said, 0) + 1
                if status not in (429, 503) and self.refusals[said] == 1:
                    self.failures.append(f"a batch was answered with {said}")
            time.sleep(0.05)


def ask(
    url: str, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, object]]:
    """Status and JSON of an answer; another content type gives no JSON."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        content = answer.read()
        is_json = "json" in (answer.headers["content-type"] or "")
        return answer.status, json.loads(content) if is_json else {}
    finally:
        connection.close()
