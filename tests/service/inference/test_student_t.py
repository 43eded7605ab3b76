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
