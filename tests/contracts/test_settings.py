"""Every setting is documented, comes from its environment variable, and is refused when it is wrong."""

from pathlib import Path

import pytest

from service.errors import InvalidSettings
from service.settings import PREFIX, Settings

OTHER = {
    "host": "0.0.0.0",  # noqa: S104  (read, never listened on)
    "port": "9000",
    "zoo": "elsewhere",
    "default_model": "gd-1",
    "threads": "2",
    "max_columns": "10",
    "max_predictions": "20",
    "max_body_bytes": "1000",
    "log_level": "warning",
}
WRONG = {
    "port": "70000",
    "threads": "0",
    "max_columns": "1",
    "max_predictions": "none",
    "max_body_bytes": "0",
    "log_level": "loud",
}


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(PREFIX + name.upper(), raising=False)


def test_every_setting_is_documented() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name


def test_this_test_knows_every_setting() -> None:
    assert set(OTHER) == set(Settings.model_fields)


@pytest.mark.parametrize("name", OTHER)
def test_a_setting_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), OTHER[name])
    changed, default = Settings.from_environment().model_dump(), Settings().model_copy().model_dump()
    assert str(changed[name]) == OTHER[name]
    monkeypatch.delenv(PREFIX + name.upper())
    default = Settings.from_environment().model_dump()
    assert {key for key in default if default[key] != changed[key]} == {name}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(PREFIX + name.upper(), WRONG[name])
    with pytest.raises(InvalidSettings, match=f"^{PREFIX}{name.upper()}: "):
        Settings.from_environment()


def test_an_unknown_variable_is_refused_with_the_names_that_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_PROT", "9000")
    with pytest.raises(InvalidSettings, match=r"Unknown setting GDSSM_PROT\. .*GDSSM_PORT"):
        Settings.from_environment()


def test_what_is_given_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_PORT", "9000")
    assert Settings.from_environment(port=9001).port == 9001


def test_what_is_given_is_held_to_the_same_rules() -> None:
    with pytest.raises(InvalidSettings, match=r"^GDSSM_PORT: "):
        Settings.from_environment(port=-1)


def test_an_empty_variable_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GDSSM_ZOO", "")
    assert Settings.from_environment().zoo == Path(Settings.model_fields["zoo"].default)
