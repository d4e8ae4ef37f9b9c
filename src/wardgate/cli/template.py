"""`wardgate template`: the templates of one file's paths, learned from that file alone."""

from pathlib import Path
from typing import Any

import click

from wardgate.cli.ingest import format_options, options_of
from wardgate.cli.output import Column, clean, json_text, print_table


@click.command()
@click.argument("file")
@format_options
@click.option(
    "--prior",
    "prior_file",
    metavar="none|FILE",
    help="What is known of other APIs: none, or a file that `make template-prior` made.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line: every distinct call's template."
)
def template(as_json: bool, prior_file: str | None, **given: Any) -> None:
    """Show the template of every distinct method, host and path of a file.

    Takes every format that `ingest` takes, and plain lists: a path, a URL or `METHOD URL` on each line.
    Nothing is kept.
    """
    from wardgate.core.errors import WardgateError
    from wardgate.recognise.templating.prior import load, shipped, without_words
    from wardgate.service.opening import Reading
    from wardgate.service.templating import Templating, read_calls
    from wardgate.sources.files import find_inputs

    inputs = find_inputs([given["file"]])
    if len(inputs) != 1:
        raise WardgateError(
            "template-one-file", f"{clean(given['file'])} is several files.", mend="Name one of them."
        )
    if prior_file == "none":
        prior = without_words(shipped())
    else:
        prior = load(Path(prior_file)) if prior_file else shipped()
    found = Templating(prior)
    read_calls(inputs[0], Reading(format=given["format_name"], options=options_of(given)), found)
    if as_json:
        for one in found.labels():
            click.echo(
                json_text(
                    {
                        "method": one.method,
                        "host": one.host,
                        "path": one.path,
                        "template": one.label.template,
                        "confidence": one.label.confidence,
                    }
                )
            )
        return
    counts: dict[tuple[str, str, str], list[float]] = {}
    for one in found.labels():
        key = (one.host or "", one.method or "", one.label.template)
        counts.setdefault(key, []).append(one.label.confidence)
    columns = [
        Column("service"),
        Column("method"),
        Column("template", flexible=True),
        Column("paths", True),
        Column("confidence", True),
    ]
    print_table(columns, [[*key, str(len(sure)), f"{min(sure):.2f}"] for key, sure in sorted(counts.items())])
