"""`wardgate maintain` and `wardgate erase`: upkeep of the lake by hand."""

import sys
from dataclasses import asdict

import click

from wardgate.cli.installation import Installation, pass_installation
from wardgate.core.errors import Exit, WardgateError


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def maintain(installation: Installation, as_json: bool) -> None:
    """Merge small files, drop what is past its retention, and free the disk.

    Safe beside everything else that runs; `wardgate up` does it by itself.
    """
    from wardgate.cli.output import count, emit_json, say
    from wardgate.core.clock import system_clock
    from wardgate.core.config import load_config
    from wardgate.lake.maintenance import Maintainer

    settings = load_config(installation.config, required=installation.config_path is not None).lake
    with installation.lake() as lake:
        maintainer = Maintainer(lake, settings, system_clock)
        try:
            report = maintainer.run_once()
        finally:
            maintainer.close()
    if as_json:
        emit_json(report)
    elif report.busy:
        say("Another process is maintaining the lake.")
    else:
        dropped = sum(report.dropped_rows.values())
        say(
            f"{count(report.merged_files)} files merged into {count(report.into_files)}, "
            f"{count(report.folded_rows)} rows folded, {count(dropped)} rows past their retention dropped, "
            f"{count(report.deleted_files + report.orphaned_files)} files deleted, "
            f"in {report.seconds:.1f} s; writers waited {report.longest_hold_s:.2f} s at most."
        )
    if report.failure:
        raise WardgateError(
            report.failure,
            "a part of the upkeep could not be done.",
            mend="`wardgate doctor` says more.",
            exit_code=Exit.FAILED,
        )


@click.command()
@click.option("--caller", "caller_id", type=int, metavar="ID", help="The caller with this id.")
@click.option("--credential", "credential_id", type=int, metavar="ID", help="The credential with this id.")
@click.option(
    "--login",
    metavar="NAME",
    help="The login name; - reads it from standard input: no shell keeps it.",
)
@click.option("--login-hash", metavar="HASH", help="The login name's keyed hash, as `calls.login` holds it.")
@click.option("--address", metavar="ADDRESS", help="The client address.")
@click.option("--yes", is_flag=True, help="Do it without asking.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@pass_installation
def erase(
    installation: Installation,
    /,
    *,
    caller_id: int | None,
    credential_id: int | None,
    login: str | None,
    login_hash: str | None,
    address: str | None,
    yes: bool,
    as_json: bool,
) -> None:
    """Erase one subject's calls, for good.

    Their calls and the facts about them leave the disk. Counts per minute stay, without saying whose they
    were. Followed logs that still hold the calls are not read again.
    """
    from ipaddress import ip_address

    from wardgate.cli.output import count, emit_json, say
    from wardgate.core.clock import system_clock
    from wardgate.lake.erasure import Subject
    from wardgate.lake.erasure import erase as erase_subject

    if login is not None:
        if login_hash is not None:
            raise WardgateError("erase-subject", "--login and --login-hash exclude each other.")
        login_hash = _login_hash(installation, login)
    if address is not None:
        try:
            address = str(ip_address(address))
        except ValueError:
            raise WardgateError("erase-subject", "this is no address.") from None
    subject = Subject(caller_id, credential_id, login_hash, address)
    if not yes and not click.confirm("Erase this subject's calls for good?", err=True):
        raise WardgateError("erase-not-confirmed", "nothing was erased.", mend="--yes does not ask.")
    with installation.lake() as lake:
        done = erase_subject(lake, subject, system_clock)
    if as_json:
        emit_json(asdict(done))
    else:
        say(
            f"{count(done.calls)} calls and {count(done.facts)} facts erased; {count(done.rollup_rows)} rows "
            f"of counts no longer say whose they are; {count(done.files)} files deleted."
        )


def _login_hash(installation: Installation, login: str) -> str:
    from wardgate.recognise.credentials.maker import Maker

    name = sys.stdin.readline().rstrip("\n") if login == "-" else login
    return Maker(installation.key).login(name)
