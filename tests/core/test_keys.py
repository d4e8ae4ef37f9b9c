"""The installation's key: made once, read, rotated; what follows a rotation and what lasts."""

import stat
from pathlib import Path

import pytest

from wardgate.core.errors import WardgateError
from wardgate.core.keys import Key, load_key, rotate_key

OLD, NEW = Key(b"o" * 32), Key(b"n" * 32, (b"o" * 32,))


def test_a_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    first = load_key(tmp_path)
    assert load_key(tmp_path) == first
    assert stat.S_IMODE((tmp_path / "keys" / "installation.key").stat().st_mode) == 0o600


def test_a_rotation_makes_new_fingerprints_and_keeps_the_earlier_keys(tmp_path: Path) -> None:
    first = load_key(tmp_path)
    second, third = rotate_key(tmp_path), rotate_key(tmp_path)
    assert len({first.key_id, second.key_id, third.key_id}) == 3
    assert third.earlier == (second.secret, first.secret) and load_key(tmp_path) == third
    assert third.fingerprints("s") == [one.fingerprint("s") for one in (third, second, first)]
    assert stat.S_IMODE((tmp_path / "keys" / "installation.key").stat().st_mode) == 0o600
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["installation.key"]


def test_what_is_made_of_secrets_follows_the_key_and_what_names_things_lasts() -> None:
    assert NEW.fingerprint("s") != OLD.fingerprint("s")
    assert NEW.secret_id("credential", "s") != OLD.secret_id("credential", "s")
    assert list(NEW.former_ids("credential", "s")) == [OLD.secret_id("credential", "s")]
    assert NEW.id64("path", "/a") == OLD.id64("path", "/a") == NEW.ids64("path", ["/a"])[0]
    assert NEW.pseudonym("bob") == OLD.pseudonym("bob") and NEW.lasting(b"x") == OLD.lasting(b"x")


def test_a_key_from_the_environment_may_name_earlier_ones_and_is_not_rotated_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARDGATE_KEY", f"{NEW.secret.hex()},{OLD.secret.hex()}")
    assert load_key(tmp_path) == NEW
    with pytest.raises(WardgateError) as refused:
        rotate_key(tmp_path)
    assert refused.value.code == "key-from-environment"


@pytest.mark.parametrize("text", ["", "xyz", "ab", "ab" * 32 + "\nab"])
def test_a_malformed_key_is_refused_without_showing_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "installation.key").write_text(text)
    with pytest.raises(WardgateError) as refused:
        load_key(tmp_path)
    assert refused.value.code == "key-malformed"
    assert not text or text.strip() not in str(refused.value)
