"""`make bench-identities`: who user agents are taken for, against public lists, and what asking costs.

Declared bots: the samples of `crawler-user-agents` (which recognition reads) and, where it is at hand, of
`well-known-bots` (which it does not). A sample counts as recognised when it is taken for a crawler, an agent
or a scanner; HTTP libraries and tools that the lists hold too, when they are taken for a service. False
alarms: real user agents of browsers (`fake-useragent`) and of HTTP libraries that are taken for a bot.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow as pa
from crawleruseragents import CRAWLER_USER_AGENTS_DATA
from fake_useragent.utils import load

from wardgate.core.keys import Key
from wardgate.core.observed import observed_table
from wardgate.recognise.calls import Context, Recognition
from wardgate.recognise.software import software_of

WELL_KNOWN = Path(__file__).resolve().parents[2] / "shared" / "data" / "well-known-bots.json"
SHARED = Path("/work/shared/data/well-known-bots.json")
BOTS = {"crawler", "agent", "scanner"}
PROGRAMS = {"http-library", "tool", "programmatic", "webhook"}
LIBRARIES = (
    """
curl/8.5.0|Wget/1.21.4|python-requests/2.32.3|Python-urllib/3.12|python-httpx/0.27.0|aiohttp/3.9.5|okhttp/4.12.0
Go-http-client/2.0|go-resty/2.7.0 (https://github.com/go-resty/resty)|axios/1.6.8|node-fetch/1.0|undici|node
got (https://github.com/sindresorhus/got)|Apache-HttpClient/4.5.14 (Java/17.0.9)|Java/17.0.2|Jersey/2.41
GuzzleHttp/7|PHP/8.2|Ruby|Faraday v2.7.4|rest-client/2.1.0 (linux x86_64) ruby/3.2.2|reqwest/0.11|hyper/1.0
Dart/3.3 (dart:io)|RestSharp/110.2.0.0|PostmanRuntime/7.36.1|insomnia/8.6.1|HTTPie/3.2.2|grpc-go/1.62.0
grpc-python/1.60.0 grpc-c/37.0.0 (linux; chttp2)|kube-probe/1.28|ELB-HealthChecker/2.0|aws-sdk-go/1.50.0
Boto3/1.34.0 Python/3.11 Linux/5.10 Botocore/1.34.0|Terraform/1.7.0|Stripe/v1 PythonBindings/8.0
orders-service/1.4.2|com.example.billing/2.1|MyCompany Inventory Sync 3|k6/0.49.0 (https://k6.io/)|vegeta
""".replace("\n", "|")
    .strip("|")
    .split("|")
)


def kinds_of(agents: list[str]) -> list[str]:
    """Caller kinds, through all of recognition: masking of secrets included."""
    count = len(agents)
    table = observed_table(
        {
            "position": pa.array(range(count), pa.int64()),
            "method": pa.array(["GET"] * count),
            "target": pa.array(["/"] * count),
            "client": pa.array(["192.0.2.1"] * count),
            "user_agent": pa.array(agents),
        }
    )
    calls = Recognition(Key(b"b" * 32)).recognise(table, Context("bench", 1, 2, 1_700_000_000_000_000)).calls
    return list(calls["caller_kind"].to_pylist())


def declared(name: str, samples: list[tuple[str, bool]], show: bool) -> bool:
    """Print and judge samples of (user agent, is a program rather than a bot)."""
    kinds = kinds_of([agent for agent, _ in samples])
    good = [
        kind in BOTS or (program and kind == "service")
        for kind, (_, program) in zip(kinds, samples, strict=True)
    ]
    share = sum(good) / len(good)
    print(f"{name}: {share:.4f} of {len(good):,} samples recognised (at least .99); {dict(Counter(kinds))}")
    for fine, kind, (agent, _) in zip(good, kinds, samples, strict=True):
        if show and not fine:
            print(f"   {kind}: {agent}")
    return share >= 0.99


def alarms(name: str, agents: list[str], wanted: set[str], most: float, show: bool) -> bool:
    kinds = kinds_of(agents)
    wrong = [(kind, agent) for kind, agent in zip(kinds, agents, strict=True) if kind not in wanted]
    print(f"{name}: {len(wrong)} of {len(agents):,} taken for something else (at most {most:.1%})")
    for kind, agent in wrong if show else []:
        print(f"   {kind}: {agent}")
    return len(wrong) <= most * len(agents)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--show", action="store_true", help="show what was taken for something else")
    asked = parser.parse_args()
    own = [
        (agent, bool(PROGRAMS & set(one["tags"])))
        for one in CRAWLER_USER_AGENTS_DATA
        for agent in one["instances"]
    ]
    good = declared("crawler-user-agents", own, asked.show)
    bots = WELL_KNOWN if WELL_KNOWN.exists() else SHARED
    if bots.exists():
        theirs = [
            (agent, bool(PROGRAMS & set(one["categories"])))
            for one in json.loads(bots.read_text())
            for agent in one["instances"]["accepted"]
        ]
        good &= declared("well-known-bots", theirs, asked.show)
    else:
        print("well-known-bots: left out, its file is not here")
    browsers = sorted({one["useragent"] for one in load()})
    good &= alarms("browsers (fake-useragent)", browsers, {"person"}, 0.005, asked.show)
    good &= alarms("HTTP libraries and services", LIBRARIES, {"service"}, 0.0, asked.show)
    agents = [agent for agent, _ in own] + browsers
    software_of("warm")
    start = time.process_time()
    for agent in agents:
        software_of(agent)
    took = time.process_time() - start
    print(f"cost: {took / len(agents) * 1e6:.0f} µs of CPU for each distinct user agent ({len(agents):,})")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
