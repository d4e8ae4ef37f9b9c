"""One file, one environment: what is taken, what is refused, and in which words."""

import importlib.util
import json
import sys
import typing
from pathlib import Path

import pytest
from pydantic import BaseModel

from wardgate.core.config import load_config
from wardgate.core.errors import Exit, WardgateError
from wardgate.core.settings import Config, OwnerRuleSettings, SourceSettings

ROOT = Path(__file__).parents[2]
SECRET = "hunter2-canary"


def config(folder: Path, text: str, **environ: str) -> Config:
    path = folder / "wardgate.toml"
    path.write_text(text)
    return load_config(path, environ=environ)


def test_no_file_gives_the_defaults(tmp_path: Path) -> None:
    found = load_config(tmp_path / "wardgate.toml", environ={})
    assert (found.listen.address, found.listen.port) == ("127.0.0.1", 8321)
    assert found.source == []


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(WardgateError) as caught:
        load_config(tmp_path / "mine.toml", required=True, environ={})
    assert (caught.value.code, caught.value.exit_code) == ("config-not-found", Exit.USAGE)


def test_sources_are_read_in_order_and_their_paths_are_anchored(tmp_path: Path) -> None:
    found = config(
        tmp_path,
        """
        [[source]]
        name = "edge"
        path = "logs/*.log"
        config = "nginx.conf"
        proxies = ["10.0.0.0/8", "2001:db8::1"]
        skip = { health-check = ["/healthz"] }
        [[source]]
        name = "f5"
        syslog = true
        timezone = "Europe/Vienna"
        [syslog]
        udp = "[::1]:0"
        """,
    )
    edge, f5 = found.source
    assert edge.path == str(tmp_path / "logs/*.log")
    assert edge.config == tmp_path / "nginx.conf"
    assert edge.skip == {"health-check": ["/healthz"]}
    assert edge.follow
    assert f5.syslog


REFUSED = [
    ("[listn]", "config-unknown-key", "has listn, which is no key. Did you mean listen?"),
    ("[listen]\nprot = 1", "config-unknown-key", "has listen.prot, which is no key. Did you mean port?"),
    (
        "[[source]]\nname='a'\npath='x'\nkind='hunter2-canary'",
        "config-unknown-key",
        "has source[0].kind, which is no key.",
    ),
    ("listen = 'hunter2-canary'", "config-wrong-type", "listen in {} must be a table, not a string."),
    (
        "[listen]\nport = 'hunter2-canary'",
        "config-wrong-type",
        "listen.port in {} must be an integer, not a string.",
    ),
    (
        "[listen]\nport = '8321'",
        "config-wrong-type",
        "listen.port in {} must be an integer, not a string.",
    ),
    (
        "[lake]\nretention_days = true",
        "config-wrong-type",
        "lake.retention_days in {} must be an integer, not a boolean.",
    ),
    (
        "[lake]\nretention_days = 1.5",
        "config-wrong-type",
        "lake.retention_days in {} must be an integer, not a number.",
    ),
    (
        "[lake]\nretention_days = 2026-01-01",
        "config-wrong-type",
        "lake.retention_days in {} must be an integer, not a date or time.",
    ),
    (
        "[state]\nurl = ['hunter2-canary']",
        "config-wrong-type",
        "state.url in {} must be a string, not an array.",
    ),
    (
        "[lake.service_retention_days]\n'api.example.com' = 'x'",
        "config-wrong-type",
        "lake.service_retention_days.api.example.com in {} must be an integer, not a string.",
    ),
    (
        "[lake]\nstorage = { endpoint = 'hunter2-canary' }",
        "config-bad-value",
        "lake in {}: storage takes keys that begin with s3_.",
    ),
    ("source = 'hunter2-canary'", "config-wrong-type", "source in {} must be an array, not a string."),
    ("[[source]]\npath = 'x'", "config-missing-key", "source[0].name in {} is not there, but must be."),
    (
        "[[source]]\nname = 'x'",
        "config-bad-value",
        "source[0] in {}: needs either path or syslog = true.",
    ),
    (
        "[[source]]\nname = 'x y'\npath = 'x'",
        "config-bad-value",
        "source[0].name in {}: must be 1 to 64 letters, digits, dots, dashes or underscores.",
    ),
    (
        "[[source]]\nname = 'x'\nsyslog = true",
        "config-bad-value",
        "{}: a source takes syslog, but [syslog] has no udp, tcp or tls address.",
    ),
    (
        "[[source]]\nname='x'\npath='a'\n[[source]]\nname='x'\npath='b'",
        "config-bad-value",
        "{}: two sources have the same name.",
    ),
    (
        "[[source]]\nname='x'\npath='a'\nvantage='moon'",
        "config-bad-value",
        "source[0].vantage in {}: should be 'edge', 'gateway', 'sidecar', 'application' or 'client'.",
    ),
    (
        "[[source]]\nname='x'\npath='a'\nproxies=['hunter2-canary']",
        "config-bad-value",
        "source[0].proxies[0] in {}: is not a network.",
    ),
    (
        "[[source]]\nname='x'\npath='a'\nproxies=['10.0.0.0/33']",
        "config-bad-value",
        "source[0].proxies[0] in {}: is not a network.",
    ),
    (
        "[[source]]\nname='x'\npath='a'\ntimezone='hunter2-canary'",
        "config-bad-value",
        "source[0].timezone in {}: is not the name of a time zone, such as Europe/Vienna.",
    ),
    (
        "[syslog]\nudp = 'hunter2-canary'",
        "config-bad-value",
        "syslog.udp in {}: is not an address with a port, such as 127.0.0.1:514 or [::1]:514.",
    ),
    ("[syslog]\ntls = ':1'", "config-bad-value", "syslog.tls in {}: is not an address with a port"),
    (
        "[syslog]\ntls = '127.0.0.1:1'",
        "config-bad-value",
        "syslog in {}: tls needs certificate and key.",
    ),
    (
        "[listen]\nport = 70000",
        "config-bad-value",
        "listen.port in {}: should be less than or equal to 65535.",
    ),
    ("x = hunter2-canary", "config-not-toml", "{} is not TOML (at line 1, column 5)."),
    ("[push]\nmax_pending = 0", "config-bad-value", "push.max_pending in {}: should be greater than 0."),
]


@pytest.mark.parametrize(("text", "code", "message"), REFUSED, ids=[one[2][:50] for one in REFUSED])
def test_what_is_wrong_is_named_and_its_value_is_not_told(
    tmp_path: Path, text: str, code: str, message: str
) -> None:
    with pytest.raises(WardgateError) as caught:
        config(tmp_path, text)
    told = str(caught.value)
    assert caught.value.code == code
    assert message.format(tmp_path / "wardgate.toml") in told
    assert SECRET not in told
    assert "\n" not in told


ENVIRONMENT = [
    ({"WARDGATE_LISTEN__PORT": SECRET}, "config-wrong-type", "WARDGATE_LISTEN__PORT must be an integer."),
    (
        {"WARDGATE_LISTEN__PORT": "70000"},
        "config-bad-value",
        "WARDGATE_LISTEN__PORT: should be less than or equal to 65535.",
    ),
    ({"WARDGATE_LISTEN__PROT": "1"}, "config-unknown-key", "sets listen.prot, which is no key."),
    ({"WARDGATE_LISTN__PORT": "1"}, "config-unknown-key", "sets listn, which is no key."),
    ({"WARDGATE_SOURCE__EDGE__PATHS": "1"}, "config-unknown-key", "sets paths, which is no key."),
    (
        {"WARDGATE_LISTEN__PAGE_NETWORKS": "10.0.0.0/8"},
        "config-wrong-type",
        "WARDGATE_LISTEN__PAGE_NETWORKS must be an array.",
    ),
    ({"WARDGATE_LISTEN__PAGE_NETWORKS": "[" + SECRET}, "config-wrong-type", "is not JSON."),
]


@pytest.mark.parametrize(("environ", "code", "message"), ENVIRONMENT)
def test_the_environment_is_checked_like_the_file(
    tmp_path: Path, environ: dict[str, str], code: str, message: str
) -> None:
    with pytest.raises(WardgateError) as caught:
        config(tmp_path, "", **environ)
    assert caught.value.code == code
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


def test_other_variables_of_ours_are_no_keys(tmp_path: Path) -> None:
    assert config(tmp_path, "", WARDGATE_HOME="/x", WARDGATE_KEY="00", PATH="/bin") == Config()


def test_a_source_is_overridden_by_its_name_or_made(tmp_path: Path) -> None:
    text = "[[source]]\nname = 'My.Edge'\npath = '/a.log'\n"
    environ = {
        "WARDGATE_SOURCE__MY_EDGE__PATH": "/b.log",
        "WARDGATE_SOURCE__MY_EDGE__FOLLOW": "false",
        "WARDGATE_SOURCE__SHOP__PATH": "/c.log",
        "WARDGATE_SOURCE__SHOP__PROXIES": '["10.0.0.0/8"]',
    }
    edge, shop = config(tmp_path, text, **environ).source
    assert (edge.name, edge.path, edge.follow) == ("My.Edge", "/b.log", False)
    assert (shop.name, shop.path, shop.proxies) == ("shop", "/c.log", ["10.0.0.0/8"])


SAMPLES = {
    "lake.memory": "1GB",
    "syslog.udp": "127.0.0.1:1514",
    "syslog.tcp": "127.0.0.1:1514",
    "syslog.tls": "127.0.0.1:1514",
    "source.timezone": "Europe/Vienna",
    "source.vantage": "edge",
    "log.format": "json",
    "log.level": "info",
}


def _sample(section: str, key: str, annotation: object) -> tuple[str, object]:
    """A value of the key's type other than its default: as a variable has it, and as it must arrive."""
    known = SAMPLES.get(f"{section}.{key}")
    if known:
        return known, known
    text = str(annotation)
    if "OwnerRule" in text:
        rule = {"owner": "@a", "code": None, "service": "shop.*", "template": None, "method": None}
        return json.dumps([rule]), [OwnerRuleSettings(**rule)]
    if typing.get_origin(annotation) is list:
        return '["192.0.2.0/24"]', ["192.0.2.0/24"]
    if typing.get_origin(annotation) is dict:
        value: dict[str, object] = {"s3_region": "eu"} if "list" not in text else {"a": ["/x"]}
        value = {"a": 7} if "int" in text else value
        return json.dumps(value), value
    if "bool" in text:
        return "false" if key == "follow" else "true", key != "follow"
    if "int" in text:
        return "4321", 4321
    return "/sample", Path("/sample") if "Path" in text else "/sample"


def _keys() -> list[tuple[str, str]]:
    sections = {name: field.annotation for name, field in Config.model_fields.items() if name != "source"}
    models = {**sections, "source": SourceSettings}
    return [
        (name, key)
        for name, model in models.items()
        for key in typing.cast("type[BaseModel]", model).model_fields
    ]


@pytest.mark.parametrize(("section", "key"), _keys())
def test_every_key_can_be_given_by_environment(tmp_path: Path, section: str, key: str) -> None:
    model = SourceSettings if section == "source" else type(getattr(Config(), section))
    text, value = _sample(section, key, model.model_fields[key].annotation)
    base = "[syslog]\nudp='127.0.0.1:0'\ncertificate='/c'\nkey='/k'\n"
    if section == "source":
        base += "[[source]]\nname='edge'\n" + ("" if key in ("path", "syslog") else "path='/a'\n")
        if key == "name":
            return  # the name is what the variable names it by
        found = config(tmp_path, base, **{f"WARDGATE_SOURCE__EDGE__{key.upper()}": text}).source[0]
    else:
        whole = config(tmp_path, base, **{f"WARDGATE_{section.upper()}__{key.upper()}": text})
        found = getattr(whole, section)
    assert getattr(found, key) == value


def test_one_key_of_a_table_can_be_given_by_environment(tmp_path: Path) -> None:
    text = "[lake]\nstorage = { s3_region = 'eu' }\n[lake.service_retention_days]\nshop = 3\n"
    found = config(
        tmp_path,
        text,
        WARDGATE_LAKE__STORAGE__S3_SECRET_ACCESS_KEY=SECRET,
        WARDGATE_LAKE__SERVICE_RETENTION_DAYS__SHOP="9",
    )
    assert found.lake.storage == {"s3_region": "eu", "s3_secret_access_key": SECRET}
    assert found.lake.service_retention_days == {"shop": 9}
    assert SECRET not in repr(found)


def test_the_reference_is_what_the_code_says() -> None:
    path = ROOT / "docs" / "configuration_reference.py"
    spec = importlib.util.spec_from_file_location("configuration_reference", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    assert module.PAGE.read_text() == module.page(), "run `make docs`"


def test_every_key_is_described_in_the_reference() -> None:
    text = (ROOT / "docs" / "reference" / "configuration.md").read_text()
    for section, key in _keys():
        prefix = "WARDGATE_SOURCE__NAME__" if section == "source" else f"WARDGATE_{section.upper()}__"
        assert f"`{prefix}{key.upper()}`" in text


def test_the_reference_shows_a_configuration_that_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "reference" / "configuration.md").read_text()
    sample = text.split("```toml\n")[1].split("```")[0]
    assert config(tmp_path, sample).source[0].name == "edge"
