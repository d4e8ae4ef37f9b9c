"""Opening the state: the right engine, and its tables migrated forward before anyone uses them.

Embedded it is `state.sqlite` in the home (WAL, mode 0600); scaled it is PostgreSQL. Processes that open it
at once take turns to migrate. A state that a newer Wardgate wrote is refused rather than guessed at.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from wardgate.core.errors import Exit, WardgateError
from wardgate.core.home import Home
from wardgate.state.tables import REVISION

MIGRATIONS = Path(__file__).parent / "migrations"
_LOCK = 0x57617264  # the advisory lock that migrating processes take on PostgreSQL


class State:
    """An open state. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A connection whose statements are all done or none. Raises `state-failed`."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except SQLAlchemyError as error:
            raise _failed(error) from error


def open_state(home: Home, url: str | None = None) -> State:
    """The state of a home, or at a PostgreSQL URL, migrated forward.

    Raises `state-url-malformed`, `state-failed` or `state-newer`.
    """
    state = State(_postgres(url) if url else _sqlite(home.state))
    try:
        if _revision(state.engine) != REVISION:
            with _alone(state.engine, home):
                _migrate(state.engine)
    except SQLAlchemyError as error:
        state.close()
        raise _failed(error) from error
    except WardgateError:
        state.close()
        raise
    return state


def _failed(error: SQLAlchemyError) -> WardgateError:
    """Without the error's own text, which may quote parameters."""
    return WardgateError(
        "state-failed",
        f"the state cannot be used: {type(getattr(error, 'orig', None) or error).__name__}.",
        mend="`wardgate doctor` says more.",
        exit_code=Exit.FAILED,
    )


def _sqlite(path: Path) -> Engine:
    # Made here with its mode, and opened by SQLite alone: closing another handle of it would drop the locks
    # of this process' connections, and whoever closes the state elsewhere would then delete their log.
    try:
        with suppress(FileExistsError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except OSError as error:
        raise WardgateError("state-failed", f"cannot open {path}: {error.strerror}.") from error
    engine = create_engine(f"sqlite:///{path}", hide_parameters=True)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA foreign_keys = ON")

    return engine


def _postgres(url: str) -> Engine:
    try:
        parsed = make_url(url)
    except ArgumentError:
        parsed = None
    if parsed is None or not parsed.drivername.startswith("postgresql"):
        raise WardgateError(
            "state-url-malformed",
            "state.url is not the URL of a PostgreSQL database.",
            mend="Such as postgresql+psycopg://wardgate@localhost/wardgate.",
        )
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"), hide_parameters=True, pool_pre_ping=True
    )


def _revision(engine: Engine) -> str | None:
    if not inspect(engine).has_table("alembic_version"):
        return None
    with engine.connect() as connection:
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


@contextmanager
def _alone(engine: Engine, home: Home) -> Iterator[None]:
    """While no other process migrates."""
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
        return
    handle = os.open(home.state.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def known_revisions() -> set[str]:
    """The revisions that can be migrated forward, the present one included."""
    from alembic.script import ScriptDirectory

    return {one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()}


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    at = _revision(engine)
    if at is not None and at not in known_revisions():
        raise WardgateError(
            "state-newer",
            f"the state was written by a newer Wardgate (its revision {at} is unknown here).",
            mend="Use that version, or restore a backup.",
        )
    with _changing_tables(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


@contextmanager
def _changing_tables(engine: Engine) -> Iterator[Connection]:
    """A transaction that holds for tables as well: SQLite's driver begins none before one is made."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            yield connection
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        driver.isolation_level = None
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.commit()
        finally:
            connection.rollback()
            driver.isolation_level = ""
