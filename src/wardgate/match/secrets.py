"""What a secret looks like: names that announce one, known prefixes, and shapes nothing else has.

Shared by recognition (credentials, redaction) and by whatever shows text that was not understood. The
patterns are linear-time (RE2). Nothing here keeps or prints a value.

Sources: RFC 7519 (JWT), RFC 6749 and RFC 6750 (OAuth parameters); the services' own prefixes are listed in
`match.vendor_tokens`.
"""

import re
from collections.abc import Callable

import re2

from wardgate.match.vendor_tokens import VENDOR_TOKENS

SECRET_NAMES = frozenset(
    """
    password passwd pwd pass passphrase secret client_secret clientsecret token access_token accesstoken
    id_token idtoken refresh_token refreshtoken auth_token authtoken session_token csrf_token xsrf_token
    api_key apikey api-key api_token apitoken app_key appkey access_key accesskey accesskeyid secret_key
    secretkey private_key privatekey auth authorization authkey auth_key bearer jwt credential credentials
    signature sig sign hmac hash_key otp totp pin mfa mfa_code one_time_code verification_code code
    code_verifier assertion client_assertion subject_token actor_token samlresponse samlrequest
    x-amz-signature x-amz-credential x-amz-security-token x-goog-signature x-goog-credential
    session sessionid session_id sid jsessionid phpsessid sessid asp.net_sessionid subscription-key
    subscription_key ocp-apim-subscription-key x-api-key x-auth-token x-access-token key login_ticket ticket
    reset_token invite_token magic device_code user_code nonce_token webhook_secret signing_secret
    password_confirmation new_password old_password current_password passcode pass_code cvv cvc
    """.split()
)
"""Parameter, field and cookie names (lower case) whose value is a secret whatever it looks like."""

_PREFIXED = "|".join(
    (
        r"eyJ[A-Za-z0-9_-]{6,}\.[A-Za-z0-9_-]{2,}(?:\.[A-Za-z0-9_-]*){0,3}",
        *dict.fromkeys(token.masked for token in VENDOR_TOKENS),
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----",
    )
)
_NAMED = (
    r"(?i)\b(?:bearer|basic|digest|negotiate|apikey|aws4-hmac-sha256)\s+[A-Za-z0-9+/=_.~:,-]{4,}"
    r"|(?:password|passwd|pwd|secret|token|api[_-]?key|access[_-]?key|authorization|session(?:id)?|sid|sig"
    r"(?:nature)?|credential|otp|pin|jwt|code)[\"']?\s*(?:=|:|%3[dDaA])\s*[\"']?[^\s\"'&;,}]+"
    r"|://[^/\s@:]*:[^/\s@]+@"
)
_PREFIX_PATTERN = re2.compile(_PREFIXED)
_TEXT_PATTERN = re2.compile(f"({_PREFIXED}|{_NAMED})|[A-Za-z0-9+/=_-]{{20,}}")
# What a match of the pattern above must hold; the standard library's engine answers a short text faster.
_SUSPECT = re.compile(
    r"[A-Za-z0-9+/=_.-]{12}|[=:]|%3[dD]|(?i:bearer|basic|digest|negotiate|apikey|aws4-hmac-sha256)\s|-----BEGIN"
)
_OPAQUE = re2.compile(r"[A-Za-z0-9+/=_~.-]{20,}")
_WORDY = re.compile(r"[A-Za-z]+(?:[-_.][A-Za-z]+)*\d{0,4}\Z")
_HEX = re.compile(r"[0-9A-Fa-f]+\Z")
UUID = re.compile(r"[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\Z")

_KINDS: tuple[tuple[str, str], ...] = (
    ("eyJ", "jwt"),
    ("sk_live_", "sk_live"),
    ("sk_test_", "sk_test"),
    ("pk_live_", "pk_live"),
    ("rk_live_", "rk_live"),
    ("sk-", "sk"),
    ("ghp_", "ghp"),
    ("gho_", "gho"),
    ("ghs_", "ghs"),
    ("github_pat_", "github_pat"),
    ("glpat-", "glpat"),
    ("xox", "slack"),
    ("AKIA", "aws_access_key"),
    ("ASIA", "aws_access_key"),
    ("AIza", "google_api_key"),
    ("ya29.", "google_oauth"),
    ("npm_", "npm"),
    ("pypi-", "pypi"),
    ("hvs.", "vault"),
    ("shpat_", "shopify"),
)


def is_secret_name(name: str) -> bool:
    """Whether a parameter's, field's or cookie's name announces a secret."""
    low = name.lower().strip("[]")
    return low in SECRET_NAMES or low.rsplit(".", 1)[-1] in SECRET_NAMES or low.endswith(_SECRET_ENDINGS)


_SECRET_ENDINGS = (
    *("_token", "-token", "_secret", "-secret", "password", "_key", "-key", "apikey", "_sig", "signature"),
    *("session", "sessionid", "sessid", "_sid", "credential", "credentials"),
)


def secret_kind(value: str) -> str | None:
    """The kind a value's known prefix or shape shows (`jwt`, `ghp`, `opaque`…); None when it shows none.

    UUIDs and plain words are no secrets by their shape. Hexadecimal of 32 digits or more, and mixed opaque
    strings of 20 characters or more, are.
    """
    if len(value) < 12:
        return None
    if _PREFIX_PATTERN.fullmatch(value):
        for prefix, kind in _KINDS:
            if value.startswith(prefix):
                return kind
        return "key"
    if len(value) < 20 or UUID.match(value) or _WORDY.match(value) or not _OPAQUE.fullmatch(value):
        return None
    if _HEX.match(value):
        return "hex" if len(value) >= 32 else None
    return "opaque" if is_random(value) else None


_DIGITS = re.compile(r"\d+")


def is_random(value: str) -> bool:
    """Digits and letters mixed, without the word breaks that slugs have."""
    digits = sum(map(str.isdigit, value))
    letters = sum(map(str.isalpha, value))
    if not digits or not letters:
        return False
    pieces = re.split(r"[-_.~]", value)
    wordy = sum(len(piece) for piece in pieces if piece.isalpha() or piece.isdigit())
    if len(pieces) > 2 and wordy > 0.6 * len(value):
        return False
    changes = 2 * len(_DIGITS.findall(value)) - value[0].isdigit() - value[-1].isdigit()
    return changes >= 3 or len(value) >= 32


def mask_text(text: str, token: Callable[[str, str], str]) -> str:
    """Free text with everything that may be a secret replaced by `token(kind, secret)`."""
    if not _SUSPECT.search(text):
        return text

    def masked(found: re.Match[str]) -> str:
        return _masked(found.group(0), found.group(1) is not None, token)

    return str(_TEXT_PATTERN.sub(masked, text))


def _masked(found: str, surely: bool, token: Callable[[str, str], str]) -> str:
    kind = secret_kind(found)
    if kind is None and (surely or _PREFIX_PATTERN.search(found)):
        kind = "secret"
    return token(kind, found) if kind is not None else found


def carries_secret(text: str) -> bool:
    """Whether `mask_text` would change anything."""
    return mask_text(text, lambda kind, secret: "") != text


# Words that log structure is made of; they stay readable in a masked record.
_STRUCTURE = frozenset(
    """
    get post put patch delete head options trace connect http https ws wss json api host user agent referer
    accept cookie authorization bearer basic request response status method path query url uri time timestamp
    ts date level msg message duration bytes size client remote addr address ip port server name id true false
    null jan feb mar apr may jun jul aug sep oct nov dec mon tue wed thu fri sat sun utc gmt mozilla curl
    python requests go okhttp headers body content type length log entries fields version software start end
    info warn warning error debug notice
    """.split()
)
_RUN = re.compile(r"[^\W_]+", re.UNICODE)


def shape(raw: bytes, limit: int = 400) -> str:
    """The structure of a record that was not understood, and nothing of its content.

    Punctuation, spaces and well-known structural words stay; digits become 0 and letters a or A, save in
    numbers of up to three digits. Control characters and broken UTF-8 are shown as escapes. Cut to `limit`.
    """
    text = raw[: 4 * limit].decode("utf-8", "replace")[:limit]
    masked = _RUN.sub(_masked_run, text)
    out = "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in masked)
    return out + ("…" if len(raw) > len(text.encode("utf-8", "replace")) else "")


def _masked_run(found: re.Match[str]) -> str:
    run = found[0]
    if run.lower() in _STRUCTURE or (len(run) <= 3 and run.isdigit()):
        return run
    return "".join("0" if c.isdigit() else "A" if c.isupper() else "a" for c in run)
