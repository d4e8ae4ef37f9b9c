"""Secrets that only their field's name gives away: passwords, and random values called keys or tokens."""

from wardgate.match.classes.shape import DataClass, Pattern
from wardgate.match.secrets import secret_kind

_NOTHING = frozenset(
    "null none true false undefined required invalid password string hidden redacted".split()
)


def is_shown(value: str) -> bool:
    """Not a mask, a placeholder or a word about passwords."""
    text = value.strip()
    return len(set(text)) > 2 and text.lower() not in _NOTHING and not text.startswith(("[", "<", "***", "{"))


def is_random(value: str) -> bool:
    """A value random enough to be one."""
    return secret_kind(value.strip()) is not None


PASSWORD = DataClass(
    name="secret.password",
    title="Password",
    reference="OWASP API3:2023; NIST SP 800-63B, 3.1.1",
    patterns=(Pattern(r"\S.{3,127}", named=0.8, valid=is_shown),),
    fields=(
        r"(user|admin|db|database|new|old|current|smtp|root)? ?(password"
        r"|passwd|passphrase|pwd|passwort)( confirmation)?",
    ),
    found=(("password", "hunter2!"), ("db.passwd", "correct horse battery staple")),
    passed=(("password", "********"), ("password_hint", "hunter2!"), ("password", "null")),
)

OTHER_SECRET = DataClass(
    name="secret.other",
    title="Key, token or secret of an unknown kind",
    reference="OWASP API3:2023; CWE-200",
    patterns=(Pattern(r"\S{16,}", named=0.7, valid=is_random),),
    fields=(
        r"api ?(key|token|secret)|secrets?|(client|app|application|webhook|shared|signing|consumer) ?secret",
        r"(access|refresh|auth|authentication|bearer|session|id|personal"
        r" access|security) ?token|private ?key|encryption key",
        r"secret key|master key|access key|jwt secret",
    ),
    fallback=True,
    found=(
        ("api_key", "9f86d081884c7d659a2feaa0c55ad015"),
        ("clientSecret", "Zk3Jd9sLq2WvXz7PbTn5YcRm8HgFt4"),
    ),
    passed=(
        ("api_key", "per-user-and-month"),
        ("next_token", "9f86d081884c7d659a2feaa0c55ad015"),
        ("key", "PROJ-1234567890123"),
    ),
)
