"""Canaries: secrets of every kind, through every format and every bad line, are nowhere afterwards.

Forty secrets are put into the examples of every format, at places of all sorts and at random ones (so that
many lines break). After ingestion every value of every table, and every byte of every file at home, is
searched.
"""

import base64
import contextlib
import io
import json
import random
import string
from collections.abc import Iterator
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

NOW = 1_700_000_000_000_000
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
        ("sk_test_", 24), ("rk_live_", 24), ("sk-", 48), ("AIza", 35), ("ya29.", 40), ("npm_", 36),
        ("pypi-", 60),
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
    """One record with a secret in it, where a careless client or a broken writer would put it."""
    weak = secret.startswith("pw")
    named = f"password={secret}" if weak else rng.choice([secret, f"token={secret}", f"Bearer {secret}"])
    places = [text.replace("?", f"?{named}&", 1), text.replace("GET /", f"GET /x?{named} /", 1)]
    if not weak:
        at = rng.randrange(len(text) + 1)
        places += [text[:at] + secret + text[at:], text[:at] + f" {secret} " + text[at + 9 :]]
    places.append(text[: rng.randrange(len(text) + 1)] + f' "{named}')
    return rng.choice(places)


@pytest.fixture(scope="module")
def remains(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Format → canaries found after all formats were ingested: in tables, refusals, outputs or files."""
    folder = tmp_path_factory.mktemp("canaries")
    home = open_home(folder / "home")
    lake = Lake(embedded_place(home))
    pipeline = Pipeline(lake, load_key(home.path), fixed_clock(NOW))
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        for example in TEXTS:
            said.write("\n".join(_ingest(example, pipeline, folder)))
    kept: dict[str, str] = {example.stem: "" for example in TEXTS} | {"": said.getvalue()}
    for name in TABLES:
        for row in lake.rows(f"SELECT * FROM lake.{name}").to_pylist():
            kept[row.get("source") or ""] += json.dumps(row, default=str)
    lake.close()
    raw_files = b"".join(path.read_bytes() for path in home.path.rglob("*") if path.is_file())
    found = {
        source: [text[max(0, text.find(one) - 80) : text.find(one) + 20] for one in CANARIES if one in text]
        for source, text in kept.items()
    }
    return found | {"files": [one for one in CANARIES if one.encode() in raw_files]}


def _ingest(example: Path, pipeline: Pipeline, folder: Path) -> Iterator[str]:
    """Ingest an example full of canaries; yields what was refused."""
    rng = random.Random(example.stem)
    raw = example.read_text("utf-8", "replace")
    records = raw.splitlines() if example.suffix in (".log", ".jsonl") else [raw]
    lines = [_placed(rng.choice(records), rng, secret) for secret in CANARIES for _ in range(3)]
    batches = [records + lines] if len(records) > 1 else [[line] for line in lines[:12]]
    for n, batch in enumerate(batches):
        dirty = folder / f"{n}{example.name}"
        dirty.write_text("\n".join(batch) + "\n", "utf-8")
        reading = Reading(source=example.stem, format=example.stem)
        try:
            for report in Ingest(pipeline, fixed_clock(NOW)).run(find_inputs([str(dirty)]), reading):
                assert report.read == report.accepted + report.rejected + report.skipped
                yield str(report)
        except WardgateError as error:
            yield str(error)


@pytest.mark.parametrize("place", [*(example.stem for example in TEXTS), "", "files"])
def test_no_secret_survives(place: str, remains: dict[str, list[str]]) -> None:
    assert not remains[place]
