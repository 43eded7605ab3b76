"""The former place of the client has its names for one more release."""

import importlib
import sys

import pytest

import gdssm_client
import gdssm_client.errors
import gdssm_client.sklearn
import service.client


@pytest.mark.parametrize("name", ["AsyncClient", "Client"])
def test_former_name_warns_and_is_the_new_class(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=f"from gdssm_client import {name}"):
        assert getattr(service.client, name) is getattr(gdssm_client, name)


@pytest.mark.parametrize("name", ["GDSSMClassifier", "GDSSMRegressor"])
def test_former_name_of_an_estimator_warns_and_is_the_new_class(name: str) -> None:
    with pytest.warns(DeprecationWarning, match=rf"from gdssm_client.sklearn import {name}"):
        assert getattr(service.client, name) is getattr(gdssm_client.sklearn, name)


def test_former_errors_are_the_errors_of_the_client() -> None:
    sys.modules.pop("service.client.errors", None)
    with pytest.warns(DeprecationWarning, match=r"gdssm_client\.errors"):
        errors = importlib.import_module("service.client.errors")
    assert errors.Refused is gdssm_client.errors.Refused


@pytest.mark.parametrize("kind", ["regressor", "classifier"])
def test_pickled_estimators_are_found(kind: str) -> None:
    name = f"GDSSM{kind.title()}"
    former = importlib.import_module(f"service.client.{kind}")
    assert getattr(former, name) is getattr(gdssm_client.sklearn, name)


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="Nothing"):
        service.client.Nothing  # noqa: B018
