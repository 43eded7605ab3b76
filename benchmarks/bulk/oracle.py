"""What the answers should be: moments of a whole file in float64, by two passes so that no large mean loses digits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from tests.gdssm.linear_oracle import Array, from_moments


@dataclass(frozen=True)
class Moments:
    """Of the columns of x and of y, which is last."""

    count: int
    mean: Array
    covariance: Array

    def gdssm(self, x: Array) -> Array:
        """Answer as `linear` is defined: standardised, eight gradient steps, an intercept."""
        return from_moments(self.mean, self.covariance, x)[:, 0]

    def ridge(self, x: Array, strength: float) -> Array:
        """Answer by ridge regression with an intercept; by least squares where the strength is 0."""
        inputs = x.shape[1]
        gram = self.covariance[:inputs, :inputs] + strength / self.count * np.eye(inputs)
        weight = np.linalg.solve(gram, self.covariance[:inputs, inputs])
        answers: Array = (x - self.mean[:inputs]) @ weight + self.mean[inputs]
        return answers


def moments(read: Callable[[], Iterator[Array]]) -> Moments:
    """Read rows twice: for the mean, then for what lies around it, and what the first mean was off.

    Args:
        read: Starts to read rows of x and y, in chunks.
    """
    count, mean = 0, np.zeros(1)
    for chunk in read():
        count += len(chunk)
        mean = mean + (chunk - mean).sum(0) / count
    off, products = np.zeros(1), np.zeros((1, 1))
    for chunk in read():
        centred = chunk - mean
        off = off + centred.sum(0) / count
        products = products + centred.T @ centred
    return Moments(count, mean + off, products / count - np.outer(off, off))
