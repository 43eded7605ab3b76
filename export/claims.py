"""Tests of the claims in a manifest: linear in y, affine in the query."""

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np

from service.errors import BrokenArtifact
from service.inference.runtime import Runtime
from service.inference.sizes import Array

TOLERANCE = {"float32": 1e-5, "float64": 1e-9}
"""Largest difference that rounding makes, relative to the largest entry of the tensor."""
BY_EVIDENCE = 1e-7
"""The same for models with evidence: with fewer observations than features, late times of `gdssm.quadrature` amplify
rounding."""

SIZES = {"N": 23, "M": 5, "D": 7, "K": 3}
"""Sizes of axes that the model does not fix."""


def check_claims(runtime: Runtime) -> None:
    """Test the claims of the manifest on random data.

    Raises:
        BrokenArtifact: A claim does not hold.
    """
    manifest = runtime.manifest
    sizes = SIZES | {str(letter): size for letter, size in manifest.dims.items() if size != "any"}
    generator = np.random.default_rng(0)
    x, x_query = (generator.normal(size=(1, sizes[rows], sizes["D"])) for rows in "NM")
    y = generator.normal(size=(1, sizes["N"], sizes["K"]))
    weight = generator.uniform(0.2, 2.0, (1, sizes["N"]))

    def predict(parameters: Mapping[str, float], y: Array, x_query: Array) -> Array:
        tensors = {"x": x, "y": y, "weight": weight, "x_query": x_query}
        return runtime.run({**tensors, **parameters})["prediction"]

    given = dict.fromkeys(manifest.linear_in_y_given, 0.05)
    if manifest.affine_in_query:
        for parameters in ({}, given):
            _check_affine(partial(predict, parameters, y), x_query, manifest.dtype)
    if manifest.linear_in_y or given:
        _check_linear(lambda of: predict(given, of, x_query), y, manifest.dtype)


def _check_affine(predict: Callable[[Array], Array], x_query: Array, dtype: str) -> None:
    """f(a + s·(b − a)) = f(a) + s·(f(b) − f(a)), also far away."""
    a, b = x_query, x_query[:, ::-1]
    for s in (0.5, -3.0, 1e6):
        expected = predict(a) + s * (predict(b) - predict(a))
        _require_close(predict(a + s * (b - a)), expected, dtype, "affine in the query")


def _check_linear(predict: Callable[[Array], Array], y: Array, dtype: str) -> None:
    """The column k of f(y) is Σₙ f(eₙ)·y[n, k], with the same f(eₙ) for every column."""
    units = np.eye(y.shape[1])[:, None, :, None] * np.ones(y.shape[-1])
    columns = np.stack([predict(unit)[0] for unit in units])
    _require_close(predict(y)[0], np.einsum("nmk,nk->mk", columns, y[0]), dtype, "linear in y")


def _require_close(actual: Array, expected: Array, dtype: str, claim: str) -> None:
    difference = float(np.abs(actual - expected).max())
    if not difference <= TOLERANCE[dtype] * np.abs(expected).max():
        raise BrokenArtifact(f"predictions are not {claim}, as the manifest says: they are off by {difference:.3g}.")
