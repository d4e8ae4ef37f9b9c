"""Recorded traffic of API clients: cassettes of source distributions, and the vendor's own templates."""

import fnmatch
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from templating.clients import Client
from templating.descriptions import CACHE, Description
from templating.words import erased
from wardgate.recognise.templating.settled import Table

_RESOURCE = re.compile(r"(?:resource_path=|metadata = \{[\"']url[\"']: )[\"'](/[^\"']+)[\"']")


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded call."""

    method: str
    host: str
    path: str
    status: int
    request: bytes | None
    response: bytes | None


def fetch(client: Client) -> Path:
    """The client's unpacked source distribution, downloaded with pip where absent."""
    folder = CACHE / "clients" / client.requirement.replace("==", "-")
    if folder.is_dir():
        return folder
    downloads = CACHE / "downloads" / client.requirement
    downloads.mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "-q",
        "--no-binary",
        ":all:",
        "--no-deps",
        "-d",
        downloads,
    ]
    if not list(downloads.iterdir()):
        subprocess.run(["python3", *command[1:], client.requirement], check=True)
    archive = next(iter(sorted(downloads.iterdir())))
    folder.mkdir(parents=True)
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
    else:
        with tarfile.open(archive) as opened:
            opened.extractall(folder, filter="data")
    return folder


def calls(client: Client) -> Iterator[Recorded]:
    """Its recorded calls to the hosts that are scored."""
    for file in sorted(fetch(client).rglob("*.y*ml")):
        if not any(part in ("cassettes", "recordings") or "cassette" in part for part in file.parts):
            continue
        document = yaml.load(file.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for one in (document or {}).get("interactions") or []:
            request, response = one["request"], one["response"]
            url = urlsplit(request["uri"])
            if url.netloc in client.hosts:
                yield Recorded(
                    request["method"],
                    url.netloc,
                    url.path or "/",
                    int(response["status"]["code"]),
                    _bytes(request.get("body")),
                    _bytes((response.get("body") or {}).get("string")),
                )


def _bytes(body: object) -> bytes | None:
    if isinstance(body, dict):
        body = body.get("string")
    if isinstance(body, str):
        return body.encode("utf-8", "surrogatepass")
    return body if isinstance(body, bytes) else None


class Truth:
    """What the vendor says: a path's template with parameters erased, or None where no template fits."""

    def __init__(self, client: Client, all_of: list[Description]) -> None:
        templates: list[str] = []
        for wanted in client.descriptions:
            if wanted.startswith("code:"):
                for file in sorted(fetch(client).glob("*/" + wanted.removeprefix("code:"))):
                    templates += _RESOURCE.findall(file.read_text("utf-8"))
                continue
            for one in all_of:
                if fnmatch.fnmatch(one.name, wanted):
                    templates += [one.base + path.template for path in one.paths]
        self._exact: dict[str, str] = {}
        for template in sorted(set(templates)):
            self._exact.setdefault(erased(template).lower(), erased(template))
        self._table = Table(key.replace("{}", "{x}") for key in self._exact)

    def of(self, path: str) -> str | None:
        """Constants compared without case, as the vendor's servers do."""
        found = self._table.match(path.lower().split("/")[1:])
        if found is None:
            return None
        end = "/" if path.endswith("/") else ""  # written or not, it is the same operation
        true, given = (one.rstrip("/").split("/") for one in (found.replace("{x}", "{}"), path))
        return "/".join("{}" if t == "{}" else g for t, g in zip(true, given, strict=True)) + end
