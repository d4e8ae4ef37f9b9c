"""Text access logs of Envoy and of Istio's sidecars and gateways.

Reference: Envoy documentation, "Access logging" (default format string); Istio documentation, "Envoy Access
Logs" (default format). `START_TIME` is the start. A line whose request is `- - -` is a connection that was
no HTTP: `bad-request`.
"""

from wardgate.sources.envoy_format import envoy_layout
from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.several_layouts import SeveralLayouts
from wardgate.sources.text_lines import TextParser, parser_fit

_HEAD = '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" %RESPONSE_CODE% '
_TAIL = (
    "%BYTES_RECEIVED% %BYTES_SENT% %DURATION% %RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "
    '"%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" "%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"'
)
_MESH = (
    " %UPSTREAM_CLUSTER% %UPSTREAM_LOCAL_ADDRESS% %DOWNSTREAM_LOCAL_ADDRESS% "
    "%DOWNSTREAM_REMOTE_ADDRESS% %REQUESTED_SERVER_NAME% %ROUTE_NAME%"
)
ENVOY = _HEAD + "%RESPONSE_FLAGS% " + _TAIL
ISTIO = (
    _HEAD
    + "%RESPONSE_FLAGS% %RESPONSE_CODE_DETAILS% %CONNECTION_TERMINATION_DETAILS% "
    + '"%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    + _TAIL
    + _MESH
)
ISTIO_1_8 = (
    _HEAD
    + '%RESPONSE_FLAGS% "%DYNAMIC_METADATA(istio.mixer:status)%" "%UPSTREAM_TRANSPORT_FAILURE_REASON%" '
    + _TAIL
    + _MESH
)


class EnvoyText:
    """Envoy's default text log, Istio's, or any format string of command operators."""

    name = "envoy-text"
    title = "Envoy and Istio text access log"
    reference = "Envoy documentation, Access logging; Istio documentation, Envoy Access Logs"

    def fit(self, sample: bytes) -> Fit | None:
        return parser_fit(self.parser(Options()), sample, "Envoy's or Istio's default text format")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        if options.layout:
            return TextParser(envoy_layout(options.layout), timezone=options.timezone)
        return SeveralLayouts([envoy_layout(one) for one in (ENVOY, ISTIO, ISTIO_1_8)])
