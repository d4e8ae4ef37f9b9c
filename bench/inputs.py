"""The inputs of the benchmarks: made, not stored; the same bytes every time.

`distinct`: every line another (120,000 paths, 150,000 addresses, 400 user agents). `repetitive`: 300 paths,
2,000 addresses, heavily skewed. `callers`: a new address on every line. JSON, HAR and JSON Lines carry what
such sources carry.
"""

import base64
import json
from collections.abc import Collection
from pathlib import Path

import numpy as np

DAY = 86_400
_NOUNS = ("users", "orders", "items", "carts", "accounts")
_LINE = '{a} - - [14/Nov/2026:{h:02d}:{m:02d}:{s:02d} +0000] "{v} {p} HTTP/1.1" {c} {b} "-" "{u}"\n'


def combined_log(path: Path, lines: int, kind: str) -> Path:
    """An NGINX combined log of `lines` lines; `kind` is distinct, repetitive or callers."""
    random = np.random.default_rng({"distinct": 1, "repetitive": 2, "callers": 3}[kind])
    paths = [_path(i) for i in range(120_000 if kind == "distinct" else 300)]
    addresses = {"distinct": 150_000, "repetitive": 2_000, "callers": lines}[kind]
    agents = [
        f"Mozilla/5.0 (X11; Linux x86_64; rv:{100 + i % 40}.0) Gecko/20100101 "
        f"Firefox/{100 + i % 40}.{i // 40}"
        for i in range(400 if kind == "distinct" else 40)
    ] + ["curl/8.1.2", "python-requests/2.31.0", "okhttp/4.9.3"]
    seconds = np.sort(random.integers(0, DAY, lines))
    if kind == "repetitive":
        at_path, at_address = ((random.zipf(1.3, lines) - 1) % n for n in (len(paths), addresses))
    else:
        at_path = random.integers(0, len(paths), lines)
        at_address = np.arange(lines) if kind == "callers" else random.integers(0, addresses, lines)
    columns = (
        at_path,
        at_address,
        random.integers(0, len(agents), lines),
        random.choice([200, 200, 200, 200, 201, 304, 404, 500], lines),
        random.integers(100, 90_000, lines),
        random.choice(["GET", "GET", "GET", "POST", "PUT", "DELETE"], lines),
    )
    with path.open("w") as file:
        for start in range(0, lines, 50_000):
            part = slice(start, start + 50_000)
            rows = zip(seconds[part].tolist(), *(column[part].tolist() for column in columns), strict=True)
            file.write(
                "".join(
                    _LINE.format(
                        a=_address(a),
                        h=t // 3600,
                        m=t // 60 % 60,
                        s=t % 60,
                        v=v,
                        p=paths[p],
                        c=c,
                        b=b,
                        u=agents[u],
                    )
                    for t, p, a, u, c, b, v in rows
                )
            )
    return path


def _path(i: int) -> str:
    return f"/api/v1/{_NOUNS[i % 5]}/{i}" + ("" if i % 3 else "/detail")


def _address(i: int) -> str:
    return f"{10 + i // 65_536 % 200}.{i // 256 % 256}.{i % 256}.{i * 7 % 250 + 1}"


CLOUDFLARE_DEFAULT = (
    *("ClientIP", "ClientRequestHost", "ClientRequestMethod", "ClientRequestURI", "EdgeEndTimestamp"),
    *("EdgeResponseBytes", "EdgeResponseStatus", "EdgeStartTimestamp", "RayID"),
)
"""The fields that a Logpush job has where nobody chose others (Cloudflare API, `logpush_fields`)."""


def cloudflare_log(path: Path, lines: int, fields: Collection[str] = CLOUDFLARE_DEFAULT) -> Path:
    """Cloudflare Logpush `http_requests`; without `fields` all 26 that are made here."""
    random = np.random.default_rng(4)
    with path.open("w") as file:
        for i in range(lines):
            n = int(random.integers(0, 20_000))
            second = i * DAY // lines
            stamp = f"2026-11-14T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
            row = {
                "ClientIP": _address(n),
                "ClientRequestHost": f"api{n % 5}.example.com",
                "ClientRequestMethod": "GET",
                "ClientRequestURI": f"{_path(n)}?page={n % 9}",
                "ClientRequestPath": _path(n),
                "ClientRequestScheme": "https",
                "ClientRequestProtocol": "HTTP/2",
                "ClientRequestBytes": 900 + n % 99,
                "ClientRequestUserAgent": f"shop-app/{n % 30}.1 (iOS 19)",
                "ClientRequestReferer": "",
                "ClientSSLProtocol": "TLSv1.3",
                "ClientSSLCipher": "AEAD-AES128-GCM-SHA256",
                "ClientSrcPort": 4000 + n,
                "ClientCountry": "de",
                "ClientASN": 3320,
                "EdgeStartTimestamp": stamp,
                "EdgeEndTimestamp": stamp,
                "EdgeResponseStatus": 200 if n % 9 else 404,
                "EdgeResponseBytes": 1200 + n,
                "EdgeResponseContentType": "application/json",
                "OriginIP": "10.0.0.9",
                "OriginResponseStatus": 200,
                "OriginResponseDurationMs": n % 300,
                "RayID": f"{i:016x}",
                "CacheCacheStatus": "dynamic",
                "ZoneID": 7,
            }
            kept = {name: value for name, value in row.items() if not fields or name in fields}
            file.write(json.dumps(kept, separators=(",", ":")) + "\n")
    return path


def wide_cloudflare_log(path: Path, lines: int) -> Path:
    """The same with 26 fields, more than twice as long."""
    return cloudflare_log(path, lines, ())


def _token(subject: int) -> str:
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    claims = {
        "iss": "https://id.example.com",
        "sub": f"user-{subject}",
        "azp": "shop-web",
        "scope": "orders:read",
    }
    return f"{part({'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.{'c2lnbmF0dXJl' * 8}"


def _body(n: int) -> dict[str, object]:
    return {
        "id": n,
        "items": [{"sku": f"A-{n}-{k}", "quantity": k, "note": "gift " * 6} for k in range(12)],
        "total": n * 3,
    }


def har(path: Path, entries: int) -> Path:
    """A HAR with headers and JSON bodies both ways."""
    tokens = [_token(i) for i in range(200)]
    rows = []
    for i in range(entries):
        body = json.dumps(_body(i % 500))
        rows.append(
            {
                "startedDateTime": f"2026-11-14T10:{i // 60 % 60:02d}:{i % 60:02d}.{i % 1000:03d}Z",
                "time": 12.5,
                "request": {
                    "method": "POST",
                    "url": f"https://api.example.com{_path(i % 3000)}",
                    "httpVersion": "HTTP/2",
                    "headers": [
                        {"name": "authorization", "value": f"Bearer {tokens[i % 200]}"},
                        {"name": "user-agent", "value": "Mozilla/5.0 Firefox/120.0"},
                        {"name": "content-type", "value": "application/json"},
                    ],
                    "queryString": [],
                    "cookies": [],
                    "headersSize": -1,
                    "bodySize": len(body),
                    "postData": {"mimeType": "application/json", "text": body},
                },
                "response": {
                    "status": 200,
                    "statusText": "OK",
                    "httpVersion": "HTTP/2",
                    "cookies": [],
                    "headers": [{"name": "content-type", "value": "application/json"}],
                    "content": {"size": len(body), "mimeType": "application/json", "text": body},
                    "redirectURL": "",
                    "headersSize": -1,
                    "bodySize": len(body),
                },
                "cache": {},
                "timings": {"send": 0, "wait": 12, "receive": 0.5},
            }
        )
    log = {"version": "1.2", "creator": {"name": "bench", "version": "1"}, "entries": rows}
    path.write_text(json.dumps({"log": log}))
    return path


def json_lines(path: Path, lines: int) -> Path:
    """Wardgate's own JSON Lines with headers and bodies both ways."""
    tokens = [_token(i) for i in range(200)]
    with path.open("w") as file:
        for i in range(lines):
            row = {
                "ts": f"2026-11-14T10:{i // 60 % 60:02d}:{i % 60:02d}.{i % 1000:03d}Z",
                "method": "POST",
                "url": f"https://api.example.com{_path(i % 3000)}",
                "status": 200,
                "duration_ms": 12.5,
                "client_ip": _address(i % 5000),
                "request_headers": {
                    "authorization": f"Bearer {tokens[i % 200]}",
                    "content-type": "application/json",
                },
                "request_body": _body(i % 500),
                "response_headers": {"content-type": "application/json"},
                "response_body": _body(i % 500),
            }
            file.write(json.dumps(row) + "\n")
    return path
