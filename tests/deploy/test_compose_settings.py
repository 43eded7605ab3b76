"""Compose passes the settings of the service through, with the defaults that the service has."""

import pytest

from service.settings import ENV_PREFIX, Settings
from tests.deploy import compose
from tests.nonempty import nonempty

PASSWORD = {"POSTGRES_PASSWORD": "of the database"}
NOT_PASSED = {
    "host": "the image listens on every address of the container",
    "port": "the port that `ports` publishes and the health check asks",
    "zoo": "the models in the image",
    "models": "the volume in which `export` writes",
    "database_url": "the service `database`",
    "drain_seconds": "no load balancer; `stop_grace_period` is long enough for it",
    "shutdown_timeout": "`stop_grace_period` is long enough for it",
}
"""Settings that the variables of the caller do not change, with the reason."""
OWN_DEFAULTS = {"log_format": "json"}
"""Defaults that differ from those of the service: a collector of logs reads a container's."""
PASSED = sorted(Settings.model_fields.keys() - NOT_PASSED.keys())


def variable(setting: str) -> str:
    return ENV_PREFIX + setting.upper()


def test_what_is_not_passed_are_settings() -> None:
    assert NOT_PASSED.keys() <= Settings.model_fields.keys()


@pytest.mark.parametrize("setting", PASSED)
def test_setting_is_passed_through(setting: str) -> None:
    said = compose.environment("service", {**PASSWORD, variable(setting): "a value"})
    assert said.get(variable(setting)) == "a value", f"add {variable(setting)} to docker-compose.yml"


@pytest.mark.parametrize("setting", sorted(NOT_PASSED))
def test_setting_that_is_not_passed_does_not_change(setting: str) -> None:
    said = compose.environment("service", {**PASSWORD, variable(setting): "a value"})
    assert said.get(variable(setting)) != "a value"


def test_defaults_are_those_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in nonempty(compose.environment("service", PASSWORD).items()):
        monkeypatch.setenv(name, value)
    settings, defaults = Settings(), {name: field.default for name, field in Settings.model_fields.items()}
    for setting in nonempty(PASSED):
        assert getattr(settings, setting) == OWN_DEFAULTS.get(setting, defaults[setting]), variable(setting)
