"""Documents that a specification refers to: only where allowed, never inside, and bounded."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from wardgate.cli.main import cli
from wardgate.core.errors import WardgateError
from wardgate.inventory.specifications.form import Specification
from wardgate.inventory.specifications.other_documents import OtherDocuments
from wardgate.inventory.specifications.reading import read_content
from wardgate.service.referred import documents_of, fetching

HERE = [ip_network("127.0.0.0/8")]
ASKED: list[str] = []
PAGES: dict[str, str] = {
    "/parts/order.yaml": "Order: {type: object, properties: {id: {type: integer}, by: {$ref: '#/Person'}, "
    "next: {$ref: '#/Order'}}}\nPerson: {type: object, properties: {name: {$ref: 'name.json'}}}\n",
    "/parts/name.json": '{"type": "string", "format": "first-name"}',
    "/parts/paths.yaml": "list:\n  get: {operationId: list, responses: {'200': {description: '', content: "
    "{application/json: {schema: {$ref: 'order.yaml#/Order'}}}}}}\n",
    "/broken.yaml": "a: [",
    "/large.json": '"' + "x" * 2_000_000 + '"',
    "/endless.json": "",
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        ASKED.append(self.path)
        if self.path == "/inside":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.end_headers()
            return
        if self.path == "/moved/order.yaml":
            self.send_response(302)
            self.send_header("Location", "/parts/order.yaml")
            self.end_headers()
            return
        chain = self.path.removeprefix("/chain/")
        text = json.dumps({"$ref": str(int(chain) + 1)}) if chain.isdecimal() else PAGES.get(self.path)
        if text is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *given: object) -> None:
        return


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    made = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    made.daemon_threads = True
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_port
    made.shutdown()


def document(reference: str) -> bytes:
    """A description whose one path is another document's, and whose answer holds one of its schemas."""
    schema = {"content": {"application/json": {"schema": {"$ref": reference}}}, "description": ""}
    return json.dumps(
        {
            "openapi": "3.0.3",
            "info": {"title": "t", "version": "1"},
            "paths": {"/a": {"get": {"responses": {"200": schema}}}},
        }
    ).encode()


def fields(found: Specification) -> Any:
    """The fields of the answer's body, as far as they are known."""
    (operation,) = found.operations
    return operation.responses[0].bodies[0].shape.fields


def test_documents_are_put_together_and_fetched_once_each(port: int) -> None:
    ASKED.clear()
    url = f"http://api.test:{port}/moved/order.yaml#/Order"
    get = fetching(HERE, resolver=lambda host, at: ["127.0.0.1"])
    others = OtherDocuments(f"http://api.test:{port}/openapi.json", get)
    content = json.loads(document(url))
    content["paths"]["/b"] = {"$ref": "parts/paths.yaml#/list"}
    found = read_content(json.dumps(content).encode(), "openapi.json", others)
    assert others.unfetched == []
    a, b = found.operations
    for operation in (a, b):
        shape = operation.responses[0].bodies[0].shape.fields
        assert shape["id"].types == ("integer",)
        assert shape["by"].fields["name"].format == "first-name"
    assert {one.code for one in found.left_out} == {"reference-loop"}  # an order has a next order
    # by the URL it was redirected to, and by that itself
    assert sorted(ASKED) == [
        "/moved/order.yaml",
        "/parts/name.json",
        "/parts/order.yaml",
        "/parts/paths.yaml",
    ]


def test_nothing_is_fetched_unless_it_was_asked_for(port: int, tmp_path: Path) -> None:
    ASKED.clear()
    file = tmp_path / "openapi.json"
    file.write_bytes(document(f"http://127.0.0.1:{port}/parts/order.yaml#/Order"))
    add = ["--home", str(tmp_path / "home"), "spec", "add", str(file)]
    assert "[reference-remote]" in CliRunner().invoke(cli, add).output
    assert ASKED == []
    refused = CliRunner().invoke(cli, [*add, "--fetch-refs"])  # and never from inside
    assert refused.exit_code == 0 and "[fetch-refused]" in refused.output
    assert "#/paths/~1a/get/responses/200/content/application~1json/schema/$ref" in refused.output
    assert ASKED == []
    taken = CliRunner().invoke(cli, [*add, "--fetch-refs", "--allow-network", "127.0.0.0/8", "--json"])
    told = json.loads(taken.output)
    assert told["changed"] and "unfetched" not in told
    assert ASKED == ["/parts/order.yaml", "/parts/name.json"]


@pytest.mark.parametrize(
    ("reference", "code"),
    [
        ("http://private.test:{port}/parts/order.yaml", "fetch-refused"),
        ("http://both.test:{port}/parts/order.yaml", "fetch-refused"),
        ("http://[::ffff:10.0.0.1]:{port}/a", "fetch-refused"),
        ("http://metadata.test/latest", "fetch-refused"),
        ("http://api.test:{port}/inside", "fetch-refused"),
        ("http://api.test:{port}/missing", "fetch-status"),
        ("http://api.test:{port}/broken.yaml", "specification-not-yaml"),
        ("file:///etc/passwd", "fetch-url"),
        ("gopher://api.test/x", "fetch-url"),
        ("http://user:hunter2@api.test:{port}/a", "fetch-url"),
    ],
)
def test_what_cannot_be_had_is_left_out_and_told(port: int, reference: str, code: str) -> None:
    hosts = {
        "api.test": ["127.0.0.1"],
        "private.test": ["10.1.2.3"],
        "both.test": ["127.0.0.1", "192.168.0.1"],
        "metadata.test": ["169.254.169.254"],
    }
    get = fetching(HERE, resolver=lambda host, at: hosts.get(host, [host]))
    others = OtherDocuments("https://api.test/openapi.json", get)
    found = read_content(document(reference.format(port=port)), "openapi.json", others)
    assert len(found.operations) == 1 and fields(found) == {}
    (lost,) = others.unfetched
    assert lost.code == code
    assert "hunter2" not in lost.message and "test" not in lost.message
    assert [one.code for one in found.left_out] == ["reference-remote"]


def test_a_name_that_answers_otherwise_a_second_time_gains_nothing(port: int) -> None:
    """DNS rebinding: the connection goes to the address that was judged."""
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])
    get = fetching(HERE, resolver=lambda host, at: next(answers))
    assert get(f"http://api.test:{port}/parts/name.json")[1].startswith(b"{")
    with pytest.raises(WardgateError) as refused:
        get(f"http://api.test:{port}/parts/name.json")
    assert refused.value.code == "fetch-refused"


def test_it_has_an_end(port: int) -> None:
    get = fetching(HERE, resolver=lambda host, at: ["127.0.0.1"])
    others = OtherDocuments(f"http://api.test:{port}/x", get, most_documents=7)
    read_content(document("chain/0"), "openapi.json", others)
    assert len(others.fetched) == 7 and [one.code for one in others.unfetched] == ["reference-too-many"]
    large = OtherDocuments(f"http://api.test:{port}/x", get, most_bytes=1_000_000)
    read_content(document("large.json"), "openapi.json", large)
    assert [one.code for one in large.unfetched] == ["reference-too-large"]
    ticks = iter(range(0, 1000, 20))
    slow = OtherDocuments(f"http://api.test:{port}/x", get, clock=lambda: float(next(ticks)))
    read_content(document("chain/0"), "openapi.json", slow)
    assert [one.code for one in slow.unfetched] == ["reference-too-slow"] and len(slow.fetched) < 5


def test_files_are_read_below_the_folder_only(tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text('{"type": "string", "format": "stolen"}')
    folder = tmp_path / "specs"
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "order.json").write_text('{"properties": {"id": {"$ref": "../id.json"}}}')
    (folder / "id.json").write_text('{"type": "integer"}')
    (folder / "link.json").symlink_to(tmp_path / "secret.json")
    for reference, code in (
        ("parts/order.json", None),
        ("./parts/order.json#", None),
        ("../secret.json", "reference-outside"),
        ("link.json", "reference-outside"),
        ("%2e%2e/secret.json", "reference-outside"),
        ((tmp_path / "secret.json").as_uri(), "reference-outside"),
        ("nothing.json", "input-unreadable"),
        ("parts", "input-unreadable"),
        ("a%00b.json", "input-unreadable"),
    ):
        file = folder / "openapi.json"
        file.write_bytes(document(reference))
        others = documents_of([], folder)(file)
        found = read_content(file.read_bytes(), file.name, others)
        assert [one.code for one in others.unfetched] == ([code] if code else []), reference
        if code is None:
            assert fields(found)["id"].types == ("integer",)
        assert str(tmp_path) not in "".join(one.message for one in others.unfetched)


def test_shared_and_hostile_shapes_of_references(tmp_path: Path) -> None:
    """YAML aliases share an object, a property may be called $ref, and an anchor is no place."""
    text = """
openapi: 3.0.3
info: {title: t, version: '1'}
paths:
  /a: {get: {responses: {'200': {description: '', content: {application/json: {schema: &one {$ref: 'b.json#/x'}}}}}}}
  /b: {get: {responses: {'200': {description: '', content: {application/json: {schema: *one}}}}}}
  /c: {get: {responses: {'200': {description: '', content: {application/json: {schema: {$ref: 'b.json#anchor'}}}}}}}
  /d: {get: {responses: {'200': {description: '', content: {application/json: {schema: {properties: {$ref: {type: string}}}}}}}}}
"""  # noqa: E501
    (tmp_path / "b.json").write_text('{"x": {"$ref": "openapi.yaml#/paths"}}')
    (tmp_path / "openapi.yaml").write_text(text)
    others = documents_of([], tmp_path)(tmp_path / "openapi.yaml")
    started = time.monotonic()
    found = read_content(text.encode(), "openapi.yaml", others)
    assert len(found.operations) == 4 and others.unfetched == [] and len(others.fetched) == 1
    assert time.monotonic() - started < 5


def test_no_socket_is_opened_to_a_private_address(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*given: object, **more: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket, "create_connection", never)
    others = OtherDocuments("https://api.example/o.json", fetching([]))
    for host in ("127.0.0.1", "localhost", "10.0.0.1", "[::1]", "169.254.169.254", "0.0.0.0", "[fe80::1]"):
        read_content(document(f"http://{host}/x.json"), "o.json", others)
    assert {one.code for one in others.unfetched} == {"fetch-refused"}
