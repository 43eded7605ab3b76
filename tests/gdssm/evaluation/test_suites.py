import numpy as np
import pytest

from gdssm.evaluation.suites import PAPER, PRACTICAL, SUITES, TABLES, suite


@pytest.mark.parametrize("name", SUITES)
def test_every_distribution_of_a_suite_has_its_own_name_and_can_be_sampled(name: str) -> None:
    entries = suite(name)
    assert len({entry for entry, _ in entries}) == len(entries) > 1
    for _, task in entries:
        batch = task.sample(np.random.default_rng(0), tasks=2, observations=7, queries=3)
        assert all(np.isfinite(array).all() for array in (batch.x, batch.y, batch.x_query, batch.y_query))


def test_suites_are_found_by_name() -> None:
    assert suite("paper") is PAPER
    assert suite("practical") is PRACTICAL
    assert suite("tables") is TABLES


def test_an_unknown_suite_is_refused_with_the_names_of_the_others() -> None:
    with pytest.raises(ValueError, match=r"no suite 'imagenet'; choose one of paper, practical, tables"):
        suite("imagenet")
