"""Signatures over requests: the key's public name is the credential, and each signature is dropped.

AWS Signature 4 and 4A and their likes at other clouds, in headers and presigned queries; HTTP message
signatures (RFC 9421) with Web Bot Auth; the draft before it (`Signature keyId="…"`); OAuth 1.0, Hawk. Where a
session token comes with the access key it is a companion, not a second credential.
"""

import re
from collections.abc import Mapping

from wardgate.recognise.credentials.credential import Credential
from wardgate.recognise.credentials.maker import Maker, is_masked, shown

# A name begins where no name goes on, and is short: else a header of one long word is read from each letter.
_PARAMETER = re.compile(r'(?<![\w*-])([A-Za-z][\w*-]{0,63})\s{0,9}=\s{0,9}(?:"((?:[^"\\]|\\.)*)"|([^\s,;]+))')
_SCOPED = re.compile(r"[Cc]redential\s{0,9}=\s{0,9}\"?([^/,\s\"]+)")
_INPUT = re.compile(r"(?<![\w.*-])([a-z*][\w.*-]{0,63})=\(([^()]*)\)((?:\s{0,9};[^,;\"]*(?:\"[^\"]*\")?)*)")
_AGENT = re.compile(r'(?:(?<![\w.*-])([a-z*][\w.*-]{0,63})\s{0,9}=\s{0,9})?"([^"]{1,300})"')
_KEY_NAMES = ("keyid", "id", "oauth_consumer_key", "client_token", "key", "username", "ak", "accesskeyid")
_MOST_SIGNATURES = 8

PRESIGNED: Mapping[str, str] = {
    # A query parameter that names the key of a presigned URL → whose signatures these are.
    "x-amz-credential": "aws",
    "awsaccesskeyid": "aws",
    "x-goog-credential": "google",
    "googleaccessid": "google",
    "x-oss-credential": "alibaba",
    "ossaccesskeyid": "alibaba",
    "x-obs-credential": "huawei",
    "q-ak": "tencent",
    "key-pair-id": "cloudfront",
    "skoid": "azure",
    "skn": "azure",
    "keyname": "google-cdn",
    "oauth_consumer_key": "oauth",
}
SIGNATURES = frozenset(
    """
    x-amz-signature x-goog-signature x-oss-signature x-obs-signature signature sig sign hmac x-signature
    q-signature url-signature oauth_signature
    """.split()
)
"""Parameters whose value is a signature: it presents a key, and is none."""


def parameters_of(text: str) -> dict[str, str]:
    """Parameters of a header (`name="value", name=value`), names in lower case; the first counts."""
    found: dict[str, str] = {}
    for name, quoted, plain in _PARAMETER.findall(text):
        found.setdefault(name.lower(), re.sub(r"\\(.)", r"\1", quoted) if quoted else plain)
    return found


def cloud_signature(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    """`AWS4-HMAC-SHA256 Credential=AKID/date/region/service/aws4_request, …` and its likes."""
    found = _SCOPED.search(rest)
    vendor = _vendor(scheme.lower())
    if found is None:
        return key_pair_signature(maker, place, scheme, rest)
    return access_key(maker, place, vendor, found[1])


def access_key(maker: Maker, place: str, vendor: str, key_id: str) -> Credential | None:
    """The key that an id names, wherever and with whichever signature it comes."""
    key_id = key_id.partition("/")[0].strip()
    if not key_id or is_masked(key_id):
        return None
    hint = f"{_TITLES.get(vendor, vendor)} key"
    if vendor == "aws" and len(key_id) >= 20:
        hint += f" {key_id[:4]}…{key_id[-4:]}"
    return maker.named("signature", place, f"{vendor}\0{key_id}", hint)


def key_pair_signature(maker: Maker, place: str, scheme: str, rest: str) -> Credential | None:
    """A signature with a parameter that names its key; without one it is one way in, whoever signs."""
    found = parameters_of(rest)
    title = "HTTP" if scheme.lower() == "signature" else scheme
    name = next((found[one] for one in _KEY_NAMES if found.get(one)), None)
    if name is None or is_masked(name):
        return maker.named("signature", place, f"unnamed\0{scheme.lower()}", f"{title} signature")
    return maker.named(
        "signature", place, f"key\0{name}", f"{title} signature", login=None, name=found.get("realm")
    )


def message_signatures(maker: Maker, headers: Mapping[str, str]) -> list[Credential]:
    """RFC 9421: `Signature-Input` names keys; `Signature-Agent` (Web Bot Auth) says whose they are.

    One credential for each key: a call may be signed by several. Nothing is verified here.
    """
    made: dict[int, Credential] = {}
    agents = signature_agents(headers.get("signature-agent", ""))
    for label, parameters in _inputs(headers.get("signature-input", "")):
        key = parameters.get("keyid")
        agent = agents.get(label) or agents.get("")
        if not key and not agent:
            continue
        bot = parameters.get("tag") == "web-bot-auth" or agent is not None
        identity = f"message\0{agent or ''}\0{key or ''}"
        hint = f"signature of {shown(agent)}" if agent and shown(agent) else "HTTP message signature"
        one = maker.named("signature", "header:signature-input", identity, hint, name=agent, is_agent=bot)
        made.setdefault(one.credential_id, one)
    return list(made.values())


def signature_agents(header: str) -> dict[str, str]:
    """Label → authority of a `Signature-Agent`: a dictionary, or in older drafts one string (label "")."""
    out: dict[str, str] = {}
    for label, uri in _AGENT.findall(header[:4000])[:_MOST_SIGNATURES]:
        authority = re.sub(r"\A[a-z][a-z0-9+.-]*://", "", uri).partition("/")[0].rpartition("@")[2].lower()
        if authority:
            out.setdefault(label, authority)
    return out


def _inputs(header: str) -> list[tuple[str, dict[str, str]]]:
    """Label and parameters of each signature of a `Signature-Input`."""
    found = _INPUT.findall(header[:16_000])
    return [(label, parameters_of(rest.replace(";", ","))) for label, _, rest in found[:_MOST_SIGNATURES]]


def _vendor(scheme: str) -> str:
    for start, vendor in _VENDORS:
        if scheme.startswith(start):
            return vendor
    return scheme


_VENDORS = (
    ("aws", "aws"),
    ("goog", "google"),
    ("oss", "alibaba"),
    ("acs", "alibaba"),
    ("tc3", "tencent"),
    ("sdk-hmac", "huawei"),
)
_TITLES = {
    "aws": "AWS",
    "google": "Google",
    "alibaba": "Alibaba Cloud",
    "tencent": "Tencent Cloud",
    "huawei": "Huawei Cloud",
    "cloudfront": "CloudFront",
    "azure": "Azure",
    "google-cdn": "Cloud CDN",
    "oauth": "OAuth 1.0",
}
