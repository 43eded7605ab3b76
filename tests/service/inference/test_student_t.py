import math

import pytest
from scipy import stats  # type: ignore[import-untyped]

from service.inference.student_t import quantile

FREEDOMS = [0.3, 1.0, 1.5, 2.0, 3.0, 4.7, 10.0, 99.0, 1000.0, 1e6]


@pytest.mark.parametrize("freedom", FREEDOMS)
@pytest.mark.parametrize("probability", [1e-6, 0.001, 0.05, 0.3, 0.499, 0.5, 0.8, 0.95, 0.9999])
def test_quantiles_are_those_of_scipy(freedom: float, probability: float) -> None:
    expected = stats.t.ppf(probability, freedom)
    assert quantile(probability, freedom) == pytest.approx(expected, rel=1e-8, abs=1e-15)


def test_many_degrees_of_freedom_are_a_normal_distribution() -> None:
    assert quantile(0.975, 1e9) == pytest.approx(stats.norm.ppf(0.975), rel=1e-7)


def test_what_is_beyond_floating_point_is_infinite() -> None:
    assert quantile(0.9999, 1e-3) == float("inf")
    assert quantile(0.0001, 1e-3) == -float("inf")


@pytest.mark.parametrize("freedom", [1.0, 2.0, 10.0, 1000.0, 1e6])
@pytest.mark.parametrize("probability", [1e-17, 1e-50, 1e-90])
def test_far_quantiles_are_those_of_scipy(freedom: float, probability: float) -> None:
    assert quantile(probability, freedom) == pytest.approx(stats.t.ppf(probability, freedom), rel=1e-8)


@pytest.mark.parametrize("freedom", [5e-324, 1e-10, 1.0, 3.0, 30.0, 1e4, 1e7, 1e300])
@pytest.mark.parametrize("probability", [5e-324, 1e-300, 0.5 - 2**-54, 0.5 + 2**-53, 1 - 2**-53])
def test_every_probability_and_freedom_has_a_quantile(freedom: float, probability: float) -> None:
    found = quantile(probability, freedom)
    assert (found > 0) == (probability > 0.5)
    assert not math.isnan(found)
