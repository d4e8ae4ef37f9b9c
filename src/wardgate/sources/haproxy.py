"""HAProxy HTTP logs: `option httplog`, `option httpslog`, and any `log-format`, with or without syslog.

Reference: HAProxy Configuration Manual, "8.2. Log formats" (8.2.3 HTTP, 8.2.5 HTTPS, 8.2.6 custom). The
stamp is the request's start in the proxy's local time, `Ta` (`Tt` in older formats) its duration, and -1
says that something never happened. The braces hold captured headers, whose names only the configuration
knows; without it they are passed over.
"""

from wardgate.sources.format import Fit, LineParser, Options, State
from wardgate.sources.haproxy_config import configured_layouts
from wardgate.sources.haproxy_layout import CLF, HTTP, HTTPS, haproxy_layouts
from wardgate.sources.layout import Layout
from wardgate.sources.several_layouts import SeveralLayouts
from wardgate.sources.syslog_prefix import WithoutSyslogPrefix
from wardgate.sources.text_lines import parser_fit


class HAProxy:
    """HAProxy's HTTP and HTTPS logs, with or without a syslog prefix, or any `log-format`."""

    name = "haproxy"
    title = "HAProxy HTTP log"
    reference = "HAProxy Configuration Manual, 8.2 Log formats"

    def fit(self, sample: bytes) -> Fit | None:
        return parser_fit(self.parser(Options()), sample, "HAProxy's HTTP log format")

    def parser(self, options: Options, state: State | None = None) -> LineParser:
        return WithoutSyslogPrefix(SeveralLayouts(self.layouts(options), timezone=options.timezone))

    def layouts(self, options: Options) -> list[Layout]:
        """The layouts a line may have: the given format's, a configuration's, or the defaults."""
        if options.config is not None:
            return configured_layouts(options.config, options.layout_name)
        if options.layout:
            return haproxy_layouts(options.layout)
        return [layout for text in (HTTP, HTTPS, CLF) for layout in haproxy_layouts(text)]
