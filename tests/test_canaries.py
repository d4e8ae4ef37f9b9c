"""Canaries: secrets of every kind, through every format and every bad line, are nowhere afterwards.

Forty secrets are put into the examples of every format, at places of all sorts and at random ones (so that
many lines break). After ingestion every value of every table, and every byte of every file at home, is
searched.
"""

import base64
import json
import random
import string
from pathlib import Path

import pytest

from wardgate.core.clock import fixed_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.lake.engine import embedded_place
from wardgate.lake.store import Lake
from wardgate.lake.tables import TABLES
from wardgate.pipeline import Pipeline
from wardgate.service.ingest import Ingest, Reading
from wardgate.sources.files import find_inputs
from wardgate.sources.format import Options

EXAMPLES = Path(__file__).parent / "sources" / "examples"
TEXTS = sorted(p for p in EXAMPLES.iterdir() if p.suffix in (".log", ".jsonl", ".har", ".json"))


def canaries() -> list[str]:
    """Forty secrets that nothing but chance could have put anywhere."""
    rng = random.Random(40)

    def some(alphabet: str, length: int) -> str:
        return "".join(rng.choice(alphabet) for _ in range(length))

    alnum, hexa = string.ascii_letters + string.digits, "0123456789abcdef"
    part = lambda value: base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")  # noqa: E731
    out = [f"{part({'alg': 'HS256'})}.{part({'sub': some(alnum, 12)})}.{some(alnum, 43)}" for _ in range(4)]
    for prefix, length in (
        ("ghp_", 36), ("gho_", 36), ("github_pat_", 40), ("glpat-", 20), ("xoxb-", 40), ("sk_live_", 24),
        ("sk_test_", 24), ("rk_live_", 24), ("sk-", 48), ("AIza", 35), ("ya29.", 40), ("npm_", 36), ("pypi-", 60),
        ("hvs.", 24), ("dop_v1_", 64), ("whsec_", 32), ("GOCSPX-", 28), ("SG.abcdefghij.", 43), ("hf_", 34),
    ):  # fmt: skip
        out.append(prefix + some(alnum, length))
    out += [
        "AKIA" + some(string.ascii_uppercase + string.digits, 16),
        "ASIA" + some(string.ascii_uppercase + string.digits, 16),
    ]
    out += [f"shpat_{some(hexa, 32)}"]
    out += [some(hexa, 40) for _ in range(3)] + [some(hexa, 64) for _ in range(2)]
    out += [some(alnum, 32) + "7aZ" for _ in range(5)]
    out += [f"pw{some(string.ascii_lowercase, 6)}!{n}" for n in range(4)]  # weak: a password
    assert len(out) == 40 == len(set(out))
    return out


CANARIES = canaries()


def _placed(text: str, rng: random.Random, secret: str) -> str:
    """`text` (one record) with a secret in it, at a place a careless client or a broken writer would choose."""
    weak = secret.startswith("pw")
    named = f"password={secret}" if weak else rng.choice([secret, f"token={secret}", f"Bearer {secret}"])
    places = [text.replace("?", f"?{named}&", 1), text.replace("GET /", f"GET /x?{named} /", 1)]
    if not weak:
        at = rng.randrange(len(text) + 1)
        places += [text[:at] + secret + text[at:], text[:at] + f" {secret} " + text[at + 9 :]]
    places.append(text[: rng.randrange(len(text) + 1)] + f' "{named}')
    return rng.choice(places)


@pytest.mark.parametrize("example", TEXTS, ids=lambda p: p.stem)
def test_no_secret_survives(example: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    rng = random.Random(example.stem)
    raw = example.read_text("utf-8", "replace")
    records = raw.splitlines() if example.suffix in (".log", ".jsonl") else [raw]
    dirty = tmp_path / example.name
    copies = 3 if len(records) > 1 else 1
    lines = [_placed(rng.choice(records), rng, secret) for secret in CANARIES for _ in range(copies)]
    home = open_home(tmp_path / "home")
    lake = Lake(embedded_place(home))
    pipeline = Pipeline(lake, load_key(home.path), fixed_clock(1_700_000_000_000_000))
    batches = [records + lines] if len(records) > 1 else [[line] for line in lines[:12]]
    refused = []
    for n, batch in enumerate(batches):
        dirty = tmp_path / f"{n}{example.name}"
        dirty.write_text("\n".join(batch) + "\n", "utf-8")
        try:
            for report in Ingest(pipeline, fixed_clock(1_700_000_000_000_000)).run(
                find_inputs([str(dirty)]), Reading(format=example.stem, options=Options())
            ):
                assert report.read == report.accepted + report.rejected + report.skipped
        except WardgateError as error:
            refused.append(str(error))
    kept = "\n".join(
        json.dumps(lake.rows(f"SELECT * FROM lake.{name}").to_pylist(), default=str) for name in TABLES
    ) + "\n".join(refused)
    lake.close()
    outputs = capfd.readouterr()
    kept += outputs.out + outputs.err
    raw_files = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    found = [secret for secret in CANARIES if secret in kept or secret.encode() in raw_files]
    assert not found, [kept[max(0, kept.find(f) - 80) : kept.find(f) + 20] for f in found[:5]]
