"""Sample traffic: a shop's API as its edge and its gateway saw it, for `make run` and the tutorial.

    python samples/shop.py FOLDER [--end 2026-03-01T12:00:00Z] [--calls 6000]

Writes `edge.log` (NGINX, with the `log_format` in `nginx.conf` beside it) and `gateway.jsonl` (Wardgate JSON
Lines with headers and bodies). The same arguments give the same bytes. Both carry request ids, so calls that
both saw count once. Every token, key and password is made up here while it runs; none opens anything.
"""

import argparse
import base64
import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOST = "api.shop.example"
NGINX_CONF = r"""# The edge of the sample shop.
events {}
http {
    log_format shop '$remote_addr - $remote_user [$time_local] "$request" $status $body_bytes_sent '
                    '"$http_referer" "$http_user_agent" $host $request_time $request_id';
    access_log /var/log/nginx/edge.log shop;
}
"""
BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/131.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 Version/17.5 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0",
)
NOISE = (  # what scanners and broken clients leave in a log: kept, and counted
    r'{ip} - - [{time}] "\x16\x03\x01\x00\xEE" 400 150 "-" "-" - 0.000 -',
    '{ip} - - [{time}] "GET / HTTP/1.1" 200',
    "2026/03/01 11:58:02 [warn] 31#31: *8 a client request body is buffered to a temporary file",
)


@dataclass(slots=True)
class Call:
    """One request with its response."""

    at: datetime
    address: str
    agent: str
    method: str
    path: str
    status: int
    seconds: float
    headers: dict[str, str] = field(default_factory=dict)
    login: str = "-"
    body: object = None
    answer: object = None
    at_gateway: bool = True


class Shop:
    """Makes the calls of everybody who uses the shop."""

    def __init__(self, seed: int, end: datetime) -> None:
        self.dice = random.Random(seed)  # noqa: S311 - the same sample each time
        self.end = end
        self.key = self._opaque(32)
        self.customers = [(1000 + n, self._address("203.0.113"), self._opaque(26)) for n in range(40)]
        self.tokens = {
            "mobile": [
                self._token(sub=f"customer-{n}", client_id="shop-mobile", scope="orders:read orders:write")
                for n in range(25)
            ],
            "warehouse": [
                self._token(sub="warehouse", client_id="warehouse", scope="orders:read stock:write")
            ],
            "assistant": [
                self._token(
                    sub="customer-7",
                    client_id="shopping-assistant",
                    scope="cart:write",
                    act={"sub": "assistant-bot"},
                )
            ],
        }

    def _opaque(self, length: int) -> str:
        return "".join(self.dice.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=length))

    def _address(self, network: str) -> str:
        return f"{network}.{self.dice.randrange(1, 255)}"

    def _token(self, **claims: object) -> str:
        """A JSON Web Token of nobody's: its signature is random."""
        until = int((self.end + timedelta(hours=1)).timestamp())
        body = {"iss": "https://login.shop.example", "aud": "shop-api", "exp": until, **claims}
        parts = [json.dumps(part).encode() for part in ({"alg": "RS256", "typ": "JWT"}, body)]
        parts.append(self.dice.randbytes(64))
        return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)

    def calls(self, number: int) -> list[Call]:
        """`number` calls over the day before `end`, in order of time."""
        kinds: dict[Callable[[datetime], Call], int] = {
            self.browser: 34, self.page: 14, self.mobile: 26, self.warehouse: 10, self.partner: 7,
            self.assistant: 4, self.crawler: 2, self.scanner: 2, self.legacy: 1,
        }  # fmt: skip
        start = self.end - timedelta(days=1)
        moments = sorted(start + timedelta(seconds=self.dice.uniform(0, 86_400)) for _ in range(number))
        makers = self.dice.choices(list(kinds), weights=list(kinds.values()), k=number)
        return [make(at) for make, at in zip(makers, moments, strict=True)]

    def _took(self, usual_ms: float) -> float:
        return round(self.dice.lognormvariate(0, 0.6) * usual_ms / 1000, 3)

    def _product(self) -> int:
        return self.dice.randrange(500, 900)

    def browser(self, at: datetime) -> Call:
        customer, address, session = self.dice.choice(self.customers)
        product, order = self._product(), self.dice.randrange(70_000, 99_999)
        method, path, usual, status = self.dice.choice(
            (
                ("GET", f"/v1/products/{product}", 12, 200),
                ("GET", f"/v1/products/{product}/reviews", 25, 200),
                ("GET", "/v1/search?q=lamp&page=1", 48, 200),
                ("POST", "/v1/cart/items", 30, 201),
                ("DELETE", f"/v1/cart/items/{product}", 22, 204),
                ("GET", f"/v1/customers/{customer}/orders", 35, 200),
                ("GET", f"/v1/orders/{order}", 18, self.dice.choice((200, 200, 200, 404))),
                ("POST", "/v1/login", 140, self.dice.choice((200, 200, 401))),
            )
        )
        body: object = None
        if path == "/v1/login":
            body = {"login": f"customer{customer}@example.com", "password": self._opaque(12)}
        agent = BROWSERS[customer % len(BROWSERS)]
        return Call(
            at, address, agent, method, path, status, self._took(usual), {"cookie": f"session_id={session}"},
            body=body, answer={"items": [{"id": product}]} if method == "GET" else None,
        )  # fmt: skip

    def page(self, at: datetime) -> Call:
        customer, address, _ = self.dice.choice(self.customers)
        path = self.dice.choice(
            ("/index.html", "/assets/app.3f9a.js", "/assets/shop.css", "/img/lamp.webp", "/favicon.ico")
        )
        agent = BROWSERS[customer % len(BROWSERS)]
        return Call(
            at, address, agent, "GET", path, self.dice.choice((200, 304)), self._took(2), at_gateway=False
        )

    def mobile(self, at: datetime) -> Call:
        which = self.dice.randrange(len(self.tokens["mobile"]))
        order = self.dice.randrange(70_000, 99_999)
        method, path, status = self.dice.choice(
            (
                ("GET", "/v2/me", 200),
                ("GET", "/v2/orders?limit=20", 200),
                ("POST", "/v2/orders", 201),
                ("GET", f"/v2/orders/{order}/tracking", 200),
                ("PUT", f"/v2/devices/{which:08x}-6f1c-4b7e-9d2a-3c5e8f7a1b{which:02x}/push-token", 204),
                ("POST", f"/v2/orders/{order}/payments", self.dice.choice((201, 201, 402, 500))),
            )
        )
        headers = {
            "authorization": f"Bearer {self.tokens['mobile'][which]}",
            "content-type": "application/json",
        }
        body = {"card": {"number": "4242424242424242", "cvc": "123"}} if path.endswith("payments") else None
        return Call(
            at, f"198.51.100.{which + 10}", "ShopApp/5.2 okhttp/4.12.0", method, path, status, self._took(40),
            headers, body=body, answer={"order": order, "state": "shipped"},
        )  # fmt: skip

    def warehouse(self, at: datetime) -> Call:
        order = self.dice.randrange(70_000, 99_999)
        method, path = self.dice.choice(
            (("GET", "/internal/v1/picklist"), ("POST", f"/internal/v1/orders/{order}/shipments"))
        )
        headers = {"authorization": f"Bearer {self.tokens['warehouse'][0]}"}
        return Call(
            at,
            "10.20.0.14",
            "warehouse-sync/1.8 python-httpx/0.28",
            method,
            path,
            200,
            self._took(60),
            headers,
        )

    def partner(self, at: datetime) -> Call:
        path = self.dice.choice((f"/partner/v1/products/{self._product()}/price", "/partner/v1/feed"))
        headers = {"x-api-key": self.key}
        return Call(at, "192.0.2.80", "acme-price-sync/3.1", "GET", path, 200, self._took(20), headers)

    def assistant(self, at: datetime) -> Call:
        method, path = self.dice.choice((("GET", "/v1/search?q=desk"), ("POST", "/v1/cart/items")))
        headers = {"authorization": f"Bearer {self.tokens['assistant'][0]}"}
        agent = "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko); compatible; ChatGPT-User/1.0"
        return Call(at, "192.0.2.201", agent, method, path, 200, self._took(70), headers)

    def crawler(self, at: datetime) -> Call:
        agent = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
        path = f"/v1/products/{self._product()}"
        return Call(at, "192.0.2.66", agent, "GET", path, 200, self._took(14), at_gateway=False)

    def scanner(self, at: datetime) -> Call:
        path = self.dice.choice(
            ("/.env", "/wp-login.php", "/v1/admin/users", "/actuator/health", "/v1/orders/1%27--")
        )
        return Call(
            at,
            "192.0.2.13",
            "Nuclei - Open-source project",
            "GET",
            path,
            404,
            self._took(3),
            at_gateway=False,
        )

    def legacy(self, at: datetime) -> Call:
        """An old job that still sends a password, to a version nobody meant to keep."""
        basic = base64.b64encode(b"report-job:" + self.key[:8].encode()).decode()
        headers = {"authorization": f"Basic {basic}"}
        return Call(
            at,
            "10.20.0.9",
            "curl/7.29.0",
            "GET",
            "/v0/export/orders",
            200,
            self._took(900),
            headers,
            "report-job",
        )


def edge_line(call: Call, request_id: str) -> str:
    """The call as NGINX logs it."""
    return (
        f"{call.address} - {call.login} [{call.at:%d/%b/%Y:%H:%M:%S +0000}] "
        f'"{call.method} {call.path} HTTP/1.1" {call.status} {len(json.dumps(call.answer))} '
        f'"-" "{call.agent}" '
        f"{HOST} {call.seconds:.3f} {request_id}"
    )


def gateway_line(call: Call, request_id: str) -> str:
    """The call as the gateway writes it, as Wardgate JSON Lines."""
    record = {
        "ts": f"{call.at:%Y-%m-%dT%H:%M:%S}.{call.at.microsecond // 1000:03d}Z",
        "method": call.method,
        "url": f"https://{HOST}{call.path}",
        "status": call.status,
        "duration_ms": round(call.seconds * 1000, 1),
        "client_ip": call.address,
        "request_headers": {"user-agent": call.agent, "x-request-id": request_id, **call.headers},
        "request_body": call.body,
        "response_headers": {"content-type": "application/json"},
        "response_body": call.answer,
    }
    return json.dumps({name: value for name, value in record.items() if value is not None})


def write(folder: Path, end: datetime, number: int, seed: int = 20260301) -> None:
    """Write the sample into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    shop = Shop(seed, end)
    edge: list[str] = []
    gateway: list[str] = []
    for at, call in enumerate(shop.calls(number)):
        request_id = f"{shop.dice.getrandbits(128):032x}"
        edge.append(edge_line(call, request_id))
        if call.at_gateway:
            gateway.append(gateway_line(call, request_id))
        if at % 997 == 500:
            noise = NOISE[at % len(NOISE)]
            edge.append(noise.format(ip="192.0.2.13", time=f"{call.at:%d/%b/%Y:%H:%M:%S +0000}"))
    (folder / "edge.log").write_text("\n".join(edge) + "\n")
    (folder / "gateway.jsonl").write_text("\n".join(gateway) + "\n")
    (folder / "nginx.conf").write_text(NGINX_CONF)


def main() -> None:
    arguments = argparse.ArgumentParser(description="Write the sample shop's traffic into a folder.")
    arguments.add_argument("folder", type=Path)
    arguments.add_argument(
        "--end", type=datetime.fromisoformat, help="time of the last call; default: this hour"
    )
    arguments.add_argument("--calls", type=int, default=6000)
    given = arguments.parse_args()
    end = given.end or datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    write(given.folder, end.astimezone(UTC), given.calls)


if __name__ == "__main__":
    main()
