"""A manifest that claims what its model is not does not get past the export."""

import pytest

from export.claims import check_claims
from export.zoo import ENTRIES
from service.errors import BrokenArtifact
from service.inference.runtime import Runtime
from tests.properties.backends import ZOO

NAMES = [entry.file.removesuffix(".onnx") for entry in ENTRIES]
AFFINE = {"gd-1", "gd-8", "linear-1.0.0"}


def model(name: str, **claims: object) -> Runtime:
    runtime = Runtime.load(ZOO / f"{name}.onnx")
    runtime.manifest = runtime.manifest.model_copy(update=claims)
    return runtime


@pytest.mark.parametrize("name", NAMES)
def test_claims_of_the_manifests_hold(name: str) -> None:
    check_claims(model(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_properties_without_a_claim_do_not_hold(name: str) -> None:
    manifest = model(name).manifest
    assert manifest.affine_in_query == (name in AFFINE)
    assert (manifest.linear_in_y, bool(manifest.linear_in_y_given)) == (
        name == "linear-1.0.0",
        name in {"gd-1", "gd-8"},
    )
    if name not in AFFINE:
        with pytest.raises(BrokenArtifact, match="not affine in the query, as the manifest says"):
            check_claims(model(name, affine_in_query=True, linear_in_y=False))
    if not manifest.linear_in_y and name != "linear-trained":  # which learnt a step of one length, all but exactly
        with pytest.raises(BrokenArtifact, match="not linear in y, as the manifest says"):
            check_claims(model(name, linear_in_y=True, linear_in_y_given=(), affine_in_query=False))
