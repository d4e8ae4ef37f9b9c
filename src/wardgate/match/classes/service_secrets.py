"""Secrets of well-known services: one class for each service, from the one list of their tokens."""

import re

from wardgate.match.classes.shape import DataClass, Pattern
from wardgate.match.vendor_tokens import VENDOR_TOKENS

_TITLES = {
    "aws": "AWS",
    "digitalocean": "DigitalOcean",
    "github": "GitHub",
    "gitlab": "GitLab",
    "hubspot": "HubSpot",
    "npm": "npm",
    "openai": "OpenAI",
    "planetscale": "PlanetScale",
    "pypi": "PyPI",
    "runpod": "RunPod",
    "rubygems": "RubyGems",
    "sendgrid": "SendGrid",
    "xai": "xAI",
}
_FILLER = re.compile(r"(.)\1{11}|x{8}|\*{3}|your|example_|placeholder", re.IGNORECASE)
_NAMED: dict[str, tuple[Pattern, tuple[str, ...]]] = {
    # A secret access key has no prefix: forty characters of base64, told by its name only.
    "aws": (
        Pattern(r"[A-Za-z0-9/+]{40}", named=0.95),
        (r"(aws )?secret (access )?key( id)?|aws (secret|key|access key|credentials?)",),
    ),
    "twilio": (Pattern(r"[0-9a-f]{32}", named=0.9), (r"(twilio )?auth token|twilio (token|secret)",)),
    "azure": (
        Pattern(r"[A-Za-z0-9+/]{86}==|[A-Za-z0-9+/]{43}=|[0-9a-f]{32}", named=0.9),
        (
            r"(azure|storage) (account )?(access )?key|account key|shared"
            r" access key|azure (open ai|openai) (api )?key",
        ),
    ),
}


def is_no_placeholder(value: str) -> bool:
    """Not the `xxxxxxxxxxxx` of a manual."""
    return _FILLER.search(value) is None


def _service(name: str) -> DataClass:
    tokens = [token for token in VENDOR_TOKENS if token.service == name]
    extra = [_NAMED[name]] if name in _NAMED else []
    sample = _SAMPLES[name]
    return DataClass(
        name=f"secret.{name}",
        title=f"Secret of {_TITLES.get(name, name.replace('-', ' ').title())}",
        reference=(
            f"token format as {_TITLES.get(name, name)} documents it, and as registered for secret scanning"
        ),
        patterns=(
            *(
                Pattern(
                    rf"(?:^|[^A-Za-z0-9_])({token.documented})",
                    alone=0.97,
                    named=0.99,
                    within=True,
                    valid=is_no_placeholder,
                )
                for token in tokens
            ),
            *(pattern for pattern, _ in extra),
        ),
        fields=tuple(field for _, fields in extra for field in fields),
        found=(("", sample), ("note", f"use {sample}, please")),
        passed=(
            ("", sample[:12]),
            ("", f"a{sample}") if sample[0].isalnum() else ("", sample[1:]),
            ("", "X" * len(sample)),
        ),
    )


_HEX = "0123456789abcdef" * 6
_MIXED = "k3Jd9sLq2WvXz7PbTn5YcRm8HgFt4Ua6EoIi1Bl0" * 3
# Made-up tokens in the documented form, put together here so that no scanner takes this file for a leak.
_SAMPLES: dict[str, str] = {
    "stripe": "sk_live" + "_" + _MIXED[:24],
    "anthropic": "sk-ant" + "-api03-" + _MIXED[:93] + "AA",
    "openai": "sk-proj" + "-" + _MIXED[:64],
    "github": "ghp" + "_" + _MIXED[:36],
    "gitlab": "glpat" + "-" + _MIXED[:20],
    "slack": "xoxb" + "-123456789012-1234567890123-" + _MIXED[:24],
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "google": "AIza" + _MIXED[:35],
    "sendgrid": "SG." + _MIXED[:22] + "." + _MIXED[:43],
    "npm": "npm" + "_" + _MIXED[:36],
    "hugging-face": "hf" + "_" + _MIXED[:34],
    "docker": "dckr_pat" + "_" + _MIXED[:27],
    "pulumi": "pul" + "-" + _HEX[:40],
    "runpod": "rpa" + "_" + _MIXED[:40],
    "netlify": "nfp" + "_" + _MIXED[:36],
    "tavily": "tvly" + "-dev-" + _MIXED[:32],
    "linear": "lin_api" + "_" + _MIXED[:40],
    "atlassian": "ATATT3" + _MIXED[:100],
    "pypi": "pypi" + "-AgEIcHlwaS5vcmc" + _MIXED[:60],
    "digitalocean": "dop" + "_v1_" + _HEX[:64],
    "shopify": "shpat" + "_" + _HEX[:32],
    "vault": "hvs" + "." + _MIXED[:24],
    "square": "sq0atp" + "-" + _MIXED[:22],
    "mailgun": "key" + "-" + _HEX[:32],
    "twilio": "SK" + _HEX[:32],
    "azure": "abc" + "8Q~" + _MIXED[:31],
    "databricks": "dapi" + _HEX[:32],
    "datadog": "ddp" + "_" + _MIXED[:34],
    "new-relic": "NRAK" + "-" + _MIXED.upper()[:27],
    "grafana": "glsa" + "_" + _MIXED[:32] + "_" + _HEX[:8],
    "telegram": "110201543" + ":AA" + _MIXED[:33],
    "notion": "ntn" + "_" + _MIXED[:46],
    "postman": "PMAK" + "-" + _HEX[:24] + "-" + _HEX[:34],
    "groq": "gsk" + "_" + _MIXED[:52],
    "perplexity": "pplx" + "-" + _MIXED[:48],
    "xai": "xai" + "-" + _MIXED[:80],
    "replicate": "r8" + "_" + _MIXED[:37],
    "supabase": "sbp" + "_" + _HEX[:40],
    "planetscale": "pscale_tkn" + "_" + _MIXED[:43],
    "sentry": "sntryu" + "_" + _HEX[:64],
    "hubspot": "pat-na1" + "-0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
    "figma": "figd" + "_" + _MIXED[:40],
    "airtable": "pat" + _MIXED[:14] + "." + _HEX[:64],
    "doppler": "dp.pt" + "." + _MIXED[:43],
    "rubygems": "rubygems" + "_" + _HEX[:48],
    "terraform": _MIXED[:14] + ".atlasv1." + _MIXED[:67],
    "tailscale": "tskey-auth" + "-" + _MIXED[:30],
    "buildkite": "bkua" + "_" + _HEX[:40],
    "age": "AGE-SECRET-KEY-1" + _MIXED.upper()[:58],
}

SERVICE_SECRETS = tuple(_service(name) for name in dict.fromkeys(token.service for token in VENDOR_TOKENS))
