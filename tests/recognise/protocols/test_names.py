"""Names that callers make up: no secret in them, no end to them, and the inventory stays readable."""

import time
from collections.abc import Callable
from random import Random
from string import ascii_letters, ascii_lowercase, digits
from typing import Any

import pytest

from wardgate.core.keys import Key
from wardgate.match.secrets import secret_kind
from wardgate.recognise.protocols.names import MOST_CHARACTERS, MOST_NAMES, MOST_UNPROVEN, Names, clean
from wardgate.recognise.tokens import Tokens

CANARY = "sk_live_4eC39HqLyjWDarjtT1zdp7dc"
OPAQUE = "aB3dE5fG7hJ9kL1mN3pQrS5t"
HEX = "0123456789abcdef0123456789abcdef"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLWJ5dGVzLWhlcmU"


def call(name: str, **row: Any) -> dict[str, Any]:
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}}
    return {"target": "/mcp", "request_body": body, **row}


@pytest.mark.parametrize(
    "row",
    [
        *(call(secret) for secret in (CANARY, OPAQUE, HEX, JWT, f"a.{CANARY}.b", f"password={OPAQUE}")),
        call(f"x://bob:{OPAQUE[:8]}{CANARY[8:]}@host/a"),
        {"target": "/mcp", "request_headers": {"Mcp-Method": "tools/call", "Mcp-Name": CANARY}},
        {"target": "/mcp", "request_headers": {"Mcp-Method": CANARY}},
        {"target": "/mcp", "request_headers": {"Mcp-Method": "ping", "Mcp-Protocol-Version": CANARY}},
        {"target": "/mcp", "request_headers": {"Mcp-Method": "ping", "Mcp-Session-Id": CANARY}},
        {"target": "/rpc", "request_body": {"jsonrpc": "2.0", "method": CANARY}},
        {"target": "/rpc", "request_body": [{"jsonrpc": "2.0", "method": one} for one in (CANARY, JWT)]},
        {"target": "/graphql", "request_body": {"query": "{ " + CANARY + " }"}},
        {
            "target": "/graphql",
            "request_body": {"query": "query " + OPAQUE + " { a }", "operationName": OPAQUE},
        },
        {"target": "/graphql", "request_body": {"documentId": CANARY}},
        {"target": "/graphql", "request_body": {"documentId": OPAQUE}},
        {"target": "/x", "request_headers": {"SOAPAction": f"urn:{CANARY}"}},
        {"target": "/v1/message:send", "request_headers": {"A2A-Version": CANARY}},
        {"target": "/x", "protocol": "grpc", "operation": CANARY},
    ],
    ids=lambda row: str(row)[:70],
)
def test_a_secret_as_a_name_does_not_survive(row: dict[str, Any], recognise: Callable[..., Any]) -> None:
    found = recognise(row)
    kept = f"{found.calls.to_pydict()} {found.paths.to_pydict()} {found.traits.to_pydict()}"
    assert not [one for one in (CANARY, OPAQUE, HEX, JWT, CANARY[8:], OPAQUE[4:]) if one in kept]


@pytest.mark.parametrize(
    "name",
    [
        *("GetOAuth2TokenV2ForClient1", "google.cloud.compute.v1.InstanceGroupManagers/CreateInstances"),
        *("ListDeploymentTargetsV2/ListDeploymentTargets", "tools/call search_docs", "eth_getBlockByNumber"),
        *("query viewer orders", "resources/read file:///docs/{docId}/a.md", "[a, b]"),
        "resources/read file:///project/src/components2/Button3x/index4/page5",
        *("tools/call süß", "GetStatus (body: DeleteUser)", "notifications/resources/list_changed"),
    ],
)
def test_names_that_programmers_give_stay_readable(name: str) -> None:
    assert clean(name, Tokens(Key(b"k" * 32))) == name


@pytest.mark.parametrize("name", ["a\nb", "a\x1b[31mb", "a\u202eb", "a\u2028b", "a" * 10_000, " a\t b "])
def test_names_are_one_bounded_line_without_control_characters(name: str) -> None:
    shown = clean(name, Tokens(Key(b"k" * 32)))
    assert len(shown) <= MOST_CHARACTERS and shown.isprintable() and shown == shown.strip()


def test_a_million_names_are_a_scan_and_show_as_one(recognise: Callable[..., Any]) -> None:
    start = time.process_time()
    operations: set[tuple[str, str]] = set()
    for part in range(20):
        rows = [call(f"guess_{part}_{n}", status=401) for n in range(1000)]
        paths = recognise(*rows).paths
        operations |= set(zip(paths["operation_id"].to_pylist(), paths["operation"].to_pylist(), strict=True))
    assert time.process_time() - start < 20, "each call must cost less than 1 ms"
    assert len(operations) == MOST_UNPROVEN + 1
    assert "tools/call (other)" in {name for _, name in operations}


def test_guesses_that_fail_leave_room_for_what_is_answered(recognise: Callable[..., Any]) -> None:
    recognise(*(call(f"guess_{n}", status=404) for n in range(2 * MOST_UNPROVEN)))
    found = recognise(call("search_docs"), call("one_more_guess", status=404))
    assert found.calls["operation"].to_pylist() == ["tools/call search_docs", "tools/call (other)"]


def test_a_scan_of_one_service_hides_nothing_of_another(recognise: Callable[..., Any]) -> None:
    recognise(*(call(f"guess_{n}", status=404) for n in range(2 * MOST_UNPROVEN)))
    found = recognise(call("guess_x", status=404, host="other.example"))
    assert found.calls["operation"].to_pylist() == ["tools/call guess_x"]


def test_methods_of_grpc_past_the_bounds_share_one_template(recognise: Callable[..., Any]) -> None:
    rows = [{"target": f"/a.B/M{n}", "protocol": "grpc", "status": 501} for n in range(3 * MOST_UNPROVEN)]
    paths = recognise(*rows).paths
    assert len(set(paths["operation_id"].to_pylist())) == MOST_UNPROVEN + 1
    assert "/{service}/{method}" in paths["template"].to_pylist()


def test_what_is_kept_stays_kept() -> None:
    names = Names(most=2, most_unproven=1)
    kept = lambda name, answered: names.kept("s", "mcp", name, answered=answered)  # noqa: E731
    assert [kept("a", False), kept("b", False), kept("a", True), kept("b", False)] == [
        "a",
        "(other)",
        "a",
        "b",
    ]
    assert [kept("c", True), kept("d", True), kept("a", False), kept("c", False)] == [
        "c",
        "(other)",
        "a",
        "c",
    ]
    assert MOST_NAMES > MOST_UNPROVEN


@pytest.mark.parametrize(
    "alphabet", [ascii_letters + digits, ascii_lowercase + digits, ascii_letters + digits + "-_"]
)
@pytest.mark.parametrize("length", [20, 24, 32, 40])
def test_random_text_hardly_ever_passes_for_words(alphabet: str, length: int) -> None:
    random = Random(length)
    tokens = Tokens(Key(b"k" * 32))
    texts = ["".join(random.choices(alphabet, k=length)) for _ in range(5000)]
    opaque = [one for one in texts if secret_kind(one) == "opaque"]
    assert sum(clean(one, tokens) == one for one in opaque) <= 0.013 * len(opaque)
