"""Callers: who is behind credentials and connections, as far as one call can tell.

The strongest credential names the caller. Without one, an address together with a user agent is all there
is: no address is ever anybody's identity by itself, and the confidence says how little that is.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from wardgate.recognise.credentials import Credential


class Kind(StrEnum):
    PERSON = "person"
    SERVICE = "service"
    AGENT = "agent"
    CRAWLER = "crawler"
    SCANNER = "scanner"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Software:
    """What a user agent says: a product name that may be shown, and the kind of caller it speaks for."""

    product: str
    kind: Kind
    confidence: float


_AGENTS = re.compile(
    r"gptbot|chatgpt|oai-searchbot|openai|claude|anthropic|perplexity|mistralai|cohere-ai|google-extended|"
    r"gemini|copilot|langchain|llamaindex|autogpt|crewai|browser-use|operator/|mcp[-/ ]|a2a[-/ ]|bytespider|"
    r"meta-externalagent|amazonbot|applebot-extended|you\.?bot|diffbot|ai2bot|duckassist",
    re.IGNORECASE,
)
_SCANNERS = re.compile(
    r"sqlmap|nikto|nmap|masscan|zgrab|nuclei|wpscan|gobuster|dirbuster|dirb|feroxbuster|ffuf|wfuzz|acunetix|"
    r"nessus|openvas|qualys|netsparker|burp|zaproxy|owasp|arachni|w3af|jaeles|httpx - open|censys|shodan|"
    r"expanse|l9explore|l9tcpid|nmaplowercheck|internet-measurement|paloalto|morfeus|zmeu|libredtail|hydra",
    re.IGNORECASE,
)
_CRAWLERS = re.compile(
    r"bot\b|bot[/;) ]|crawl|spider|slurp|archiver|facebookexternalhit|feedfetcher|mediapartners|monitor|"
    r"uptime|pingdom|feed|rss|preview|validator|checker|lighthouse|semrush|ahrefs|wget/",
    re.IGNORECASE,
)
_BROWSERS = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("Firefox/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
)
_PRODUCT = re.compile(r"[A-Za-z][A-Za-z0-9._ -]{0,38}?(?=/|$)")


def software_of(agent: str) -> Software:
    """The software a (masked) user agent names."""
    for pattern, kind, sure in (
        (_SCANNERS, Kind.SCANNER, 0.9),
        (_AGENTS, Kind.AGENT, 0.7),
        (_CRAWLERS, Kind.CRAWLER, 0.7),
    ):
        found = pattern.search(agent)
        if found is not None:
            return Software(_product(agent, found[0]), kind, sure)
    if agent.startswith(("Mozilla/", "Opera/")):
        for mark, product in _BROWSERS:
            if mark in agent:
                return Software(product, Kind.PERSON, 0.4)
        return Software("browser", Kind.PERSON, 0.3)
    found = _PRODUCT.match(agent)
    if found is not None:
        return Software(found[0].strip(), Kind.SERVICE, 0.5)
    return Software("unnamed software", Kind.UNKNOWN, 0.2)


def _product(agent: str, found: str) -> str:
    """The word of the user agent in which a name was found."""
    for word in re.split(r"[\s;,()+]+", agent):
        if found.strip().lower() in word.lower():
            return word.partition("/")[0][:40]
    return found[:40]


@dataclass(frozen=True, slots=True)
class Caller:
    """A caller named by a credential."""

    identity: str
    kind: Kind
    name: str
    basis: str
    confidence: float


def caller_of(credential: Credential) -> Caller:
    """The caller a credential speaks for."""
    claims = credential.claims
    if claims is not None:
        via = f" via {claims.client}" if claims.client else ""
        if claims.actor:
            return Caller(
                f"actor\0{claims.issuer}\0{claims.actor}", Kind.AGENT, claims.actor, "token actor", 0.8
            )
        if claims.subject and claims.person:
            name = f"subject {claims.subject[:8]}{via}"
            return Caller(
                f"subject\0{claims.issuer}\0{claims.subject}", Kind.PERSON, name, "token subject", 0.7
            )
        if claims.client:
            return Caller(
                f"client\0{claims.issuer}\0{claims.client}", Kind.SERVICE, claims.client, "token client", 0.8
            )
        if claims.subject:
            name = f"subject {claims.subject[:8]}"
            return Caller(
                f"subject\0{claims.issuer}\0{claims.subject}", Kind.UNKNOWN, name, "token subject", 0.5
            )
    identity = f"credential\0{credential.credential_id}"
    if credential.login is not None:
        return Caller(
            f"login\0{credential.login}", Kind.UNKNOWN, f"login {credential.login[:8]}", "login name", 0.7
        )
    if credential.kind == "client_certificate":
        return Caller(identity, Kind.SERVICE, credential.hint, "client certificate", 0.9)
    if credential.kind == "session":
        return Caller(identity, Kind.PERSON, f"session {credential.fingerprint[:8]}", "session", 0.5)
    kind = Kind.SERVICE if credential.kind in ("api_key", "gateway_key", "signature") else Kind.UNKNOWN
    return Caller(
        identity,
        kind,
        f"{credential.hint} ({credential.fingerprint[:8]})",
        credential.kind.replace("_", " "),
        0.6,
    )
