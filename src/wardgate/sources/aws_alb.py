"""AWS Application Load Balancer access logs.

Reference: Elastic Load Balancing, "Access logs for your Application Load Balancer". A line is written when
the response is (or a WebSocket ends); `request_creation_time` is the start. New fields are appended over
the years, so lines of every length are read; those before 2018 lack the start and are stamped by their end.
"""

import re
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from wardgate.sources.access import by_distinct
from wardgate.sources.endpoints import address_and_port, schemes
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.layout import Field, Layout, Piece, unescape_c
from wardgate.sources.several_layouts import SeveralLayouts
from wardgate.sources.text_lines import parser_fit
from wardgate.sources.times import iso_times

_OLDEST = (
    "kind ended elb client_pair upstream waited_s upstream_duration_s sending_s status upstream_status "
    'request_bytes response_bytes "request" "user_agent" tls_cipher tls_version target_group "trace"'
)
_STARTED = _OLDEST + ' "tls_sni" "" _ time_iso'
_CLASSIFIED = _STARTED + ' "" "" "" "" "" "" ""'
_TRACED = _CLASSIFIED + " _"
_TRANSFORMED = _TRACED + ' "" "" ""'
"""The documented fields in order: through `trace_id`, `request_creation_time`, `classification_reason`,
`conn_trace_id`, `request_transform_status`. Those named _ or nothing are passed over."""

_LOOKS = re.compile(
    rb"(?:https?|h2|grpcs|wss?) \d{4}-\d\d-\d\dT[\d:.]+Z app/[^ ]+ [^ ]+ [^ ]+ [-\d.]+ [-\d.]+ [-\d.]+ "
)
_ROOT = re.compile(r"(?:\A|;)\s*Root=1-([0-9a-f]{8})-([0-9a-f]{24})(?:;|\Z)")


def _layout(columns: str, *, started: bool, tail: bool) -> Layout:
    pieces: list[Piece] = []
    literal = ""
    for column in columns.split(" "):
        name = column.strip('"')
        if column.startswith('"'):
            pieces += [literal + '"', Field(name, "quoted")]
            literal = '" '
        else:
            pieces += [literal] if literal else []
            pieces.append(Field("" if name == "_" else name))
            literal = " "
    if tail:
        pieces += [literal.rstrip(), Field("", "rest")] if literal.strip() else [Field("", "rest")]
    elif literal.strip():
        pieces.append(literal.strip())
    return Layout(
        tuple(pieces),
        unescape_c,
        stamp="start" if started else "end",
        precision_us=1000 if started else 1,
        refine=partial(_refined, started=started),
    )


def alb_layouts() -> tuple[list[Layout], list[Layout]]:
    """Layouts of the lines of late, and those for lines of any other length."""
    late = [_layout(one, started=True, tail=False) for one in (_TRACED, _TRANSFORMED, _CLASSIFIED)]
    return late, [_layout(_STARTED, started=True, tail=True), _layout(_OLDEST, started=False, tail=True)]


def _refined(fields: dict[str, pa.Array], *, started: bool) -> dict[str, pa.Array]:
    fields["client"], fields["client_port"] = address_and_port(fields.pop("client_pair"))
    fields["scheme"], fields["protocol"] = schemes(fields.pop("kind"))
    is_socket = pc.equal(fields["protocol"], "websocket").fill_null(False)
    trace = fields.pop("trace")
    fields["request_id"] = trace
    fields["trace_id"] = by_distinct(trace, _trace_id, pa.string())
    spent = [_seconds(fields.pop(name)) for name in ("waited_s", "sending_s")]
    spent.append(_seconds(fields["upstream_duration_s"]))
    fields["duration_s"] = pc.add(pc.add(spent[0], spent[1]), spent[2])  # null where one never happened
    ended = fields.pop("ended")
    if started:
        whole = pc.subtract(iso_times(ended), iso_times(fields["time_iso"])).cast(pa.int64())
        measured = pc.divide(whole.cast(pa.float64()), 1e6)
        known = pc.if_else(is_socket, pa.scalar(None, pa.float64()), fields["duration_s"])
        fields["duration_s"] = pc.coalesce(known, measured)
    else:
        fields["time_iso"] = ended
    return fields


def _seconds(array: pa.Array) -> pa.Array:
    """Seconds (float64); null for -1, which says that it never happened."""
    return by_distinct(array, _second, pa.float64())


def _second(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if 0 <= number < 1e9 else None


def _trace_id(header: str) -> str | None:
    """The W3C form of an X-Amzn-Trace-Id's root, as X-Ray and OpenTelemetry convert it."""
    found = _ROOT.search(header)
    return found[1] + found[2] if found is not None else None


class AwsAlb:
    """Access logs of an AWS Application Load Balancer, of any age."""

    name = "aws-alb"
    title = "AWS Application Load Balancer access log"
    reference = "Elastic Load Balancing User Guide, Access logs for your Application Load Balancer"

    def fit(self, sample: bytes) -> Fit | None:
        if not any(_LOOKS.match(line) for line in sample.split(b"\n", 20)[:20]):
            return None
        return parser_fit(self.parser(Options()), sample, "an ALB access log")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        late, others = alb_layouts()
        return SeveralLayouts(late, otherwise=others)
