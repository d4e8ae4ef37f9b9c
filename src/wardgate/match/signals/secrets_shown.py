"""Secrets where they are logged and leaked: private keys in any text. Keys in URLs are told by recognition."""

from wardgate.match.signals.shape import ContentRule

PRIVATE_KEY_SENT = ContentRule(
    name="private-key-sent",
    title="Private key in a call",
    reference="CWE-522; RFC 7468",
    patterns=(
        r"-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?: BLOCK)?-----",
        r"PuTTY-User-Key-File-[23]:",
    ),
    needs=r"-----BEGIN|PuTTY-User|%",
    found=("-----BEGIN RSA " + "PRIVATE KEY-----\nMIIE", "k=-----BEGIN%20" + "PRIVATE%20KEY-----"),
    passed=("-----BEGIN PUBLIC KEY-----", "-----BEGIN CERTIFICATE-----"),
)
SECRET_IN_URL = ContentRule(
    name="secret-in-url",
    title="Secret in a URL",
    reference="CWE-598; RFC 6750, 2.3; RFC 9110, 17.9",
    patterns=(),
)
"""Left by recognition itself, which knows by names and shapes what in a target is a secret."""
