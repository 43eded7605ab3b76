import numpy as np
import pytest

from gdssm.evaluation.tasks.task import Batch

X, Y, X_QUERY, Y_QUERY = np.zeros((2, 7, 5)), np.zeros((2, 7, 3)), np.zeros((2, 11, 5)), np.zeros((2, 11, 3))


def test_arrays_that_fit_are_kept() -> None:
    batch = Batch(X, Y, X_QUERY, Y_QUERY)
    assert (batch.x is X, batch.y is Y, batch.x_query is X_QUERY, batch.y_query is Y_QUERY) == (True,) * 4


def test_answers_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^y_query has shape \(2, 11, 1\).*\(2, 11, 3\)"):
        Batch(X, Y, X_QUERY, Y_QUERY[..., :1])


def test_noisy_answers_that_do_not_fit_are_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^noisy_y_query has shape \(2, 11, 1\).*\(2, 11, 3\)"):
        Batch(X, Y, X_QUERY, Y_QUERY, Y_QUERY[..., :1])


def test_without_noise_an_observation_is_the_right_answer() -> None:
    assert Batch(X, Y, X_QUERY, Y_QUERY).observable is Y_QUERY
    noisy = Y_QUERY + 1
    assert Batch(X, Y, X_QUERY, Y_QUERY, noisy).observable is noisy


def test_a_context_that_does_not_fit_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"^y has"):
        Batch(X, Y[:, :6], X_QUERY, Y_QUERY)
