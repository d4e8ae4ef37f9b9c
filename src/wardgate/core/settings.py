"""Every key of the configuration, with its type, its default and what it does.

The reference (`docs/reference/configuration.md`) is made from the descriptions here; `core.config` fills
these from a file and the environment.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9.-]+|\*):(\d{1,5})\Z")


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError):
        raise ValueError("is not the name of a time zone, such as Europe/Vienna") from None
    return text


def _address(text: str) -> str:
    found = _HOST_PORT.match(text)
    if not found or int(found[2]) > 65535:
        raise ValueError("is not an address with a port, such as 127.0.0.1:514 or [::1]:514")
    return text


def _name(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}", text):
        raise ValueError("must be 1 to 64 letters, digits, dots, dashes or underscores")
    return text


Network = Annotated[str, AfterValidator(_network)]
"""A CIDR block or a single address."""
Zone = Annotated[str, AfterValidator(_zone)]
Address = Annotated[str, AfterValidator(_address)]
"""`host:port`; port 0 takes a free one."""
Name = Annotated[str, AfterValidator(_name)]
AnyPath = Annotated[Path, Field(strict=False)]
Positive = Annotated[int, Field(gt=0)]
Vantage = Literal["edge", "gateway", "sidecar", "application", "client"]
SkipRules = dict[str, list[str]]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, hide_input_in_errors=True)


class LakeSettings(_Section):
    """Where calls and rollups are kept, and for how long."""

    catalog: str | None = Field(
        default=None,
        description="The catalogue: a file, or a PostgreSQL connection string that begins with `postgres:`. "
        "Default: `lake/catalog.sqlite` in the home.",
    )
    data: str | None = Field(
        default=None,
        description="Where the Parquet files are: a folder, or `s3://bucket/prefix`. Default: `lake/data` in "
        "the home. A catalogue on PostgreSQL that several machines share needs it.",
    )
    storage: dict[str, str] = Field(
        default_factory=dict,
        repr=False,
        description="Settings of the object storage: `s3_endpoint`, `s3_region`, `s3_access_key_id`, "
        "`s3_secret_access_key`, `s3_url_style`, `s3_use_ssl`. Give secrets by environment.",
    )
    memory: str = Field(
        default="300MB",
        pattern=r"^\d+(MB|GB)$",
        description="Memory the lake's engine may use, before it spills.",
    )
    retention_days: Positive | None = Field(
        default=None,
        description="Calls older than this are dropped. Default: kept. Rollups and the inventory stay.",
    )
    retention_bytes: Positive | None = Field(
        default=None,
        description="The oldest calls are dropped when the lake is larger than this. Default: no limit.",
    )
    service_retention_days: dict[str, Positive] = Field(
        default_factory=dict, description="Days by service, in place of `retention_days`."
    )
    rollup_retention_days: Positive | None = Field(
        default=None,
        description="Rollups older than this are dropped: what pages and counts are made of. Default: kept.",
    )
    reject_retention_days: Positive | None = Field(
        default=90,
        description="How long records that were not understood are kept, masked as they are, in days.",
    )
    maintenance_interval_s: Positive = Field(
        default=30,
        description="How often small files are merged, what is past its retention dropped, in seconds.",
    )

    learning_interval_s: Positive = Field(
        default=10,
        description="How often templates are looked at again while calls come in, in seconds.",
    )

    @model_validator(mode="after")
    def _known_storage(self) -> Self:
        if any(not re.fullmatch(r"s3_[a-z_]+", name) for name in self.storage):
            raise ValueError("storage takes keys that begin with s3_")
        return self


class StateSettings(_Section):
    """Where what people enter is kept: push tokens, and later findings and decisions."""

    url: str | None = Field(
        default=None,
        repr=False,
        description="A PostgreSQL URL (`postgresql+psycopg://…`). Default: `state.sqlite` in the home. Give "
        "it by environment where it holds a password.",
    )


class ListenSettings(_Section):
    """Where the page and the API are served."""

    address: str = Field(
        default="127.0.0.1",
        description="Address to listen on. The page has no login: see `page_networks` before you widen it.",
    )
    port: int = Field(default=8321, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    page_networks: list[Network] = Field(
        default_factory=lambda: ["127.0.0.0/8", "::1/128"],
        description="Who may open the page, by address. Pushing is not limited by it, only by tokens.",
    )
    page_hosts: list[str] = Field(
        default_factory=lambda: ["localhost", "127.0.0.1", "::1"],
        description="Host names under which the page answers (`*` is any). A web page elsewhere that points "
        "its own name at this machine is refused by it.",
    )


class PushSettings(_Section):
    """Limits of what is pushed: `POST /v1/calls` and `POST /v1/traces`."""

    max_batch_bytes: Positive = Field(
        default=16 << 20, description="Largest batch, in bytes, both as sent and decompressed."
    )
    max_pending: Positive = Field(
        default=60_000,
        description="Calls that may wait for their commit. Beyond it pushes are answered 429, and files and "
        "syslog wait.",
    )
    max_pending_bytes: Positive = Field(
        default=256 << 20,
        description="Bytes of pushed bodies held at one time. Beyond it pushes are answered 429.",
    )
    max_requests: Positive = Field(
        default=256, description="Pushes handled at one time. Beyond it pushes are answered 429."
    )
    gather_ms: int = Field(
        default=100,
        ge=0,
        le=5000,
        description="How long a part may wait for others to share its commit, in milliseconds.",
    )
    receive_timeout_s: Positive = Field(
        default=30, description="How long a sender may take over its request's body, in seconds."
    )
    commit_timeout_s: Positive = Field(
        default=60, description="How long an answer waits for the commit before it says 503, in seconds."
    )
    skip: SkipRules = Field(
        default_factory=dict,
        description="Pushed calls to pass over: rule name → path patterns, as in a source's `skip`.",
    )


class LogSettings(_Section):
    """What a running process says on standard error. No value from traffic is ever in it."""

    format: Literal["text", "json"] = Field(
        default="text", description="Lines for people, or JSON, one object a line."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="warning", description="The least that is logged."
    )


class SyslogSettings(_Section):
    """Where syslog messages are taken (RFC 5424, RFC 3164). What they hold is said by a source."""

    udp: Address | None = Field(
        default=None, description="Address and port for UDP, such as `127.0.0.1:5514`."
    )
    tcp: Address | None = Field(default=None, description="Address and port for TCP.")
    tls: Address | None = Field(default=None, description="Address and port for TLS.")
    certificate: AnyPath | None = Field(
        default=None, description="PEM file of the TLS certificate and its chain."
    )
    key: AnyPath | None = Field(default=None, description="PEM file of the TLS certificate's private key.")
    client_authority: AnyPath | None = Field(
        default=None, description="PEM file of the authority whose clients alone may connect over TLS."
    )
    max_message_bytes: Positive = Field(
        default=1 << 20, description="Longest message, in bytes. Longer ones are kept aside as `too-long`."
    )
    max_connections: Positive = Field(
        default=512, description="Connections at one time, over TCP and TLS together."
    )

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.tls is not None and (self.certificate is None or self.key is None):
            raise ValueError("tls needs certificate and key")
        return self


class SourceSettings(_Section):
    """One source that is followed: files, or syslog."""

    name: Name = Field(description="The source's name, as commands show it.")
    path: str | None = Field(
        default=None,
        description="A file, a glob or a folder. Relative to the folder of the configuration. Files that "
        "appear later are found; rotation is followed.",
    )
    syslog: bool = Field(default=False, description="Take this source from syslog, in place of `path`.")
    syslog_hosts: list[str] = Field(
        default_factory=list,
        description="Only messages of these senders: addresses, or host names as the message gives them. "
        "Default: all.",
    )
    syslog_apps: list[str] = Field(
        default_factory=list, description="Only messages with these application names (tags). Default: all."
    )
    format: str = Field(default="auto", description="Format of the records; `auto` finds it from a sample.")
    layout: str | None = Field(default=None, description="A log format string in the vendor's own syntax.")
    config: AnyPath | None = Field(
        default=None,
        description="A server's configuration (`nginx.conf`, `httpd.conf`), or a mapping, that holds "
        "the format.",
    )
    layout_name: str | None = Field(
        default=None, description="Which of that configuration's formats, where it has several."
    )
    timezone: Zone | None = Field(
        default=None, description="Time zone of stamps that carry none. Default: UTC."
    )
    vantage: Vantage | None = Field(
        default=None,
        description="Where it sees calls: `edge`, `gateway`, `sidecar`, `application` or `client`.",
    )
    environment: str | None = Field(default=None, description="`production`, `staging`…, for all its calls.")
    team: str | None = Field(default=None, description="The team its calls belong to.")
    service: str | None = Field(
        default=None, description="The service all its calls belong to. Default: their host."
    )
    proxies: list[Network] = Field(
        default_factory=list, description="CIDR blocks of the proxies whose forwarded addresses are believed."
    )
    follow: bool = Field(
        default=True, description="Go on reading what is added; false reads what is there, once."
    )
    skip: SkipRules = Field(
        default_factory=dict,
        description="Records to pass over: rule name → path patterns, where `*` is any text. Counted "
        'by rule. Such as `skip = { health-check = ["/healthz", "/health/*"] }`.',
    )

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if (self.path is None) == (not self.syslog):
            raise ValueError("needs either path or syslog = true")
        return self


class OwnerRuleSettings(_Section):
    """One rule on who owns what fits."""

    owner: str | None = Field(default=None, description="Who owns it: `@shop/orders`, an address, a name.")
    code: str | None = Field(
        default=None,
        description="In place of an owner: whoever CODEOWNERS names for this path of the repository.",
    )
    service: str | None = Field(default=None, description="For this service; `*` is any text.")
    template: str | None = Field(
        default=None, pattern=r"^[/*]", description="For these templates; `*` is any text."
    )
    method: str | None = Field(default=None, description="For this HTTP method alone.")

    @model_validator(mode="after")
    def _is_a_rule(self) -> Self:
        if (self.owner is None) == (self.code is None):
            raise ValueError("needs either owner or code")
        if self.service is None and self.template is None:
            raise ValueError("needs service or template; service = '*' is all of them")
        return self


class OwnersSettings(_Section):
    """Who owns operations, for rules that are reviewed with everything else that is configured."""

    rules: list[OwnerRuleSettings] = Field(
        default_factory=list,
        description="Rules as `wardgate owners add` lays them down, a table each (`[[owners.rules]]`): "
        "`owner`, or `code` for whoever CODEOWNERS names for that path of the repository; `service` and "
        "`template`, where `*` is any text, one of them at least; `method`.",
    )


class Config(_Section):
    """All of `wardgate.toml`."""

    lake: LakeSettings = LakeSettings()
    state: StateSettings = StateSettings()
    listen: ListenSettings = ListenSettings()
    push: PushSettings = PushSettings()
    syslog: SyslogSettings = SyslogSettings()
    log: LogSettings = LogSettings()
    owners: OwnersSettings = OwnersSettings()
    source: list[SourceSettings] = Field(default_factory=list)

    @model_validator(mode="after")
    def _distinct_names(self) -> Self:
        names = [one.name for one in self.source]
        if len(set(names)) < len(names):
            raise ValueError("two sources have the same name")
        if any(one.syslog for one in self.source) and not (
            self.syslog.udp or self.syslog.tcp or self.syslog.tls
        ):
            raise ValueError("a source takes syslog, but [syslog] has no udp, tcp or tls address")
        return self
