"""Client certificates, however a hop that ended TLS tells of them: one credential for each, many renewals.

Envoy's `X-Forwarded-Client-Cert`, the `ssl_client_*` of NGINX and HAProxy, Cloudflare's, AWS's, Google's and
Azure's headers, `Client-Cert` (RFC 9440), and what sources log. A certificate is known by its URI name
(SPIFFE), else its subject, else its hash; the hash or serial number is the instance. What a hop says was not
verified presents nothing. Headers can be forged where the hop does not clear them: who may is not decided
here.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import unquote

from wardgate.recognise.credentials.credential import Credential
from wardgate.recognise.credentials.maker import Maker, is_masked, shown

if TYPE_CHECKING:
    from cryptography import x509

COLUMN = "client_certificate"
"""The observed column that tells of a certificate: in Envoy's form, as a subject, or as a hash."""
_FIELDS: Mapping[str, str] = {
    # Header without a leading `x-` → what it tells.
    "forwarded-client-cert": "xfcc",
    **dict.fromkeys(
        """
        ssl-client-s-dn ssl-client-subject-dn ssl-client-subject ssl-client-dn ssl-client-s-dn-legacy
        client-dn client-subject-dn amzn-mtls-clientcert-subject cf-cert-subject-dn cert-subject-dn
        client-cert-subject-dn client-cert-subject forwarded-tls-client-cert-info ssl-subject
        tls-client-subject cf-client-cert-subject-dn
        """.split(),
        "subject",
    ),
    **dict.fromkeys("ssl-client-cn client-cn ssl-client-s-dn-cn client-cert-cn".split(), "name"),
    **dict.fromkeys(
        """
        ssl-client-i-dn ssl-client-issuer ssl-client-issuer-dn ssl-issuer amzn-mtls-clientcert-issuer
        cf-cert-issuer-dn client-cert-issuer-dn
        """.split(),
        "issuer",
    ),
    **dict.fromkeys(
        """
        ssl-client-fingerprint ssl-client-sha1 ssl-client-sha256 client-cert-hash client-cert-sha256
        client-cert-fingerprint cf-cert-fingerprint cf-client-cert-sha256 cf-cert-fingerprint-sha256
        client-fingerprint
        """.split(),
        "hash",
    ),
    **dict.fromkeys(
        """
        ssl-client-serial amzn-mtls-clientcert-serial-number client-cert-serial-number cf-cert-serial
        client-serial
        """.split(),
        "serial",
    ),
    **dict.fromkeys(
        """
        ssl-client-cert client-cert client-certificate amzn-mtls-clientcert amzn-mtls-clientcert-leaf
        arr-clientcert cf-client-cert-der-base64 forwarded-tls-client-cert client-cert-leaf
        ssl-client-escaped-cert ssl-client-raw-cert ssl-cert
        """.split(),
        "certificate",
    ),
    **dict.fromkeys("client-cert-uri-sans client-cert-spiffe client-cert-spiffe-id spiffe-id".split(), "uri"),
    **dict.fromkeys(
        """
        ssl-client-verify client-verify cf-cert-verified client-cert-chain-verified client-cert-present
        """.split(),
        "verified",
    ),
}
_UNVERIFIED = re.compile(r"(?i)\A(?:none|failed.*|false|no|0|)\Z")
_XFCC = re.compile(r"(?i)(?:\A|[;,])\s*(?:By|Hash|Cert|Chain|URI)=|\A\s*(?:Subject|DNS)=")
_HASH = re.compile(r"[0-9A-Fa-f]{2}(?::?[0-9A-Fa-f]{2}){15,63}\Z")
_MOST_HOPS = 8
LONGEST = 65_536


@dataclass(frozen=True, slots=True)
class _Certificate:
    """What was told of one certificate; empty where it was not."""

    uri: str = ""
    subject: str = ""
    name: str = ""
    issuer: str = ""
    hash: str = ""
    serial: str = ""
    expires_at_us: int | None = None


def field_of(header: str) -> str | None:
    """What a header (lower case) tells of a certificate; None for most headers."""
    return _FIELDS.get(header.replace("_", "-").removeprefix("x-"))


def certificates(maker: Maker, told: Mapping[str, str]) -> list[Credential]:
    """The certificates that one call's headers (by name), and the column, tell of: the client's first."""
    fields: dict[str, str] = {}
    for header, value in told.items():
        field = "told" if header == COLUMN else field_of(header)
        if field is not None and value.strip() and not is_masked(value):
            fields.setdefault(field, value[:LONGEST].strip())
    if "verified" in fields and _UNVERIFIED.match(fields["verified"]):
        return []
    found: list[_Certificate] = []
    for field in ("xfcc", "told"):
        found += _told(fields[field]) if field in fields else []
    own = _of_fields(fields)
    if own is not None:
        found.append(own)
    made: dict[int, Credential] = {}
    for one in _joined(found)[:_MOST_HOPS]:
        credential = _credential(maker, one)
        if credential is not None:
            made.setdefault(credential.credential_id, credential)
    return list(made.values())


def _joined(found: list[_Certificate]) -> list[_Certificate]:
    """What two places tell of the same certificate, together."""
    out: list[_Certificate] = []
    for one in found:
        same = next((at for at, other in enumerate(out) if _is_same(one, other)), None)
        if same is None:
            out.append(one)
            continue
        gaps = {name: getattr(one, name) for name in _Certificate.__slots__ if not getattr(out[same], name)}
        out[same] = replace(out[same], **gaps)
    return out


def _is_same(one: _Certificate, other: _Certificate) -> bool:
    for name in ("hash", "uri", "serial"):
        mine, theirs = getattr(one, name), getattr(other, name)
        if mine and theirs:
            return bool(mine == theirs)
    mine, theirs = _canonical(one.subject), _canonical(other.subject)
    return mine == theirs or not mine or not theirs


def _credential(maker: Maker, one: _Certificate) -> Credential | None:
    canonical = _canonical(one.subject)
    if one.uri:
        identity = f"uri\0{one.uri}"
    elif canonical:
        identity = f"subject\0{canonical}"
    elif one.name:
        identity = f"subject\0cn={one.name}"
    elif one.hash:
        identity = f"hash\0{one.hash}"
    elif one.serial:
        identity = f"serial\0{_canonical(one.issuer)}\0{one.serial}"
    else:
        return None
    common = one.name or _common_name(one.subject)
    name = shown(one.uri or common)
    instance = one.hash or (one.serial and f"{one.issuer}\0{one.serial}") or identity
    return maker.named(
        "client_certificate",
        "tls",
        f"certificate\0{identity}",
        f"certificate {name or ''}".strip(),
        instance=instance,
        name=name,
        expires_at_us=one.expires_at_us,
    )


def _told(text: str) -> list[_Certificate]:
    """A certificate in any of the forms in which sources log one."""
    if _HASH.match(text):
        return [_Certificate(hash=text.replace(":", "").lower())]
    if _XFCC.search(text[:4096]):
        elements = [_element(one) for one in islice(_split(text, ","), _MOST_HOPS)]
        return [one for one in elements if one is not None]
    if "-----BEGIN" in text or "%2D" in text[:40] or "MII" in text[:8]:
        read = _read(text)
        return [read] if read is not None else []
    if text.startswith("spiffe://"):
        return [_Certificate(uri=text)]
    return [_Certificate(subject=text)]


def _element(text: str) -> _Certificate | None:
    """One hop's element of `X-Forwarded-Client-Cert`; None when it is none."""
    values: dict[str, str] = {}
    for pair in _split(text, ";"):
        key, equals, value = pair.strip().partition("=")
        if equals:
            values.setdefault(key.lower(), _unquoted(value))
    if not values.keys() & {"hash", "cert", "by", "uri", "chain", "subject", "dns"}:
        return None
    read = _read(values["cert"]) if values.get("cert") else None
    one = read or _Certificate()
    return replace(
        one,
        uri=values.get("uri") or one.uri,
        subject=values.get("subject") or one.subject,
        name=one.name or ("" if values.get("subject") else values.get("dns", "")),
        hash=values.get("hash", "").lower() or one.hash,
    )


def _of_fields(fields: Mapping[str, str]) -> _Certificate | None:
    """A certificate told in single headers."""
    read = _read(fields["certificate"]) if "certificate" in fields else None
    one = read or _Certificate()
    subject = fields.get("subject", "")
    if "%" in subject or subject.startswith('Subject="'):
        subject = unquote(subject)
        quoted = re.search(r'Subject="([^"]*)"', subject)
        subject = quoted[1] if quoted else subject
    one = replace(
        one,
        uri=fields.get("uri", "").split(",")[0].strip() or one.uri,
        subject=subject or one.subject,
        name=fields.get("name") or one.name,
        issuer=fields.get("issuer") or one.issuer,
        hash=fields.get("hash", "").replace(":", "").lower() or one.hash,
        serial=fields.get("serial", "").replace(":", "").lower().lstrip("0") or one.serial,
    )
    return one if one != _Certificate() else None


def _read(text: str) -> _Certificate | None:
    """A certificate itself: PEM (also percent-encoded, or with its lines folded), or DER in base64."""
    from cryptography import x509
    from cryptography.hazmat.primitives.hashes import SHA256

    if "%" in text:
        text = unquote(text)
    body = re.sub(r"-----BEGIN [A-Z ]+-----", "", text.strip().strip(":")).partition("-----END")[0]
    try:
        raw = base64.b64decode(re.sub(r"\s+|\\n|\\t", "", body), validate=True)
    except (binascii.Error, ValueError):
        return None
    try:
        parsed = x509.load_der_x509_certificate(raw)
        uris = _names(parsed)
        return _Certificate(
            uri=uris[0] if uris else "",
            subject=parsed.subject.rfc4514_string(),
            issuer=parsed.issuer.rfc4514_string(),
            hash=parsed.fingerprint(SHA256()).hex(),
            serial=f"{parsed.serial_number:x}",
            expires_at_us=int(parsed.not_valid_after_utc.timestamp() * 1_000_000),
        )
    except Exception:  # noqa: BLE001 - whatever a hostile certificate makes the parser raise
        return _Certificate(hash=hashlib.sha256(raw).hexdigest()) if raw else None


def _names(parsed: "x509.Certificate") -> list[str]:
    from cryptography import x509

    try:
        found = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [one for one in found.get_values_for_type(x509.UniformResourceIdentifier) if one]


def _canonical(subject: str) -> str:
    """A subject's attributes in one order and case: NGINX, OpenSSL and RFC 4514 write them three ways."""
    if "=" not in subject:
        return subject.strip().lower()
    found = _attributes(subject)
    return "\0".join(sorted(f"{name.lower()}={value}" for name, value in found)) or subject.strip()


def _attributes(subject: str) -> list[tuple[str, str]]:
    """Names and values, in any of the three forms; a piece without a name belongs to the value before it."""
    found: list[tuple[str, str]] = []
    for piece in islice(_split(subject[:4096], "/" if subject.startswith("/") else ",+;"), 64):
        name, equals, value = piece.strip().partition("=")
        if equals and name.replace(".", "").isalnum():
            found.append((name, _unquoted(value)))
        elif found and piece:
            found[-1] = found[-1][0], f"{found[-1][1]},{piece}"
    return found


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1]
    return re.sub(r"\\(.)", r"\1", text).strip()


def _split(text: str, marks: str) -> Iterator[str]:
    """Pieces between marks that stand neither in quotes nor behind a backslash; in linear time."""
    start = 0
    quoted = False
    for found in re.finditer(rf'\\.|"|[{re.escape(marks)}]', text, re.DOTALL):
        mark = found[0]
        if mark == '"':
            quoted = not quoted
        elif not quoted and len(mark) == 1:
            yield text[start : found.start()]
            start = found.end()
    yield text[start:]


def _common_name(subject: str) -> str:
    found = {name.lower(): value for name, value in reversed(_attributes(subject))}
    return found.get("cn") or found.get("commonname") or subject
