"""Batched tensors in, tensors out, named and shaped as in the graph: the model itself, without a context around it."""

from collections.abc import Callable, Mapping
from functools import partial
from math import prod
from typing import Any

from numpy.typing import NDArray

from service.errors import InvalidInput, Problem
from service.inference.artifact import Manifest, TensorSpec
from service.inference.checks import (
    UNLIMITED,
    Limits,
    limit_problems,
    missing_problems,
    parameter_problems,
    size_problems,
)
from service.inference.predictor import run
from service.inference.runtime import Runtime
from service.inference.sizes import Array, Sizes, measure
from service.inference.tensors import numbers_of
from service.levels import Levels, check_levels, with_new_levels

Infer = Callable[[Mapping[str, Array]], Mapping[str, Array]]
"""A model as a function: tensors of its graph by name, in and out."""

CELLS = ("x", "x_query")
"""Inputs in which a cell may be missing: NaN, where the model takes it."""


def infer(
    runtime: Runtime,
    tensors: Mapping[str, NDArray[Any]],
    limits: Limits,
    parameters: Mapping[str, float] | None = None,
    levels: Levels = (),
) -> dict[str, Array]:
    """Run a model.

    Args:
        runtime: The model.
        tensors: Inputs of the graph by name, of any dtype that holds numbers. `weight` may be left out (ones), the
            state (nothing seen yet), x and y (no observations), `x_query` (no queries) and parameters (their defaults),
            as long as the rest has the sizes. A parameter has the shape () or (1,). NaN in x or `x_query` is a
            missing cell.
        limits: What one request may cost.
        parameters: Those that do not come as tensors.
        levels: The columns of x that are levels of categories. The last ones may be new to the state.

    Returns:
        Every output of the graph by name, in the model's precision.

    Raises:
        InvalidInput: Something does not fit; the tensor is named.
        UnsupportedByModel: The model takes no levels.
        NumericOverflow: The answer is beyond floating point.
    """
    manifest = runtime.manifest
    _check_names(manifest, tensors)
    arrays = {name: numbers_of(array, manifest.dtype, name, missing=name in CELLS) for name, array in tensors.items()}
    given = {**(parameters or {}), **_parameters_among(arrays, manifest)}
    problems = parameter_problems(manifest, given)
    for name in CELLS:
        problems += missing_problems(manifest, name, arrays[name]) if name in arrays else []
    if problems:
        raise InvalidInput(*problems)
    inputs = {spec.name: arrays[spec.name] for spec in manifest.public_inputs if spec.name in arrays}
    if levels:
        inputs = _widened(manifest, inputs, levels)
    sizes = measure(manifest.inputs, inputs)
    if levels:
        check_levels(manifest, levels, sizes.get("D", 0), "parameters.levels")
    _check_sizes(manifest, sizes, limits)
    return run(runtime, inputs, given, levels)


def unlimited(runtime: Runtime, levels: Levels = ()) -> Infer:
    """Return a model as a function, without limits."""
    return partial(infer, runtime, limits=UNLIMITED, levels=levels)


def _widened(manifest: Manifest, inputs: dict[str, Array], levels: Levels) -> dict[str, Array]:
    """Add levels that are new to the state.

    Raises:
        InvalidInput: The tensors of the state do not fit each other.
    """
    measure(manifest.inputs, {name: tensor for name, tensor in inputs.items() if name not in CELLS})
    if "x" not in inputs or inputs["x"].ndim != 3:
        return inputs
    try:
        return {**inputs, **with_new_levels(inputs, levels)}
    except IndexError:
        raise InvalidInput(Problem("state.comoment", "does not fit state.mean and state.present.")) from None


def _check_names(manifest: Manifest, tensors: Mapping[str, object]) -> None:
    """Every tensor is known; and what means nothing without another one does not come without it."""
    known = [*(spec.name for spec in manifest.public_inputs), *(parameter.name for parameter in manifest.parameters)]
    state, pair = {spec.name for spec in manifest.state}, {"x", "y"}
    together = {**dict.fromkeys(state, state), **dict.fromkeys(("x", "y", "weight"), pair)}
    problems = [
        Problem(name[:100], f"is not an input of model {manifest.name}; it takes {', '.join(known)}.")
        for name in tensors
        if name not in known
    ]
    problems += [
        Problem(name, f"needs {', '.join(sorted(together[name] - tensors.keys()))} as well.")
        for name in tensors
        if name in together and not together[name] <= tensors.keys()
    ]
    if problems:
        raise InvalidInput(*problems)


def _parameters_among(arrays: Mapping[str, Array], manifest: Manifest) -> dict[str, float]:
    found = {parameter.name: arrays[parameter.name] for parameter in manifest.parameters if parameter.name in arrays}
    problems = [
        Problem(name, f"must be one number, of the shape () or (1); this has the shape {array.shape}.")
        for name, array in found.items()
        if array.shape not in {(), (1,)}
    ]
    if problems:
        raise InvalidInput(*problems)
    return {name: float(array.item()) for name, array in found.items()}


def _check_sizes(manifest: Manifest, sizes: Sizes, limits: Limits) -> None:
    """Check all sizes against the limits, those of outputs too, before any array is allocated."""
    full = {str(letter): size for letter, size in manifest.dims.items() if size != "any"} | sizes
    problems = [
        Problem("", f"{letter}, the number of {what}, is {full[letter]}. It must be at least 1.")
        for letter, what in (("B", "contexts"), ("D", "columns of x"), ("K", "columns of y"))
        if full.get(letter, 1) < 1
    ]
    batch, inputs, outputs = full["B"], full.get("D", 0), full.get("K", 0)
    problems += size_problems(
        limits,
        inputs=inputs,
        outputs=outputs,
        observations=batch * full["N"],
        queries=batch * full["M"],
        columns_field="x",
        x_field="x",
        query_field="x_query",
    )
    # A batch may have states as large as the largest context, whether the model shows its state or not.
    numbers = max(batch * (inputs + outputs) ** 2, *(_size(spec, full) for spec in manifest.state), 0)
    limit, setting = limits.max_columns**2, "GDSSM_MAX_COLUMNS squared"
    problems += limit_problems("state", numbers, "numbers in the states", limit, setting)
    if problems:
        raise InvalidInput(*problems)


def _size(spec: TensorSpec, sizes: Sizes) -> int:
    return prod(axis if isinstance(axis, int) else sizes.get(axis, 1) for axis in spec.shape)
