"""From the configuration to what is followed and listened to."""

from wardgate.core.settings import Config, SourceSettings
from wardgate.service.followed import Followed
from wardgate.service.opening import Reading
from wardgate.service.syslog_lanes import SyslogSource
from wardgate.sources.format import Defaults, Options
from wardgate.sources.skip_rules import SkipRules


def reading_of(one: SourceSettings) -> Reading:
    """How a source's records are to be read."""
    return Reading(
        source=one.name,
        format=one.format,
        options=Options(one.layout, one.config, one.layout_name, one.timezone),
        defaults=Defaults(one.vantage, one.environment, one.team, one.service, tuple(one.proxies)),
        skip=SkipRules(one.skip),
    )


def followed_of(config: Config) -> list[Followed]:
    """The sources that are files."""
    return [
        Followed(one.name, (one.path,), reading_of(one), once=not one.follow)
        for one in config.source
        if one.path is not None
    ]


def syslog_of(config: Config) -> list[SyslogSource]:
    """The sources that are taken from syslog."""
    return [
        SyslogSource(one.name, reading_of(one), frozenset(one.syslog_hosts), frozenset(one.syslog_apps))
        for one in config.source
        if one.syslog
    ]
