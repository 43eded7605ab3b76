"""Checks of arguments; a ValueError names the argument, the rule and the value."""

from gdssm.arrays import Array


def require_positive(**values: float) -> None:
    """Raise ValueError for the first number that is zero, negative or NaN."""
    for name, value in values.items():
        if not value > 0:
            raise ValueError(f"{name} is {value}; it must be positive.")


def require_not_negative(**values: float) -> None:
    """Raise ValueError for the first number that is negative or NaN."""
    for name, value in values.items():
        if not value >= 0:
            raise ValueError(f"{name} is {value}; it must not be negative.")


def require_context(x: Array, y: Array, x_query: Array) -> None:
    """Raise ValueError unless x is (B, N, D), y (B, N, K) and x_query (B, M, D)."""
    for name, array, axes in (("x", x, "(B, N, D)"), ("y", y, "(B, N, K)"), ("x_query", x_query, "(B, M, D)")):
        if array.ndim != 3:
            raise ValueError(f"{name} has shape {array.shape}; give it three axes {axes}.")
    if y.shape[:2] != x.shape[:2]:
        raise ValueError(f"y has (B, N) = {y.shape[:2]} but x has {x.shape[:2]}; give one y for every x.")
    if x_query.shape[0] != x.shape[0]:
        raise ValueError(f"x_query has {x_query.shape[0]} tasks but x has {x.shape[0]}; give queries for every task.")
    if x_query.shape[2] != x.shape[2]:
        raise ValueError(f"x_query has {x_query.shape[2]} inputs but x has {x.shape[2]}; give as many as x.")


def require_same_shape(**arrays: Array) -> None:
    """Raise ValueError if the first array is empty, or for the first array whose shape differs from its shape."""
    (first, expected), *others = arrays.items()
    if expected.size == 0:
        raise ValueError(f"{first} has shape {expected.shape}, which holds no numbers to compare.")
    for name, array in others:
        if array.shape != expected.shape:
            raise ValueError(f"{name} has shape {array.shape} but {first} has {expected.shape}; they must be equal.")
