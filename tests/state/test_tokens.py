"""Push tokens: shown once, known by fingerprint, ended at once; on SQLite and on PostgreSQL."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from wardgate.core.clock import system_clock
from wardgate.core.errors import WardgateError
from wardgate.core.home import open_home
from wardgate.core.keys import Key, load_key
from wardgate.state.store import MIGRATIONS, State, open_state
from wardgate.state.tables import REVISION, metadata
from wardgate.state.tokens import PushTokens, Standing, TokenDefaults

KEY = Key(bytes(range(32)))
DAY = 86_400_000_000


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.us = 1_760_000_000_000_000

    def __call__(self) -> int:
        return self.us


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The URL of a fresh PostgreSQL, run by a user other than root (it insists)."""
    if shutil.which("initdb") is None:
        pytest.skip("there is no PostgreSQL here")
    user = None
    folder = tempfile.mkdtemp(prefix="wardgate-pg-")  # pytest's own folders are closed to other users
    if os.geteuid() == 0:
        user = "postgres"
        try:
            shutil.chown(folder, user)
        except LookupError:
            pytest.skip("PostgreSQL does not run as root")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    initdb = ["initdb", "-D", f"{folder}/data", "-U", "wardgate", "--auth=trust", "--no-sync"]
    subprocess.run(initdb, user=user, cwd="/", capture_output=True, timeout=60, check=True)
    server = subprocess.Popen(
        ["postgres", "-D", f"{folder}/data", "-p", str(port), "-k", folder, "-F"],
        user=user,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"postgresql://wardgate@127.0.0.1:{port}/postgres"
    engine = sa.create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    for _ in range(400):
        try:
            engine.connect().close()
            break
        except sa.exc.OperationalError:
            assert server.poll() is None, "PostgreSQL does not start"
            time.sleep(0.05)
    engine.dispose()
    yield url
    server.terminate()
    server.wait(60)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.engine)])
def state(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[State]:
    url = request.getfixturevalue("postgres") if request.param == "postgres" else None
    opened = open_state(open_home(tmp_path), url)
    yield opened
    with opened.engine.begin() as connection:
        connection.execute(sa.text("DELETE FROM push_tokens"))
    opened.close()


def test_a_token_is_found_by_its_text_and_by_nothing_else(state: State) -> None:
    tokens = PushTokens(state, KEY, Watch())
    made, clear = tokens.create("edge", source="nginx", defaults=TokenDefaults(vantage="edge", team="web"))
    assert clear.startswith("wg_") and len(clear) == 46
    assert tokens.find(clear) == made
    assert made.source == "nginx"
    assert made.defaults == TokenDefaults("edge", None, "web", None)
    assert tokens.find(clear[:-1]) is None
    assert tokens.find("") is None
    assert PushTokens(state, Key(bytes(32)), Watch()).find(clear) is None


def test_two_tokens_are_never_alike(state: State) -> None:
    tokens = PushTokens(state, KEY, Watch())
    assert len({tokens.create(f"t{i}")[1] for i in range(20)}) == 20


def test_a_token_ends_when_it_expires_or_is_revoked(state: State) -> None:
    watch = Watch()
    tokens = PushTokens(state, KEY, watch)
    brief, brief_text = tokens.create("brief", expires_days=2)
    _, long_text = tokens.create("long")
    assert brief.expires_at_us == watch.us + 2 * DAY
    watch.us += 2 * DAY - 1
    found = tokens.find(brief_text)
    assert found is not None and found.standing(watch.us) is Standing.IN_FORCE
    watch.us += 1
    assert found.standing(watch.us) is Standing.EXPIRED
    tokens.revoke("long")
    ended = tokens.find(long_text)
    assert ended is not None and ended.standing(watch.us) is Standing.REVOKED


def test_a_name_is_free_again_after_its_token_is_revoked(state: State) -> None:
    tokens = PushTokens(state, KEY, Watch())
    _, first = tokens.create("edge")
    with pytest.raises(WardgateError, match="there is a token called 'edge' already") as caught:
        tokens.create("edge")
    assert caught.value.code == "token-name-taken"
    tokens.revoke("edge")
    _, second = tokens.create("edge")
    assert [one.standing(0) for one in tokens.all()] == [Standing.REVOKED, Standing.IN_FORCE]
    assert tokens.find(first) != tokens.find(second)
    tokens.revoke("edge")
    with pytest.raises(WardgateError) as unknown:
        tokens.revoke("edge")
    assert unknown.value.code == "token-unknown"


@pytest.mark.parametrize("name", ["", "a b", "-edge", "x" * 65, "a\nb", "é"])
def test_a_name_is_plain(tmp_path: Path, name: str) -> None:
    state = open_state(open_home(tmp_path))
    with pytest.raises(WardgateError) as caught:
        PushTokens(state, KEY, Watch()).create(name)
    assert caught.value.code == "token-name-malformed"
    state.close()


def test_the_last_use_is_noted_once_a_minute(state: State) -> None:
    watch = Watch()
    tokens = PushTokens(state, KEY, watch)
    _, clear = tokens.create("edge")
    start = watch.us
    noted = []
    for later in (0, 59_999_999, 60_000_000):
        watch.us = start + later
        tokens.find(clear)
        noted.append(tokens.all()[0].last_used_at_us)
    assert noted == [start, start, start + 60_000_000]


def test_the_clear_text_is_nowhere_in_the_home(tmp_path: Path) -> None:
    state = open_state(open_home(tmp_path))
    _, clear = PushTokens(state, KEY, Watch()).create("edge")
    state.close()
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert files
    assert not [one for one in files if clear[3:].encode() in one.read_bytes()]
    assert (tmp_path / "state.sqlite").stat().st_mode & 0o777 == 0o600


def test_migrations_lead_to_the_tables_of_the_code(state: State) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    assert ScriptDirectory.from_config(config).get_heads() == [REVISION]
    with state.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []


def test_processes_that_open_a_new_state_at_once_agree(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "wardgate", "--home", str(tmp_path), "token", "create"]
    started = [
        subprocess.Popen([*command, name], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    assert [(one.communicate(timeout=60), one.returncode)[1] for one in started] == [0, 0, 0]
    state = open_state(open_home(tmp_path))
    assert {one.name for one in PushTokens(state, load_key(tmp_path), Watch()).all()} == {"a", "b", "c"}
    state.close()


def test_a_newer_state_is_refused(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    state = open_state(home)
    with state.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    state.close()
    with pytest.raises(WardgateError) as caught:
        open_state(home)
    assert caught.value.code == "state-newer"


def test_a_broken_state_is_told_in_one_line(tmp_path: Path) -> None:
    home = open_home(tmp_path)
    home.state.write_bytes(b"this is no database, and it holds hunter2-canary" * 100)
    with pytest.raises(WardgateError) as caught:
        open_state(home)
    assert caught.value.code == "state-failed"
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("url", ["mysql://root:hunter2@x/y", "hunter2", ""])
def test_only_postgresql_is_taken_as_a_url(tmp_path: Path, url: str) -> None:
    if not url:
        open_state(open_home(tmp_path), url).close()  # the embedded state
        return
    with pytest.raises(WardgateError) as caught:
        open_state(open_home(tmp_path), url)
    assert caught.value.code == "state-url-malformed"
    assert "hunter2" not in str(caught.value)


_SEEN_ELSEWHERE = """
import sys
from pathlib import Path
from wardgate.core.clock import system_clock
from wardgate.core.home import open_home
from wardgate.core.keys import load_key
from wardgate.state.store import open_state
from wardgate.state.tokens import PushTokens
home = open_home(Path(sys.argv[1]))
state = open_state(home)
PushTokens(state, load_key(home.path), system_clock).create(sys.argv[2])
state.close()
"""


def test_a_state_that_is_open_twice_sees_what_another_process_writes(tmp_path: Path) -> None:
    """Opening it again and closing it, as each page does, must not let go of the locks of those that stay."""
    home = open_home(tmp_path)
    staying = open_state(home)
    tokens = PushTokens(staying, load_key(home.path), system_clock)
    for name in ("one", "two", "three"):
        open_state(home).close()
        subprocess.run([sys.executable, "-c", _SEEN_ELSEWHERE, str(tmp_path), name], check=True, timeout=60)
        assert tokens.all()[-1].name == name
    staying.close()
