"""Tokens that services mark with a documented prefix: the one list of them.

Two readers with opposite fears. What masks text (`match.secrets`) would rather hide too much, and reads
`masked`: the prefix and some characters. What reports a secret (`match.classes.service_secrets`) would rather
not cry wolf, and reads `documented`: prefix, alphabet and length as the vendor gives them.

Sources: the vendors' own pages on token formats, and their patterns registered for GitHub secret scanning.
"""

from dataclasses import dataclass

_ALNUM = "[A-Za-z0-9]"
_URL = "[A-Za-z0-9_-]"
_HEX = "[0-9a-f]"


@dataclass(frozen=True, slots=True)
class VendorToken:
    """One kind of token: the service it opens, its lead (RE2), the alphabet and least length of the rest."""

    service: str
    lead: str
    alphabet: str
    least: int
    loose: str = ""
    """What masking looks for instead, where the default is not right."""

    @property
    def documented(self) -> str:
        return f"{self.lead}{self.alphabet}{{{self.least},}}"

    @property
    def masked(self) -> str:
        return self.loose or f"{self.lead}{self.alphabet}{{{min(self.least, 16)},}}"


VENDOR_TOKENS: tuple[VendorToken, ...] = (
    VendorToken(
        "stripe", r"(?:sk|rk)_(?:live|test)_", _ALNUM, 24, r"(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}"
    ),
    VendorToken("stripe", r"whsec_", r"[A-Za-z0-9+/=_-]", 32, r"whsec_[A-Za-z0-9+/=_-]{8,}"),
    VendorToken("anthropic", r"sk-ant-[a-z]{3,6}\d{2}-", _URL, 80, r"sk-[A-Za-z0-9_-]{16,}"),
    VendorToken("openai", r"sk-(?:proj|svcacct|admin)-", _URL, 40),
    VendorToken("openai", r"sk-[A-Za-z0-9]{20}T3BlbkFJ", _ALNUM, 20),
    VendorToken("openai", r"sk-", _ALNUM, 48),
    VendorToken("github", r"gh[pousr]_", _ALNUM, 36, r"gh[pousr]_[A-Za-z0-9]{16,}"),
    VendorToken("github", r"github_pat_[A-Za-z0-9]{22}_", _ALNUM, 59, r"github_pat_[A-Za-z0-9_]{16,}"),
    VendorToken(
        "gitlab",
        r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas)-",
        r"[A-Za-z0-9_.-]",
        20,
        r"gl(?:pat|ptt|dt|rt|cbt|ft|soat|agent|imt|oas)-[A-Za-z0-9_.-]{12,}",
    ),
    VendorToken("slack", r"xox[abeoprs]-", r"[A-Za-z0-9-]", 20, r"xox[abeoprs]-[A-Za-z0-9-]{8,}"),
    VendorToken("slack", r"xapp-\d-[A-Z0-9]+-\d+-", _HEX, 40, r"xapp-[A-Za-z0-9-]{8,}"),
    VendorToken("slack", r"hooks\.slack\.com/services/T[A-Z0-9]{6,}/B[A-Z0-9]{6,}/", _ALNUM, 20),
    VendorToken("aws", r"(?:AKIA|ASIA|ABIA|ACCA)", "[A-Z2-7]", 16, r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,}"),
    VendorToken("google", r"AIza", _URL, 35, r"AIza[A-Za-z0-9_-]{20,}"),
    VendorToken("google", r"ya29\.", _URL, 20, r"ya29\.[A-Za-z0-9_-]{12,}"),
    VendorToken("google", r"GOCSPX-", _URL, 28, r"GOCSPX-[A-Za-z0-9_-]{12,}"),
    VendorToken(
        "sendgrid", r"SG\.[A-Za-z0-9_-]{22}\.", _URL, 43, r"SG\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}"
    ),
    VendorToken("npm", r"npm_", _ALNUM, 36, r"npm_?[A-Za-z0-9_-]{24,}"),
    VendorToken("hugging-face", r"hf_", _ALNUM, 34, r"hf_?[A-Za-z0-9_-]{24,}"),
    VendorToken("docker", r"dckr_pat_", _URL, 27, r"dckr_pat_?[A-Za-z0-9_-]{24,}"),
    VendorToken("pulumi", r"pul-", _HEX, 40, r"pul_?[A-Za-z0-9_-]{24,}"),
    VendorToken("runpod", r"rpa_", _ALNUM, 40, r"rpa_?[A-Za-z0-9_-]{24,}"),
    VendorToken("netlify", r"nfp_", _ALNUM, 36, r"nfp_?[A-Za-z0-9_-]{24,}"),
    VendorToken("tavily", r"tvly-(?:dev-)?", _ALNUM, 32, r"tvly_?[A-Za-z0-9_-]{24,}"),
    VendorToken("linear", r"lin_api_", _ALNUM, 40, r"lin_api_?[A-Za-z0-9_-]{24,}"),
    VendorToken("atlassian", r"AT[AC]TT3", r"[A-Za-z0-9_=-]", 80, r"AT[AC]TT_?[A-Za-z0-9_-]{24,}"),
    VendorToken("pypi", r"pypi-AgE", _URL, 50, r"pypi-[A-Za-z0-9_-]{16,}"),
    VendorToken("digitalocean", r"do[opr]_v1_", _HEX, 64, r"do[opr]_v1_[A-Za-z0-9]{16,}"),
    VendorToken("shopify", r"shp(?:at|ca|pa|ss)_", "[A-Fa-f0-9]", 32),
    VendorToken("vault", r"hv[sbr]\.", _URL, 24, r"hv[sbr]\.[A-Za-z0-9_-]{12,}"),
    VendorToken("square", r"(?:sq0atp|sq0csp)-", _URL, 22, r"(?:sq0atp|sq0csp)-[A-Za-z0-9_-]{12,}"),
    VendorToken("mailgun", r"key-", _HEX, 32, r"key-[0-9a-f]{24,}"),
    VendorToken("twilio", r"SK", _HEX, 32, r"SK[0-9a-f]{32}"),
    VendorToken("azure", r"AccountKey=", r"[A-Za-z0-9+/]", 86),
    VendorToken("azure", r"SharedAccessKey=", r"[A-Za-z0-9+/]", 43),
    VendorToken("azure", r"[A-Za-z0-9_~.]{3}\dQ~", r"[A-Za-z0-9_~.-]", 31),
    VendorToken("databricks", r"dapi", _HEX, 32, r"dapi[0-9a-f]{32}"),
    VendorToken("datadog", r"dd(?:p|a)[a-z]?_", _ALNUM, 34),
    VendorToken("new-relic", r"NRAK-", "[A-Z0-9]", 27),
    VendorToken("grafana", r"glsa_[A-Za-z0-9]{32}_", "[A-Fa-f0-9]", 8),
    VendorToken("telegram", r"\d{8,10}:AA", _URL, 33),
    VendorToken("notion", r"ntn_", _ALNUM, 40),
    VendorToken("postman", r"PMAK-[0-9a-f]{24}-", _HEX, 34),
    VendorToken("groq", r"gsk_", _ALNUM, 40),
    VendorToken("perplexity", r"pplx-", _ALNUM, 40),
    VendorToken("xai", r"xai-", _ALNUM, 60),
    VendorToken("replicate", r"r8_", _ALNUM, 37, r"r8_[A-Za-z0-9]{30,}"),
    VendorToken("supabase", r"sbp_", _HEX, 40),
    VendorToken("planetscale", r"pscale_(?:tkn|pw|oauth)_", r"[A-Za-z0-9_.-]", 32),
    VendorToken("sentry", r"sntry[su]_", r"[A-Za-z0-9_=/+-]", 40),
    VendorToken("hubspot", r"pat-(?:na|eu)\d-", "[0-9a-f-]", 36, r"pat-(?:na|eu)\d-[0-9a-f-]{36}"),
    VendorToken("figma", r"fig[dou]_", _URL, 40),
    VendorToken("airtable", r"pat[A-Za-z0-9]{14}\.", _HEX, 64),
    VendorToken("doppler", r"dp\.(?:pt|st|sa|ct)\.", r"[A-Za-z0-9._-]", 40),
    VendorToken("rubygems", r"rubygems_", _HEX, 48),
    VendorToken("terraform", r"[A-Za-z0-9]{14}\.atlasv1\.", r"[A-Za-z0-9_=-]", 60),
    VendorToken("tailscale", r"tskey-[a-z]+-", r"[A-Za-z0-9-]", 20),
    VendorToken("buildkite", r"bkua_", _HEX, 40),
    VendorToken("age", r"AGE-SECRET-KEY-1", "[A-Z0-9]", 58, r"AGE-SECRET-KEY-[A-Z0-9]{20,}"),
)
