"""Every setting is documented, comes from its environment variable, and is refused when it is wrong."""

from pathlib import Path

import pytest

from service.errors import InvalidSettings
from service.settings import ENV_PREFIX, Settings
from tests.nonempty import nonempty

OTHER = {
    "host": "0.0.0.0",  # noqa: S104  (read, never listened on)
    "port": "9000",
    "zoo": "elsewhere",
    "models": "further",
    "default_model": "gd-1",
    "database_url": "postgresql://me@there/base",
    "database_connections": "3",
    "auth": "on",
    "allowed_hosts": "gdssm.example.org, 10.0.0.1",
    "cors_origins": "https://app.example.org, http://localhost:3000",
    "root_path": "/gdssm",
    "forwarded_prefix": "True",
    "workers": "2",
    "threads": "2",
    "pool_threads": "3",
    "max_in_flight": "5",
    "max_bytes_in_flight": "1000000",
    "max_share": "0.25",
    "request_timeout": "2.5",
    "drain_seconds": "1.5",
    "shutdown_timeout": "7",
    "rate_limit": "60",
    "key_usage": "True",
    "max_columns": "10",
    "max_observations": "30",
    "max_predictions": "20",
    "max_body_bytes": "1000",
    "max_contexts": "4",
    "context_ttl": "100",
    "max_evaluations": "3",
    "evaluation_timeout": "12.5",
    "poll_interval": "2.5",
    "inline_seconds": "0.01",
    "log_level": "warning",
    "log_format": "json",
}
WRONG = {
    "port": "70000",
    "database_connections": "0",
    "auth": "maybe",
    "allowed_hosts": "https://gdssm.example.org",
    "cors_origins": "https://app.example.org/page",
    "root_path": "gdssm/",
    "forwarded_prefix": "perhaps",
    "workers": "0",
    "threads": "0",
    "pool_threads": "0",
    "max_in_flight": "0",
    "max_bytes_in_flight": "0",
    "max_share": "1.5",
    "request_timeout": "0",
    "drain_seconds": "-1",
    "shutdown_timeout": "0",
    "rate_limit": "-1",
    "key_usage": "perhaps",
    "max_columns": "1",
    "max_observations": "0",
    "max_predictions": "none",
    "max_body_bytes": "0",
    "max_contexts": "0",
    "context_ttl": "0",
    "max_evaluations": "0",
    "evaluation_timeout": "0",
    "poll_interval": "61",
    "inline_seconds": "-0.1",
    "log_level": "loud",
    "log_format": "xml",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(ENV_PREFIX + name.upper(), raising=False)


def test_every_setting_is_documented() -> None:
    assert all(field.description for field in nonempty(Settings.model_fields.values()))


def test_every_setting_has_a_test_value() -> None:
    assert set(OTHER) == set(Settings.model_fields)


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(ENV_PREFIX + name.upper(), OTHER[name])
    changed, default = Settings.from_environment().model_dump(), Settings().model_copy().model_dump()
    assert str(changed[name]) == OTHER[name]
    monkeypatch.delenv(ENV_PREFIX + name.upper())
    default = Settings.from_environment().model_dump()
    assert {key for key in default if default[key] != changed[key]} == {name}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(ENV_PREFIX + name.upper(), WRONG[name])
    with pytest.raises(InvalidSettings, match=f"^{ENV_PREFIX}{name.upper()}: "):
        Settings.from_environment()


def test_an_unknown_variable_is_refused_with_the_names_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_PROT", "9000")
    with pytest.raises(InvalidSettings, match=r"Unknown setting GDSSM_PROT\. The settings are GDSSM_.*GDSSM_PORT.*\.$"):
        Settings.from_environment()


def test_arguments_take_precedence_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_PORT", "9000")
    assert Settings.from_environment(port=9001).port == 9001


def test_arguments_are_validated_like_variables() -> None:
    with pytest.raises(InvalidSettings, match=r"^GDSSM_PORT: "):
        Settings.from_environment(port=-1)


def test_empty_variable_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_ZOO", "")
    assert Settings.from_environment().zoo == Path(Settings.model_fields["zoo"].default)
