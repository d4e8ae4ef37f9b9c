"""Every earlier state comes forward with what was in it; a later one is refused."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, MetaData, create_engine, inspect, text

from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.state.store import MIGRATIONS, known_revisions, open_state
from wardgate.state.tables import REVISION, metadata

NOW_US = 1_794_657_600_000_000


def revisions() -> list[str]:
    """From the first to the last."""
    found = [one.revision for one in ScriptDirectory(str(MIGRATIONS)).walk_revisions()]
    return found[::-1]


REVISIONS = revisions()


def made_at(revision: str, path: Path) -> Engine:
    """A state as the version with this revision made it."""
    engine = create_engine(f"sqlite:///{path}")
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    return engine


def filled(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """A row in every table there is, with a value in every column; what was put in, by table."""
    then = MetaData()
    then.reflect(engine)
    put = {}
    with engine.begin() as connection:
        for table in then.sorted_tables:
            if table.name == "alembic_version":
                continue
            row = {column.name: _value(column.type.python_type) for column in table.columns}
            connection.execute(table.insert().values(row))
            put[table.name] = [tuple(row.values())]
    return put


def _value(kind: type) -> object:
    kinds: dict[type, Callable[[], object]] = {int: lambda: 1, str: lambda: "1", bytes: lambda: b"1"}
    return kinds.get(kind, lambda: True)()


def test_revisions_are_one_line_from_the_first_to_the_present() -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    assert [f"{number:04d}" for number in range(1, len(REVISIONS) + 1)] == REVISIONS
    assert script.get_heads() == [REVISION] == REVISIONS[-1:]
    assert known_revisions() == set(REVISIONS)


@pytest.mark.parametrize("revision", REVISIONS)
def test_every_earlier_state_comes_forward_with_all_that_was_in_it(tmp_path: Path, revision: str) -> None:
    home = open_home(tmp_path)
    engine = made_at(revision, home.state)
    put = filled(engine)
    names = {name: [one["name"] for one in inspect(engine).get_columns(name)] for name in put}
    engine.dispose()
    state = open_state(home)
    with state.engine.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == REVISION
        for table, rows in put.items():
            columns = ", ".join(f'"{name}"' for name in names[table])
            assert [tuple(row) for row in connection.execute(text(f"SELECT {columns} FROM {table}"))] == rows
        assert set(inspect(connection).get_table_names()) == {*metadata.tables, "alembic_version"}
        for name, table in metadata.tables.items():
            columns = {one["name"]: one["nullable"] for one in inspect(connection).get_columns(name)}
            assert columns == {one.name: one.nullable for one in table.columns}
    state.close()


def test_a_state_of_a_newer_version_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    open_state(home).close()
    engine = create_engine(f"sqlite:///{home.state}")
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    before = home.state.read_bytes()
    with pytest.raises(WardgateError) as caught:
        open_state(home)
    assert (caught.value.code, "9999" in caught.value.message) == ("state-newer", True)
    assert home.state.read_bytes() == before


def test_a_migration_that_fails_changes_nothing(tmp_path: Path) -> None:
    """Such as a table that is there already, which no version made."""
    home = open_home(tmp_path)
    engine = made_at(REVISIONS[0], home.state)
    missing = sorted(set(metadata.tables) - set(inspect(engine).get_table_names()))
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TABLE {missing[-1]} (other INTEGER)"))
    with pytest.raises(WardgateError) as caught:
        open_state(home)
    assert caught.value.code == "state-failed"
    with engine.connect() as connection:
        found = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    tables = set(inspect(engine).get_table_names())
    engine.dispose()
    assert (found, tables) == (REVISIONS[0], {"alembic_version", "push_tokens", missing[-1]})


def test_processes_that_open_an_earlier_state_at_once_migrate_it_once(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    made_at(REVISIONS[0], home.state).dispose()
    code = (
        "import sys; from pathlib import Path; from wardgate.core.home import Home; "
        "from wardgate.state.store import open_state; open_state(Home(Path(sys.argv[1]))).close()"
    )
    kept = {key: value for key, value in os.environ.items() if not key.startswith("WARDGATE_")}
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], env=kept) for _ in range(3)]
    assert [one.wait(60) for one in started] == [0, 0, 0]
