"""Benign values, as APIs carry them, each under names of its kind. For benchmarks."""

import string
import uuid

from stdnum import luhn

from made_values import (
    B62,
    HEX,
    MIXED,
    Maker,
    birthday,
    digits,
    pick,
    weighted,
)

WORDS = (
    "alpha order invoice shipped report daily user account status "
    "active pending summary total item list of the and with for new price"
).split()
BENIGN: dict[str, tuple[str, Maker]] = {
    "integer id": (
        "id order_id userId parent.id number reference tracking_number",
        lambda r: str(r.randint(1, 10 ** r.randint(3, 19))),
    ),
    "order number": (
        "order_number orderNo reference po_number invoice",
        lambda r: r.choice(
            [
                f"{r.randint(100, 999)}-{r.randint(1000000, 9999999)}-{r.randint(1000000, 9999999)}",
                f"ORD-{r.randint(2020, 2026)}-{r.randint(1, 99999):05d}",
                f"{r.randint(100, 999)}-{r.randint(100, 999)}-{r.randint(1000, 9999)}",
                f"INV{digits(r, 9)}",
                f"{digits(r, 4)}-{digits(r, 4)}",
            ]
        ),
    ),
    "16 digits": ("order_id id transactionId trace ean serial_number", lambda r: digits(r, 16)),
    "snowflake": ("id message_id tweet.id cursor", lambda r: str(r.randint(10**17, 10**18 + 9 * 10**17))),
    "uuid": ("id uuid request_id value", lambda r: str(uuid.UUID(int=r.getrandbits(128), version=4))),
    "hash": ("sha etag digest commit.sha checksum md5", lambda r: pick(r, HEX, r.choice([7, 32, 40, 64]))),
    "object id": ("_id objectId id", lambda r: pick(r, HEX, 24)),
    "prefixed id": (
        "id customer subscription object",
        lambda r: f"{r.choice(['cus', 'sub', 'ch', 'in', 'evt', 'prod'])}_{pick(r, B62, r.choice([14, 24]))}",
    ),
    "base64": (
        "cursor node_id next_page content",
        lambda r: pick(r, B62 + "+/", r.choice([24, 44, 88])) + "=",
    ),
    "nanoid": ("slug id short_id key", lambda r: pick(r, MIXED, 21)),
    "epoch": (
        "created timestamp updated_at exp ts",
        lambda r: str(r.randint(15 * 10**8, 18 * 10**8) * r.choice([1, 1000, 10**6])),
    ),
    "date": (
        "created_at date updatedAt expires due_date",
        lambda r: r.choice(
            [
                f"{birthday(r):%Y-%m-%d}",
                f"{birthday(r):%Y-%m-%d}T{r.randint(0, 23):02d}:00:00Z",
                f"{birthday(r):%d/%m/%Y}",
                f"{birthday(r):%Y%m%d}",
            ]
        ),
    ),
    "price": (
        "price amount total lat_ms size balance",
        lambda r: r.choice(
            [f"{r.uniform(0, 9999):.2f}", f"{r.randint(1, 99999)}", f"${r.uniform(0, 999):,.2f}"]
        ),
    ),
    "version": (
        "version api_version build.version v",
        lambda r: r.choice(
            [
                f"{r.randint(0, 20)}.{r.randint(0, 40)}.{r.randint(0, 99)}",
                f"10.{r.randint(0, 9)}.{r.randint(0, 99)}.{r.randint(0, 9)}",
                f"v{r.randint(1, 9)}.{r.randint(0, 9)}.{r.randint(0, 9)}-rc.{r.randint(1, 9)}",
            ]
        ),
    ),
    "words": (
        "title name description status state label",
        lambda r: " ".join(r.choices(WORDS, k=r.randint(1, 8))),
    ),
    "sentence": (
        "message note text comment",
        lambda r: (
            f"{' '.join(r.choices(WORDS, k=6))} {r.randint(1, 99999)} "
            f"{' '.join(r.choices(WORDS, k=4))}, see #{r.randint(1, 9999)}."
        ),
    ),
    "url": (
        "url href self link avatar_url",
        lambda r: (
            f"https://{r.choice(['api', 'www', 'cdn'])}.example.com/{r.choice(WORDS)}/"
            f"{digits(r, r.choice([4, 9, 16]))}?page={r.randint(1, 9)}"
        ),
    ),
    "path": (
        "path file_name key image",
        lambda r: f"/{r.choice(WORDS)}/{r.choice(WORDS)}@{r.randint(1, 3)}x.png",
    ),
    "public address": (
        "ip remote_addr client_ip",
        lambda r: (
            f"{r.choice([8, 34, 52, 93, 185, 203])}."
            f"{r.randint(0, 255)}.{r.randint(0, 255)}.{r.randint(1, 254)}"
        ),
    ),
    "code": (
        "sku code coupon country currency product_code",
        lambda r: r.choice(
            [
                f"{pick(r, string.ascii_uppercase, 3)}-{digits(r, 5)}",
                pick(r, string.ascii_uppercase + string.digits, r.choice([6, 8, 10, 12])),
                f"{pick(r, string.ascii_uppercase, 2)}{digits(r, 6)}{r.choice(string.ascii_uppercase)}",
            ]
        ),
    ),
    "enumeration": (
        "status type kind role level method",
        lambda r: r.choice(
            ["active", "ADMIN", "in_progress", "GET", "closed", "eu-west-1", "application/json"]
        ),
    ),
    "user agent": (
        "user_agent agent browser",
        lambda r: (
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/{r.randint(90, 130)}.0."
            f"{r.randint(1000, 6999)}.{r.randint(1, 200)} Safari/537.36"
        ),
    ),
    "secret of a placeholder": (
        "password api_key token email phone",
        lambda r: r.choice(["", "********", "null", "none", "required", "<redacted>"]),
    ),
    "ean": (
        "ean gtin barcode isbn",
        lambda r: (b := digits(r, 12)) + str((10 - weighted(b, (1, 3) * 6) % 10) % 10),
    ),
    "imei and iccid": (
        "imei iccid device.serial",
        lambda r: (b := digits(r, r.choice([14, 18]))) + luhn.calc_check_digit(b),
    ),
    "mac and color": (
        "mac color hex",
        lambda r: r.choice([":".join(pick(r, HEX, 2) for _ in range(6)), "#" + pick(r, HEX, 6)]),
    ),
    "pixel pair": (
        "size position.x dimensions point",
        lambda r: f"{r.randint(0, 4000)},{r.randint(0, 4000)}",
    ),
}
