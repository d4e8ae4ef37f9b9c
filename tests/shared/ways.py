"""Ways of presenting a credential, and what looks like one and is none: shared by tests of every layer.

A way is what one call carries: headers and query as the client sends them, what must be found (exactly one
credential), and what must be nowhere afterwards.
"""

import base64
import datetime
import json
import struct
from dataclasses import dataclass, field
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

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
    _auth("nothing, said twice", "", "Bearer undefined"),
    Way("a dash", "", "", {"Authorization": "-"}),
    _auth("ntlm's first message", "", "NTLM " + b64(b"NTLMSSP\0\x01\0\0\0\x97\x82\x08\xe2" + bytes(24))),
    _auth("a scheme alone", "", "Negotiate"),
    Way("csrf", "", "", {"X-CSRF-Token": SECRET, "X-XSRF-TOKEN": SECRET}),
    Way(
        "a password in a form", "", "", {}, "user=a&password=hunter22hunter22", secrets=("hunter22hunter22",)
    ),
    Way("one-time code", "", "", {}, f"code={SECRET}&state={HEX}", secrets=(SECRET, HEX)),
    Way("a column called key", "", "", {}, "key=created_at&sort=asc&token=first"),
    Way("page mark", "", "", {}, f"page_token={SECRET}&cursor={SECRET}"),
    Way("what is tried again", "", "", {"X-Okta-Retry-For": HEX[:32], "X-Retry-Token-Id": SECRET}),
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
