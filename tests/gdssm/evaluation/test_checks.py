import math

import numpy as np
import pytest

from gdssm.evaluation.checks import require_context, require_not_negative, require_positive, require_same_shape

X, Y, QUERY = np.zeros((2, 7, 5)), np.zeros((2, 7, 3)), np.zeros((2, 11, 5))


def test_arrays_that_belong_together_pass() -> None:
    require_context(X, Y, QUERY)
    require_context(X[:, :0], Y[:, :0], QUERY[:, :0])


@pytest.mark.parametrize(
    ("x", "y", "x_query", "message"),
    [
        (X[0], Y, QUERY, r"^x has shape \(7, 5\)"),
        (X, Y[..., 0], QUERY, r"^y has shape \(2, 7\)"),
        (X, Y, QUERY[:, 0], r"^x_query has shape \(2, 5\)"),
        (X, Y[:, :6], QUERY, r"^y has \(B, N\) = \(2, 6\) but x has \(2, 7\)"),
        (X, Y[:1], QUERY, r"^y has \(B, N\) = \(1, 7\)"),
        (X, Y, QUERY[:1], r"^x_query has 1 tasks but x has 2"),
        (X, Y, QUERY[..., :4], r"^x_query has 4 inputs but x has 5"),
    ],
)
def test_a_context_that_does_not_fit_is_refused_by_name(
    x: np.ndarray, y: np.ndarray, x_query: np.ndarray, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        require_context(x, y, x_query)


@pytest.mark.parametrize("value", [0.0, -1.0, math.nan])
def test_numbers_that_are_not_positive_are_refused(value: float) -> None:
    with pytest.raises(ValueError, match=r"^second is .*; it must be positive"):
        require_positive(first=1.0, second=value)


@pytest.mark.parametrize("value", [-1e-9, math.nan])
def test_negative_numbers_are_refused(value: float) -> None:
    require_not_negative(zero=0.0)
    with pytest.raises(ValueError, match=r"^noise is .*; it must not be negative"):
        require_not_negative(noise=value)


def test_arrays_that_would_broadcast_are_refused_by_name() -> None:
    require_same_shape(a=Y, b=Y)
    with pytest.raises(ValueError, match=r"^b has shape \(2, 7, 1\) but a has \(2, 7, 3\)"):
        require_same_shape(a=Y, b=Y[..., :1])
    with pytest.raises(ValueError, match=r"^a has shape \(2, 0, 3\), which holds no numbers"):
        require_same_shape(a=Y[:, :0], b=Y[:, :0])
