"""`wardgate ingest`: takes calls in from logs and captures, once."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.cli.output import clean, count, counted, emit_json, say
from wardgate.core.errors import Exit

if TYPE_CHECKING:
    from wardgate.core.errors import WardgateError
    from wardgate.inventory.overview import Overview
    from wardgate.inventory.sources import RejectedShape
    from wardgate.lake.store import Lake
    from wardgate.service.ingest import Progress, Reading, SourceReport
    from wardgate.sources.files import Input

VANTAGES = ("edge", "gateway", "sidecar", "application", "client")


def format_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """What a person may say about how a file is written."""
    for option in (
        click.option("--timezone", metavar="ZONE", help="Time zone of stamps that carry none. Default: UTC."),
        click.option(
            "--layout-name",
            metavar="NAME",
            help="Which of that configuration's formats, where it has several.",
        ),
        click.option(
            "--log-config",
            type=click.Path(path_type=Path, dir_okay=False),
            help="A server's configuration (nginx.conf, httpd.conf), or a mapping, that holds the format.",
        ),
        click.option(
            "--log-format",
            "--layout",
            "layout",
            metavar="STRING",
            help="A log format string in the vendor's own syntax.",
        ),
        click.option(
            "--format",
            "format_name",
            metavar="FORMAT",
            default="auto",
            show_default=True,
            help="The format; auto finds it from a sample.",
        ),
    ):
        command = option(command)
    return command


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@format_options
@click.option("--name", metavar="NAME", help="Name of the source. Default: from each file's name.")
@click.option("--service", metavar="NAME", help="The service all calls belong to. Default: their host.")
@click.option("--vantage", type=click.Choice(VANTAGES), help="Where the source sees calls.")
@click.option("--environment", metavar="NAME", help="production, staging…, for all calls.")
@click.option("--team", metavar="NAME", help="The team the calls belong to.")
@click.option(
    "--proxy",
    "proxies",
    metavar="CIDR",
    multiple=True,
    help="A proxy whose forwarded addresses are believed; repeatable.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end.")
@pass_installation
def ingest(installation: Installation, /, paths: tuple[str, ...], as_json: bool, **given: Any) -> None:
    """Take calls in from logs and captures.

    PATH is a file, a glob, a folder, or - for standard input; plain, gzip, zstd or bzip2. What was ingested
    before is not read again, also when the file was renamed or has grown.
    """
    import time

    from wardgate.core.clock import system_clock
    from wardgate.core.memory import one_heap
    from wardgate.service import reading
    from wardgate.sources.files import find_inputs

    one_heap()
    began, since_us = time.monotonic(), system_clock()
    inputs = find_inputs(paths)
    how = _reading(given)
    with installation.lake(threads=1) as lake:
        with _progress(len(inputs), quiet=as_json) as progress:
            reports, refused = _ingested(installation, lake, inputs, how, progress)
        if as_json:
            operations = reading.count_operations(lake, reading.Asked(static=False), system_clock)
        else:
            overview = reading.overview(lake, reading.Asked(), system_clock)
        shapes = []
        if any(one.rejected for one in reports):
            names = {one.name for one in reports}
            shapes = [one for one in reading.rejected_shapes(lake, since_us=since_us) if one.source in names]
    seconds = round(time.monotonic() - began, 3)
    if as_json:
        emit_json(
            {
                "sources": [_account(one, shapes) for one in reports],
                "refused": [{"input": name, "code": one.code, "message": str(one)} for name, one in refused],
                "operations": operations,
                "seconds": seconds,
            }
        )
    else:
        for one in reports:
            _tell(one, shapes)
        _sum_up(overview, seconds)
    if refused:
        for _, error in refused:
            click.echo(clean(str(error)), err=True)
        sys.exit(Exit.USAGE)


def _ingested(
    installation: Installation,
    lake: "Lake",
    inputs: "list[Input]",
    how: "Reading",
    progress: "Progress | None",
) -> "tuple[list[SourceReport], list[tuple[str, WardgateError]]]":
    """What came of the inputs. All that recognition remembers is let go before the inventory is asked."""
    import pyarrow as pa

    from wardgate.core.clock import system_clock
    from wardgate.pipeline import Pipeline
    from wardgate.service.ingest import Ingest
    from wardgate.service.learning import learn_all
    from wardgate.service.settled import settled_at

    settled = settled_at(installation.home, installation.state_url, system_clock)
    pipeline = Pipeline(lake, installation.key, system_clock, eager=True)
    run = Ingest(pipeline, system_clock, progress)
    reports = list(run.run(inputs, how))
    refused = run.refused
    learn_all(lake, installation.key, system_clock, settled, pipeline)
    del run, pipeline
    pa.default_memory_pool().release_unused()
    return reports, refused


def _sum_up(overview: "Overview", seconds: float) -> None:
    say("")
    say(
        f"The inventory: {counted(overview.operations, 'operation')} of "
        f"{counted(overview.services, 'service')}, {counted(overview.credentials, 'credential')}, "
        f"{counted(overview.callers, 'caller')}, {counted(overview.calls, 'call')}. ({seconds:.1f} s)"
    )


def _reading(given: dict[str, Any]) -> Any:
    from wardgate.recognise.addresses import Proxies
    from wardgate.service.ingest import Reading
    from wardgate.sources.catalogue import format_named
    from wardgate.sources.format import Defaults

    if given["format_name"] != "auto":
        format_named(given["format_name"])
    Proxies(given["proxies"])
    return Reading(
        source=given["name"],
        format=given["format_name"],
        options=options_of(given),
        defaults=Defaults(
            vantage=given["vantage"],
            environment=given["environment"],
            team=given["team"],
            service=given["service"],
            proxies=given["proxies"],
        ),
    )


def options_of(given: dict[str, Any]) -> Any:
    """`sources.format.Options` of the format options."""
    from wardgate.sources.format import Options
    from wardgate.sources.times import zone

    if given["timezone"]:
        zone(given["timezone"])
    return Options(given["layout"], given["log_config"], given["layout_name"], given["timezone"])


def _account(report: "SourceReport", shapes: "list[RejectedShape]") -> dict[str, Any]:
    return {
        "name": report.name,
        "format": report.format,
        "why": report.why,
        "files": report.files,
        "read": report.read,
        "accepted": report.accepted,
        "rejected": report.rejected,
        "skipped": report.skipped,
        "read_before": report.before,
        "busy_files": report.busy,
        "rejects": [
            {
                "reason": one.reason,
                "records": one.records,
                "origin": one.origin,
                "position": one.position,
                "shape": one.shape,
            }
            for one in shapes
            if one.source == report.name and report.rejected
        ],
    }


def _tell(report: "SourceReport", shapes: "list[RejectedShape]") -> None:
    files = "" if report.files == 1 else f" in {report.files} files"
    say(f"{report.name}: {report.format}{files} ({report.why})")
    say(
        f"  read {count(report.read)} = accepted {count(report.accepted)} "
        f"+ rejected {count(report.rejected)} + skipped {count(report.skipped)}"
    )
    if report.before:
        say(f"  {count(report.before)} records were ingested earlier and were not read again")
    if report.busy:
        say(f"  {counted(report.busy, 'file')} left to another process, which is reading there")
    if report.rejected:
        from wardgate.core.observed import REASONS, Reason

        for one in shapes:
            if one.source == report.name:
                why = REASONS[Reason(one.reason)] if one.reason in set(Reason) else one.reason
                say(f"  {count(one.records)} rejected as {one.reason}: {why}")
                say(f"      first at {one.origin}:{one.position + 1}  {one.shape[:160]}")


@contextmanager
def _progress(files: int, *, quiet: bool) -> "Iterator[Progress | None]":
    """A line that moves, on a terminal only."""
    if quiet or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

    with Bar(
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task("opening…", total=None)

        def show(name: str, size: int, records: int) -> None:
            read = f"{size / 1e6:,.0f} MB, " if size else ""
            bar.update(task, description=clean(f"{Path(name).name}: {read}{records:,} calls"))

        yield show
