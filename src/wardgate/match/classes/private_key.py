"""Private keys, by the line they begin with."""

from wardgate.match.classes.shape import DataClass, Pattern

PRIVATE_KEY = DataClass(
    name="private-key",
    title="Private key",
    reference="RFC 7468; OpenSSH PROTOCOL.key; PuTTY, appendix C; RFC 7517 (JWK)",
    patterns=(
        Pattern(
            r"(-----BEGIN (?:[A-Z0-9]{2,12} ){0,2}PRIVATE KEY(?:"
            r" BLOCK)?-----)(?:\\[nr]|[\s:])+[A-Za-z0-9+/=:\\,\s-]{12}",
            alone=0.98,
            named=0.99,
            within=True,
        ),
        Pattern(r"(PuTTY-User-Key-File-[23]): ", alone=0.95, named=0.99, within=True),
    ),
    found=(
        ("", "-----BEGIN " + "PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
        ("pem", "-----BEGIN RSA " + "PRIVATE KEY-----\\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC"),
        ("", "-----BEGIN PGP " + "PRIVATE KEY BLOCK-----\n\nlQOYBF6example"),
    ),
    passed=(
        ("", "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
        ("", "put it between -----BEGIN " + "PRIVATE KEY----- and the end"),
        ("", "-----BEGIN CERTIFICATE-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A"),
    ),
)
