"""Observations and queries as safetensors, and predictions out of them: no digit is written out or read."""

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import httpx
import numpy as np

from service.client import frames
from service.client.answers import Array, Explanation, Prediction
from service.explaining.as_tensors import blocks_in, effects_in, pairs_in
from service.tensors import Tensors, pack, unpack

CONTENT_TYPE = "application/vnd.safetensors"
BOTH_WAYS = {"Content-Type": CONTENT_TYPE, "Accept": CONTENT_TYPE}
Explain = bool | Collection[str]
"""True for all that the model has, or names of `implicit_weights`, `contributions`, `effects`, `pairs` and `blocks`."""


def write(arrays: Mapping[str, Array | None], **texts: str | None) -> bytes:
    """Write the arrays and the texts that are given."""
    return pack(
        {name: array for name, array in arrays.items() if array is not None},
        {name: text for name, text in texts.items() if text is not None},
    )


def names_text(x: frames.Names, y: frames.Names = None) -> str | None:
    """Write the names of columns; a series may have none."""
    found = {axis: names for axis, names in (("x", x), ("y", y)) if names and all(names)}
    return json.dumps(found) if found else None


def texts_of(
    parameters: Mapping[str, float] | None, explain: Explain, interval: float | None, quantiles: Sequence[float] | None
) -> dict[str, str | None]:
    """Write numbers by name, and what to answer in addition to the prediction, as texts."""
    wanted = str(explain).lower() if isinstance(explain, bool) else ",".join(explain) or "false"
    return {
        **{name: repr(frames.number(value, f"parameters.{name}")) for name, value in (parameters or {}).items()},
        "explain": wanted,
        "interval": None if interval is None else repr(frames.number(interval, "interval")),
        "quantiles": None if quantiles is None else ",".join(map(repr, map(_quantile, quantiles))) or None,
    }


def _quantile(value: object) -> float:
    return frames.number(value, "quantiles")


def prediction_reader(shape: Callable[[Array], Any]) -> Callable[[httpx.Response], Prediction]:
    """Read a prediction.

    Args:
        shape: Gives (M,) or (M, K) the kind that the query had.
    """

    def read(response: httpx.Response) -> Prediction:
        tensors, about = unpack(response.content)
        context_version = about.get("context_version")
        return Prediction(
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
    terms = effects_in(tensors, outputs), pairs_in(tensors), blocks_in(tensors, about.get("blocks", ""))
    if weights is None and contributions is None and all(part is None for part in terms):
        return None
    return Explanation(weights, None if intercept is None else intercept.reshape(outputs), contributions, *terms)
