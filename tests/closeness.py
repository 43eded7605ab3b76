"""The one comparison of arrays: it names the tensor and prints the largest difference."""

from typing import SupportsFloat

import numpy as np
import torch
from numpy.typing import ArrayLike

TOLERANCE = {"float64": 1e-12, "float32": 1e-5}
"""Relative to the largest expected entry."""


def assert_close(actual: ArrayLike, expected: ArrayLike, name: str, *, rtol: SupportsFloat | None = None) -> None:
    """Hold one tensor against another of the same shape.

    Args:
        actual: An array or a torch tensor.
        expected: The same.
        name: What it is, for the message.
        rtol: Largest difference allowed, relative to the largest entry expected; by the precision if left out.
    """
    actual, expected = _array(actual), _array(expected)
    assert actual.shape == expected.shape, f"{name} has shape {actual.shape}, expected {expected.shape}"
    assert np.isfinite(actual).all(), f"{name} is not finite"
    allowed = float(rtol if rtol is not None else max(TOLERANCE[str(a.dtype)] for a in (actual, expected)))
    scale = np.abs(expected).max(initial=0.0)
    difference = np.abs(actual.astype(np.float64) - expected).max(initial=0.0)
    assert difference <= allowed * scale, (
        f"{name} differs by {difference:.3g}, {difference / max(scale, 1e-300):.3g} of its largest entry {scale:.3g}; "
        f"allowed is {allowed:.3g}"
    )


def _array(values: ArrayLike) -> np.ndarray:
    return values.detach().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)
