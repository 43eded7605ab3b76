"""Observations and queries as safetensors, and predictions from safetensors."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from gdssm_client import frames
from gdssm_client.answers import PredictionResult
from gdssm_client.call import unexpected
from gdssm_client.explanations import Explanation, ImplicitWeights, blocks_in, effects_in, pairs_in
from gdssm_client.learning.sizes import Array
from gdssm_client.real_numbers import F64
from gdssm_client.safetensors import Tensors, pack, unpack

CONTENT_TYPE = "application/vnd.safetensors"
SEND = {"Content-Type": CONTENT_TYPE}
SEND_AND_ACCEPT = {**SEND, "Accept": CONTENT_TYPE}
Explain = bool | Collection[str]
"""True for all that the model has, or names of `implicit_weights`, `contributions`, `effects`, `pairs` and `blocks`."""


def write(arrays: Mapping[str, Array | None], **texts: str | None) -> bytes:
    """Write arrays and texts, without those that are None."""
    return pack(
        {name: array for name, array in arrays.items() if array is not None},
        {name: text for name, text in texts.items() if text is not None},
    )


def column_names(x: frames.Names, y: frames.Names = None) -> str | None:
    """Write names of columns as JSON; None if there are none, as of a series without a name."""
    found = {axis: names for axis, names in (("x", x), ("y", y)) if names and all(names)}
    return json.dumps(found) if found else None


def options(
    parameters: Mapping[str, float] | None, explain: Explain, interval: float | None, quantiles: Sequence[float] | None
) -> dict[str, str | None]:
    """Write parameters, and the requested additions to the prediction, as texts."""
    parts = str(explain).lower() if isinstance(explain, bool) else ",".join(explain) or "false"
    return {
        **{name: repr(frames.number(value, f"parameters.{name}")) for name, value in (parameters or {}).items()},
        "explain": parts,
        "interval": None if interval is None else repr(frames.number(interval, "interval")),
        "quantiles": ",".join(map(repr, quantile_list(quantiles) or ())) or None,
    }


def quantile_list(quantiles: Sequence[float] | None) -> list[float] | None:
    """Read probabilities, of which a number alone is one; None if there are none."""
    values = () if quantiles is None else np.atleast_1d(np.asarray(quantiles, object))
    return [frames.number(value, "quantiles") for value in values] or None


def prediction_reader(shape: Callable[[F64], Any]) -> Callable[[httpx.Response], PredictionResult]:
    """Make the reader of a prediction.

    Args:
        shape: Converts (M,) or (M, K) to the kind of the query.
    """

    def read(response: httpx.Response) -> PredictionResult:
        try:
            tensors, about = unpack(response.content)
        except ValueError as error:
            raise unexpected(response, error) from error
        context_version = about.get("context_version")
        return PredictionResult(
            shape(tensors["prediction"].astype(np.float64)),
            about["model"],
            about["version"],
            about["sha256"],
            int(about["n_observations"]),
            _explanation(tensors, about, tensors["prediction"].shape[1:]),
            None if context_version is None else int(context_version),
            lower=shaped(tensors.get("lower")),
            upper=shaped(tensors.get("upper")),
            quantiles=tuple(shape(quantile.astype(np.float64)) for quantile in tensors.get("quantiles", ())),
            notes=tuple(about["notes"].split(",")) if "notes" in about else (),
        )

    def shaped(found: Array | None) -> object:
        return None if found is None else shape(found.astype(np.float64))

    return read


def _explanation(tensors: Tensors, about: Mapping[str, str], outputs: tuple[int, ...]) -> Explanation | None:
    names = ("implicit_weights", "intercept", "contributions")
    weights, intercept, contributions = (tensors.get(name) for name in names)
    found = Explanation(
        None if weights is None or intercept is None else ImplicitWeights(weights, intercept.reshape(outputs)),
        contributions,
        effects_in(tensors, outputs),
        pairs_in(tensors),
        blocks_in(tensors, about.get("blocks", "")),
    )
    return found if any(part is not None for part in vars(found).values()) else None
