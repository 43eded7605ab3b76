"""The exact answers: moments of a whole file in float64, by two passes so that large means lose no digits."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from service.inference.wide_readout import wide_readout
from tests.gdssm.linear_oracle import Array


@dataclass(frozen=True)
class Moments:
    """Moments of the columns of x and of y, which is last."""

    count: int
    mean: Array
    covariance: Array

    def gdssm(self, x: Array) -> Array:
        """Answer as `linear` is defined: ridge regression, averaged over its strength by evidence, within reach.

        The readout comes from an eigendecomposition; `gdssm predict` leaves it to the graph.
        """
        inputs = x.shape[1]
        order = np.r_[inputs, :inputs]  # y first, as in the state
        comoment = self.count * self.covariance[np.ix_(order, order)]
        count = np.array([float(self.count)])
        state = {
            "state.count": count,
            "state.count_of_squares": count,
            "state.mean": self.mean[None, order],
            "state.present": np.zeros((1, 0)),
            "state.comoment": comoment[None],
            "state.peak": comoment.diagonal()[None],
        }
        found = wide_readout(state, 1, np.zeros(inputs), [np.ones(inputs)], scale=False, response=False)
        reach = (1.0 + np.sqrt(self.count - 1.0)) * np.sqrt(self.covariance.diagonal()[:inputs])
        near = (x - self.mean[:inputs]).clip(-reach, reach)
        answers: Array = near @ found["cached.weight"][0, :, 0] + self.mean[inputs]
        return answers

    def ridge(self, x: Array, strength: float) -> Array:
        """Answer by ridge regression with an intercept; by least squares where the strength is 0."""
        inputs = x.shape[1]
        gram = self.covariance[:inputs, :inputs] + strength / self.count * np.eye(inputs)
        weight = np.linalg.solve(gram, self.covariance[:inputs, inputs])
        answers: Array = (x - self.mean[:inputs]) @ weight + self.mean[inputs]
        return answers


def moments(read: Callable[[], Iterator[Array]]) -> Moments:
    """Read rows twice: for the mean, then for deviations from it and the error of the first mean.

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
