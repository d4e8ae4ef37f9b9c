"""Every way of presenting a credential: found, once, with nothing of it in clear."""

import base64
import datetime
import json
import struct
from dataclasses import dataclass, field
from functools import cache

import pyarrow as pa
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from wardgate.core.keys import Key
from wardgate.core.observed import HEADERS, observed_table
from wardgate.recognise.calls import Context, Recognised, Recognition

KEY = Key(b"k" * 32)

SECRET = "Zk3Jd9sLq2WvXz7PbTn5YcRm8HgFt4Ua6E"
HEX = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def b64(text: str | bytes) -> str:
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def jwt(header: dict[str, object] | None = None, **claims: object) -> str:
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    return f"{part(header or {'alg': 'RS256', 'typ': 'JWT'})}.{part(claims)}.c2lnbmF0dXJlLWJ5dGVz"


def ntlm(user: str, domain: str) -> str:
    body, name = domain.encode("utf-16-le"), user.encode("utf-16-le")
    at = lambda length, start: struct.pack("<HHI", length, length, start)  # noqa: E731
    fields = at(0, 64) + at(0, 64) + at(len(body), 64) + at(len(name), 64 + len(body)) + at(0, 64) + at(0, 64)
    return b64(b"NTLMSSP\0" + struct.pack("<I", 3) + fields + struct.pack("<I", 1) + body + name)


@cache
def certificate() -> str:
    """A self-signed client certificate in PEM, with a fixed name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Acme"),
            x509.NameAttribute(NameOID.COMMON_NAME, "orders"),
        ]
    )
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x1234)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=365))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(Encoding.PEM).decode()


def folded(pem: str) -> str:
    from urllib.parse import quote

    return quote(pem, safe="")


@dataclass(frozen=True)
class Way:
    """Headers and query of one call, and what must be found: exactly one credential."""

    name: str
    kind: str
    place: str
    headers: dict[str, str] = field(default_factory=dict)
    query: str = ""
    secrets: tuple[str, ...] = ()
    """What must be nowhere afterwards."""


def _auth(name: str, kind: str, value: str, *secrets: str) -> Way:
    return Way(
        name,
        kind,
        "header:authorization",
        {"Authorization": value},
        "",
        secrets or (value.rsplit(maxsplit=1)[-1],),
    )


AWS = "Credential=AKIAIOSFODNN7EXAMPLE/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature="
TOKEN = jwt(sub="u-1", azp="shop", iss="https://id.example", sid="s1", exp=1_800_000_000)
PROOF = jwt(
    {"typ": "dpop+jwt", "alg": "ES256", "jwk": {"kty": "EC", "crv": "P-256", "x": "l8tFrhx", "y": "9VE4jf"}},
    jti="-BwC3ESc6acc2lTc",
    htm="GET",
)
SIGNED = 'sig1=("@authority");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";tag="web-bot-auth"'

WAYS: tuple[Way, ...] = (
    _auth("bearer", "bearer", f"Bearer {SECRET}"),
    _auth("bearer, vendor prefix", "bearer", "Bearer ghp_" + SECRET + "ab"),
    _auth("bearer JWT", "jwt", f"Bearer {TOKEN}"),
    _auth("bearer twice", "bearer", f"Bearer Bearer {SECRET}"),
    _auth("token", "bearer", f"Token {SECRET}"),
    _auth("token=", "bearer", f'Token token="{SECRET}"', SECRET),
    _auth("no scheme", "bearer", SECRET),
    _auth("basic", "basic", "Basic " + b64("bob:hunter2hunter2"), "hunter2hunter2", "bob:"),
    _auth("basic with a key only", "api_key", "Basic " + b64(f"{SECRET}:"), SECRET),
    _auth("basic with a token", "api_key", "Basic " + b64(f"x-oauth-basic:{SECRET}"), SECRET),
    _auth(
        "digest",
        "digest",
        f'Digest username="bob-the-user", realm="r", nonce="{HEX[:32]}", uri="/", response="{HEX[32:]}"',
        "bob-the-user",
        HEX[32:],
    ),
    _auth("negotiate", "negotiate", "Negotiate " + b64(bytes(range(40, 120)))),
    _auth("ntlm", "ntlm", "NTLM " + ntlm("robert-user", "CORPDOMAIN"), "robert-user"),
    _auth("negotiate with ntlm", "ntlm", "Negotiate " + ntlm("robert-user", "CORPDOMAIN"), "robert-user"),
    _auth("api key scheme", "api_key", f"ApiKey {SECRET}"),
    _auth("okta", "api_key", f"SSWS {SECRET}"),
    _auth("an unknown scheme", "api_key", f"AcmeAuth {SECRET}"),
    _auth("sigv4", "signature", f"AWS4-HMAC-SHA256 {AWS}{HEX}", HEX, "AKIAIOSFODNN7EXAMPLE"),
    _auth("sigv4a", "signature", f"AWS4-ECDSA-P256-SHA256 {AWS}{HEX}", HEX, "AKIAIOSFODNN7EXAMPLE"),
    _auth(
        "sigv2", "signature", "AWS AKIAIOSFODNN7EXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=", "frJIUN8DYpKDtOLCwo"
    ),
    Way(
        "sigv4 with a session token",
        "signature",
        "header:authorization",
        {"Authorization": f"AWS4-HMAC-SHA256 {AWS}{HEX}", "X-Amz-Security-Token": SECRET * 4},
        "",
        (HEX, SECRET),
    ),
    Way(
        "presigned",
        "signature",
        "query:x-amz-credential",
        {},
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20260101%2Fus-east-1%2Fs3%2Faws4_request"
        f"&X-Amz-Security-Token={SECRET}&X-Amz-Signature={HEX}",
        (HEX, SECRET, "AKIAIOSFODNN7EXAMPLE"),
    ),
    Way(
        "presigned v2",
        "signature",
        "query:awsaccesskeyid",
        {},
        "AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Expires=1800000000&Signature=vjbyPxybdZaNmGa%2ByT272YEAiv4%3D",
        ("vjbyPxybdZaNmGa",),
    ),
    Way(
        "google signed url",
        "signature",
        "query:x-goog-credential",
        {},
        f"X-Goog-Algorithm=GOOG4-RSA-SHA256&X-Goog-Credential=svc%40p.iam.gserviceaccount.com%2F20260101%2Fauto%2Fstorage"
        f"&X-Goog-Signature={HEX}",
        (HEX, "svc@p", "svc%40p"),
    ),
    Way(
        "azure shared access signature",
        "signed_url",
        "query:sig",
        {},
        f"sv=2022-11-02&sr=b&se=2030-01-01&sp=r&sig={SECRET}%2BabcD%3D",
        (SECRET,),
    ),
    Way(
        "azure user delegation",
        "signature",
        "query:skoid",
        {},
        f"sv=2022-11-02&skoid=0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0&sig={SECRET}%3D",
        (SECRET,),
    ),
    Way(
        "cloudfront signed url",
        "signature",
        "query:key-pair-id",
        {},
        f"Expires=1800000000&Signature={SECRET}~{SECRET}__&Key-Pair-Id=K2JCJMDEHXQW5F",
        (SECRET,),
    ),
    Way(
        "another signed url",
        "signed_url",
        "query:signature",
        {},
        f"expires=1800000000&signature={HEX}",
        (HEX,),
    ),
    Way(
        "message signature",
        "signature",
        "header:signature-input",
        {
            "Signature-Input": 'sig1=("@method" "@path");created=1735689600;keyid="shared-key-7";alg="hmac-sha256"',
            "Signature": f"sig1=:{b64(SECRET)}:",
        },
        "",
        (b64(SECRET), "shared-key-7"),
    ),
    Way(
        "web bot auth",
        "signature",
        "header:signature-input",
        {
            "Signature-Input": SIGNED,
            "Signature-Agent": '"https://chatgpt.example"',
            "Signature": f"sig1=:{b64(SECRET)}:",
        },
        "",
        (b64(SECRET), "poqkLGiymh_W0uP6PZFw"),
    ),
    _auth(
        "draft signature",
        "signature",
        f'Signature keyId="acme-key-1",algorithm="rsa-sha256",signature="{b64(SECRET)}"',
        b64(SECRET),
        "acme-key-1",
    ),
    Way(
        "draft signature of its own header",
        "signature",
        "header:signature",
        {"Signature": f'keyId="https://social.example/users/a#main-key",signature="{b64(SECRET)}"'},
        "",
        (b64(SECRET),),
    ),
    _auth(
        "oauth 1",
        "signature",
        f'OAuth oauth_consumer_key="consumer-0042", oauth_token="{HEX[:32]}", oauth_signature="{b64(HEX)[:28]}"',
        "consumer-0042",
        HEX[:32],
    ),
    _auth(
        "hawk",
        "signature",
        f'Hawk id="dh37fgj492je", ts="1353832234", nonce="j4h3g2", mac="{b64(HEX[:20])}"',
        "dh37fgj492je",
    ),
    Way(
        "dpop",
        "jwt",
        "header:authorization",
        {"Authorization": f"DPoP {TOKEN}", "DPoP": PROOF},
        "",
        (TOKEN, PROOF),
    ),
    Way("dpop proof alone", "proof_key", "header:dpop", {"DPoP": PROOF}, "", (PROOF,)),
    _auth("pop", "jwt", "PoP " + jwt({"alg": "RS256", "typ": "pop"}, at=TOKEN, ts=1), TOKEN),
    _auth(
        "vapid",
        "signature",
        f"vapid t={jwt(aud='https://push.example', sub='mailto:a@b.example')}, k=BDd3_hVL9fZi9Ybo2UUzA284WG5FZR30",
    ),
    Way(
        "proxy",
        "bearer",
        "header:proxy-authorization",
        {"Proxy-Authorization": f"Bearer {SECRET}"},
        "",
        (SECRET,),
    ),
    Way("key header", "api_key", "header:x-api-key", {"X-API-Key": SECRET}, "", (SECRET,)),
    Way(
        "key header of somebody's own",
        "api_key",
        "header:x-acme-api-key",
        {"X-Acme-Api-Key": SECRET},
        "",
        (SECRET,),
    ),
    Way(
        "key header, uuid",
        "api_key",
        "header:ocp-apim-subscription-key",
        {"Ocp-Apim-Subscription-Key": "0f1e2d3c4b5a69788796a5b4c3d2e1f0"},
        "",
        ("0f1e2d3c4b5a69788796a5b4c3d2e1f0",),
    ),
    Way(
        "assertion header",
        "jwt",
        "header:cf-access-jwt-assertion",
        {"Cf-Access-Jwt-Assertion": TOKEN},
        "",
        (TOKEN,),
    ),
    Way("JWT in a header that says nothing", "jwt", "header:x-acme-who", {"X-Acme-Who": TOKEN}, "", (TOKEN,)),
    Way("key in the query", "api_key", "query:api_key", {}, f"a=1&api_key={SECRET}", (SECRET,)),
    Way("generic key in the query", "api_key", "query:key", {}, f"key=AIza{SECRET}b&q=x", (SECRET,)),
    Way("token in the query", "jwt", "query:access_token", {}, f"access_token={TOKEN}", (TOKEN,)),
    Way("vendor's key under any name", "api_key", "query:v", {}, f"v=ghp_{SECRET}ab", (SECRET,)),
    Way(
        "session cookie",
        "session",
        "cookie:PHPSESSID",
        {"Cookie": f"theme=dark; PHPSESSID={HEX[:32]}; lang=de"},
        "",
        (HEX[:32],),
    ),
    Way(
        "session cookie with a prefix",
        "session",
        "cookie:session",
        {"Cookie": f"__Host-session={SECRET}"},
        "",
        (SECRET,),
    ),
    Way("JWT in a cookie", "jwt", "cookie:who", {"Cookie": f"who={TOKEN}"}, "", (TOKEN,)),
    Way(
        "xfcc",
        "client_certificate",
        "tls",
        {
            "X-Forwarded-Client-Cert": f'By=spiffe://a/b;Hash={HEX};Subject="CN=orders,O=Acme";URI=spiffe://a/orders'
        },
        "",
        (),
    ),
    Way(
        "xfcc with a certificate",
        "client_certificate",
        "tls",
        {
            "X-Forwarded-Client-Cert": f'Hash={HEX};Cert="{folded(certificate())}";Subject="O=\\"Acme, Inc\\",CN=orders"'
        },
        "",
        (folded(certificate())[40:80],),
    ),
    Way(
        "nginx",
        "client_certificate",
        "tls",
        {
            "SSL-Client-S-DN": "CN=orders,O=Acme",
            "SSL-Client-Fingerprint": HEX[:40],
            "SSL-Client-Verify": "SUCCESS",
        },
    ),
    Way(
        "cloudflare",
        "client_certificate",
        "tls",
        {
            "Cf-Client-Cert-Sha256": HEX,
            "Cf-Client-Cert-Der-Base64": certificate().split("-----")[2].replace("\n", ""),
        },
        "",
        (certificate().split("-----")[2].replace("\n", "")[20:60],),
    ),
    Way(
        "aws mtls",
        "client_certificate",
        "tls",
        {
            "X-Amzn-Mtls-Clientcert-Leaf": folded(certificate()),
            "X-Amzn-Mtls-Clientcert-Subject": "CN=orders,O=Acme",
            "X-Amzn-Mtls-Clientcert-Serial-Number": "1234",
        },
        "",
        (folded(certificate())[40:80],),
    ),
    Way(
        "rfc 9440",
        "client_certificate",
        "tls",
        {"Client-Cert": ":" + certificate().split("-----")[2].replace("\n", "") + ":"},
    ),
    Way(
        "github",
        "webhook",
        "header:x-hub-signature-256",
        {
            "X-Hub-Signature-256": f"sha256={HEX}",
            "X-Hub-Signature": f"sha1={HEX[:40]}",
            "X-GitHub-Event": "push",
            "X-GitHub-Hook-ID": "292430182",
        },
        "",
        (HEX,),
    ),
    Way(
        "stripe",
        "webhook",
        "header:stripe-signature",
        {"Stripe-Signature": f"t=1492774577,v1={HEX}"},
        "",
        (HEX,),
    ),
    Way(
        "slack",
        "webhook",
        "header:x-slack-signature",
        {"X-Slack-Signature": f"v0={HEX}", "X-Slack-Request-Timestamp": "1531420618"},
        "",
        (HEX,),
    ),
    Way(
        "shopify",
        "webhook",
        "header:x-shopify-hmac-sha256",
        {"X-Shopify-Hmac-Sha256": b64(HEX[:32]), "X-Shopify-Shop-Domain": "acme.myshopify.com"},
        "",
        (b64(HEX[:32]),),
    ),
    Way(
        "twilio",
        "webhook",
        "header:x-twilio-signature",
        {"X-Twilio-Signature": b64(HEX[:20])},
        "",
        (b64(HEX[:20]),),
    ),
    Way("zoom", "webhook", "header:x-zm-signature", {"x-zm-signature": f"v0={HEX}"}, "", (HEX,)),
    Way(
        "standard webhook",
        "webhook",
        "header:webhook-signature",
        {"webhook-signature": f"v1,{b64(HEX[:32])}"},
        "",
        (b64(HEX[:32]),),
    ),
    Way("gitlab's token", "api_key", "header:x-gitlab-token", {"X-Gitlab-Token": SECRET}, "", (SECRET,)),
    Way(
        "websocket of kubernetes",
        "jwt",
        "header:sec-websocket-protocol",
        {"Sec-WebSocket-Protocol": f"base64url.bearer.authorization.k8s.io.{TOKEN}, v4.channel.k8s.io"},
        "",
        (TOKEN,),
    ),
)
NONE: tuple[Way, ...] = (
    _auth("masked", "", "Bearer ***"),
    _auth("redacted", "", "REDACTED"),
    _auth("ntlm's first message", "", "NTLM " + b64(b"NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2" + bytes(24))),
    _auth("a scheme alone", "", "Negotiate"),
    Way("csrf", "", "", {"X-CSRF-Token": SECRET, "X-XSRF-TOKEN": SECRET}),
    Way(
        "a password in a form", "", "", {}, "user=a&password=hunter22hunter22", secrets=("hunter22hunter22",)
    ),
    Way("one-time code", "", "", {}, f"code={SECRET}&state={HEX}", secrets=(SECRET, HEX)),
    Way("a column called key", "", "", {}, "key=created_at&sort=asc&token=first"),
    Way("page mark", "", "", {}, f"page_token={SECRET}&cursor={SECRET}"),
    Way("idempotency", "", "", {"Idempotency-Key": SECRET}),
    Way("websocket key", "", "", {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ=="}),
    Way(
        "what measures",
        "",
        "",
        {"Cookie": f"_ga=GA1.2.1118206.1700000000; __cf_bm={SECRET}; AWSALB={SECRET}; csrftoken={SECRET}"},
    ),
    Way(
        "unverified certificate",
        "",
        "",
        {"X-SSL-Client-Verify": "FAILED:self signed", "X-SSL-Client-S-DN": "CN=evil"},
    ),
    Way("no certificate", "", "", {"SSL-Client-Verify": "NONE", "SSL-Client-S-DN": ""}),
    Way(
        "etags and ids",
        "",
        "",
        {
            "If-None-Match": f'"{HEX}"',
            "X-Request-Id": HEX[:32],
            "traceparent": f"00-{HEX[:32]}-{HEX[:16]}-01",
        },
    ),
)


def recognise(rows: list[Way], recognition: Recognition | None = None, **columns: list[object]) -> Recognised:
    headers = [[{"name": k, "value": v} for k, v in row.headers.items()] for row in rows]
    table = observed_table(
        {
            "position": pa.array(range(len(rows)), pa.int64()),
            "method": pa.array(["GET"] * len(rows)),
            "target": pa.array([f"/a?{row.query}" if row.query else "/a" for row in rows]),
            "request_headers": pa.array(headers, HEADERS),
            **{name: pa.array(values) for name, values in columns.items()},
        }
    )
    return (recognition or Recognition(KEY)).recognise(table, Context("test", 1, 2, 1_700_000_000_000_000))


def written(found: Recognised) -> str:
    """All that would be written."""
    tables = (found.calls, found.credentials, found.instances, found.callers, found.paths)
    return json.dumps([one.to_pylist() for one in tables], default=str)


def presented(found: Recognised) -> list[list[tuple[str, str]]]:
    lists = found.calls["credentials"].to_pylist()
    return [[(one["kind"], one["place"]) for one in row or ()] for row in lists]


each_way = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


@each_way
def test_each_way_is_found_once_and_leaves_nothing_in_clear(way: Way) -> None:
    found = recognise([way])
    assert presented(found) == [[(way.kind, way.place)]]
    assert found.credentials.num_rows == 1
    text = written(found)
    for secret in (*way.secrets, *([SECRET, HEX] if way.secrets else [])):
        assert secret not in text


@pytest.mark.parametrize("way", NONE, ids=lambda way: way.name)
def test_what_presents_nothing_is_no_credential(way: Way) -> None:
    found = recognise([way] * 4)
    assert presented(found) == [[]] * 4
    for secret in way.secrets:
        assert secret not in written(found)


def test_all_ways_in_one_batch_are_the_same_credentials_as_each_alone() -> None:
    alone = {one for way in WAYS for one in recognise([way]).credentials["credential_id"].to_pylist()}
    together = recognise(list(WAYS))
    assert set(together.credentials["credential_id"].to_pylist()) == alone


def test_one_secret_in_several_places_is_one_credential_with_several_places() -> None:
    everywhere = Way(
        "",
        "",
        "",
        {"Authorization": f"Bearer {SECRET}", "X-API-Key": SECRET, "Cookie": f"session={SECRET}"},
        f"access_token={SECRET}",
    )
    found = recognise([everywhere])
    places = found.credentials["place"].to_pylist()
    assert sorted(places) == [
        "cookie:session",
        "header:authorization",
        "header:x-api-key",
        "query:access_token",
    ]
    assert len(set(found.credentials["credential_id"].to_pylist())) == 1
    jwts = Way("", "", "", {"Authorization": f"Bearer {TOKEN}", "Cookie": f"jwt={TOKEN}"})
    assert len(set(recognise([jwts]).credentials["credential_id"].to_pylist())) == 1


@pytest.mark.parametrize(
    "names",
    [
        ("sigv4", "sigv4a", "sigv2", "sigv4 with a session token", "presigned", "presigned v2"),
        ("bearer JWT", "dpop", "pop", "token in the query", "JWT in a cookie", "assertion header"),
        ("nginx", "cloudflare", "aws mtls", "rfc 9440"),
        ("ntlm", "negotiate with ntlm"),
    ],
    ids=lambda names: names[0],
)
def test_the_same_credential_by_different_ways(names: tuple[str, ...]) -> None:
    ways = [way for way in WAYS if way.name in names]
    assert len(ways) == len(names)
    assert len(set(recognise(ways).credentials["credential_id"].to_pylist())) == 1


def test_a_login_that_the_server_logged_is_no_second_credential() -> None:
    by_name = {way.name: way for way in WAYS}
    rows = [by_name["basic"], by_name["digest"], by_name["bearer JWT"], Way("", "", "")]
    found = recognise(rows, login=["bob", "bob-the-user", "bob", "bob"])
    assert presented(found) == [
        [("basic", "header:authorization")],
        [("digest", "header:authorization")],
        [("jwt", "header:authorization")],
        [("basic", "login")],
    ]
    ids = found.calls["credential_id"].to_pylist()
    assert ids[0] == ids[3] != ids[2]
    assert found.calls["login"].null_count == 0


def test_a_gateways_name_is_a_place_of_the_key_that_it_names() -> None:
    with_key, without = Way("", "", "", {"X-API-Key": SECRET}), Way("", "", "")
    found = recognise(
        [with_key, without, without],
        credential_name=["k1", "k1", "k2"],
        credential_kind=["api_key_id"] * 3,
    )
    lists = found.calls["credentials"].to_pylist()
    ids = [{one["credential_id"] for one in row} for row in lists]
    assert ids[0] == ids[1] != ids[2] and len(ids[0]) == 1
    assert [one["place"] for one in lists[0]] == ["header:x-api-key", "gateway:api_key_id"]


def steady_rows(name: str, values: list[str]) -> list[Way]:
    return [Way("", "", "", {name: value}) for value in values]


def test_a_key_under_a_name_that_says_nothing_shows_by_coming_again() -> None:
    keys = [f"{SECRET[:30]}{n:02d}xY" for n in range(2)]
    found = recognise(steady_rows("X-Acme-Pass", keys * 3), client=["192.0.2.1", "192.0.2.2"] * 3)
    assert presented(found) == [[("api_key", "header:x-acme-pass")]] * 6
    assert len(set(found.calls["credential_id"].to_pylist())) == 2
    in_query = [Way("", "", "", {}, f"p={key}") for key in keys * 3]
    assert presented(recognise(in_query)) == [[("api_key", "query:p")]] * 6
    in_cookie = [Way("", "", "", {"Cookie": f"a=b; zz={key}"}) for key in keys * 3]
    assert presented(recognise(in_cookie)) == [[("session", "cookie:zz")]] * 6


def test_steadiness_is_seen_across_batches() -> None:
    recognition = Recognition(KEY)
    batches = [recognise(steady_rows("X-Acme-Pass", [SECRET]), recognition) for _ in range(4)]
    assert [presented(one)[0] != [] for one in batches] == [False, False, True, True]


@pytest.mark.parametrize(
    ("name", "values", "clients"),
    [
        ("X-Acme-Mark", [f"{SECRET[:24]}{n:08d}z" for n in range(8)], 8),
        ("X-Acme-Mark", [SECRET] * 8, 8),
        ("X-Acme-Mark", ["a-word-or-two"] * 8, 1),
        ("X-Build-Hash", [SECRET] * 8, 1),
    ],
    ids=["new each time", "everybody's", "plain", "by its name"],
)
def test_marks_of_calls_and_of_releases_are_no_keys(name: str, values: list[str], clients: int) -> None:
    found = recognise(steady_rows(name, values), client=[f"192.0.2.{n % clients}" for n in range(8)])
    assert presented(found) == [[]] * 8


def test_instances_of_a_renewed_credential_are_counted_not_listed() -> None:
    tokens = [jwt(sub="u", azp="shop", iss="https://id", iat=1_700_000_000 + n) for n in range(700)]
    rows = [Way("", "", "", {"Authorization": f"Bearer {one}"}) for one in (*tokens, *tokens[:50])]
    found = recognise(rows)
    assert found.credentials.num_rows == 1
    assert found.instances.num_rows == 512
    assert len(set(found.instances["instance_id"].to_pylist())) == 512


@pytest.mark.parametrize(
    ("agent", "kind"),
    [("claude-code/1.0", "agent"), ("curl/8.5", "service"), ("Mozilla/5.0 Firefox/120.0", "service")],
)
def test_an_agent_that_holds_a_key_is_an_agent(agent: str, kind: str) -> None:
    way = Way("", "", "", {"X-API-Key": SECRET})
    found = recognise([way], user_agent=[agent], client=["192.0.2.1"])
    assert found.calls["caller_kind"].to_pylist() == [kind]
    assert found.callers["kind"].to_pylist() == [kind]


def test_a_signature_agent_is_an_agent_by_its_name() -> None:
    found = recognise([way for way in WAYS if way.name == "web bot auth"])
    (caller,) = found.callers.to_pylist()
    assert (caller["kind"], caller["name"]) == ("agent", "chatgpt.example")
    assert "not verified" in caller["basis"] and caller["confidence"] < 0.9


def test_hops_of_a_forwarded_certificate_are_each_a_credential() -> None:
    value = f'Hash={HEX};URI=spiffe://a/web,By=spiffe://a/x;Hash={HEX[::-1]};Subject="CN=gate, with comma";URI=spiffe://a/gate'
    found = recognise([Way("", "", "", {"X-Forwarded-Client-Cert": value})])
    hints = [one["hint"] for one in found.calls["credentials"].to_pylist()[0]]
    assert hints == ["certificate spiffe://a/web", "certificate spiffe://a/gate"]


@pytest.mark.parametrize("size", [0, 1, 3, 100_000])
@pytest.mark.parametrize(
    "name", ["Authorization", "Cookie", "X-Forwarded-Client-Cert", "Signature-Input", "DPoP", "Client-Cert"]
)
def test_hostile_values_are_bounded(name: str, size: int) -> None:
    for start in ("", "Bearer ", "Digest ", "sig1=(", 'Hash=";', ":", "eyJ", "a=b;" * 3):
        for filler in ("a", '"', "(", "\\", "=", ";", ",", "%", "\x00", "é"):
            recognise(
                [Way("", "", "", {name: start + filler * (size if filler == "a" else min(size, 5000))})]
            )
